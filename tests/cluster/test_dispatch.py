"""Splitting, retries, bisecting and deadlines, on sites where time and bad luck are simulated."""

from dataclasses import replace

import numpy as np
import pytest

from ecosim import simulate, testing
from ecosim.arms import Manner
from ecosim.cluster.dispatch import MAX_POISONED, Dispatcher, Home
from ecosim.cluster.faulty import FATES, FaultySite, Luck
from ecosim.cluster.site import Inline
from ecosim.errors import DecisionError, PoolError
from ecosim.minds.host import Host, Job
from ecosim.minds.scripted import Scripted
from ecosim.reading import load_scenario, side
from ecosim.record.recorder import Recorder

CALM = Luck(lost_request=0, lost_reply=0, crash_before=0, crash_after=0, twice=0, late=0)


@pytest.fixture(scope="module")
def question():
    return max(testing.questions("smart_manufacturing", steps=1, phase="replenish"), key=lambda q: q.num_rows)


def twice_sold(question):
    return {"quantity": question.field("quantity").snap(2 * question["demand_history"][:, 0])}


def fails_on(*subjects):
    """A mind with poison rows: it raises if one of these members is among those asked."""

    def mind(question):
        bad = np.isin(question.key["subject"], subjects)
        if bad.any():
            raise ZeroDivisionError(f"member {int(question.key['subject'][bad][0])}")
        return twice_sold(question)

    return Scripted("fragile", mind)


def dispatcher(mind, places=1, **more):
    return Dispatcher([Inline([Host({0: mind}) for _ in range(places)])], {0: Home(0, range(places))}, **more)


def expected(question):
    return twice_sold(question)["quantity"].tolist()


def test_rows_are_split_over_places_and_come_back_in_order(question):
    desk = dispatcher(Scripted("double", twice_sold), places=3)
    [(decision, seconds)] = desk.answer([Job(0, question)])
    assert decision.answers["quantity"].tolist() == expected(question)
    assert [note.rows for note in desk.notes] == [len(part) for part in np.array_split(range(question.num_rows), 3)]
    assert seconds > 0


def test_small_jobs_are_not_split_and_do_not_all_go_to_the_first_place(question):
    mind = Scripted("double", twice_sold)
    desk = Dispatcher([Inline([Host({0: mind}), Host({0: mind})])], {0: Home(0, [0, 1], grain=1000)})
    desk.answer([Job(0, question), Job(0, question)])
    assert sorted(note.place for note in desk.notes) == ["here-0", "here-1"]


def test_a_poison_row_without_a_substitute_stops_the_run_and_is_named(question):
    assert set(question.key["subject"].tolist()) == set(range(8, 14))  # the manufacturers
    with pytest.raises(DecisionError, match=r"fragile.*ZeroDivisionError: member 9.*subject 9"):
        dispatcher(fails_on(9)).answer([Job(0, question)])


def test_a_poison_row_is_found_by_halving_and_answered_by_the_substitute(question):
    rows = np.flatnonzero(np.isin(question.key["subject"], [9, 11]))
    zero = Scripted("zero", lambda q: {"quantity": q.field("quantity").snap(np.zeros(q.num_rows, np.int64))})
    desk = dispatcher(fails_on(9, 11), places=2, substitutes={question.name: zero})
    [(decision, _)] = desk.answer([Job(0, question)])
    want = np.array(expected(question))
    want[rows] = zero.decide(question.take(rows)).answers["quantity"]
    assert decision.answers["quantity"].tolist() == want.tolist()
    found = sorted(int(p.question.key["subject"][0]) for p in desk.poisoned)
    assert found == sorted(question.key["subject"][rows].tolist())
    assert len(desk.notes) <= 2 + 2 * len(rows) * int(np.ceil(np.log2(question.num_rows)))


def test_a_mind_that_fails_on_everything_is_not_a_matter_of_rows(question):
    zero = Scripted("zero", lambda q: {"quantity": q.field("quantity").snap(np.zeros(q.num_rows, np.int64))})
    desk = dispatcher(fails_on(*range(100)), substitutes={question.name: zero})
    assert question.num_rows > MAX_POISONED
    with pytest.raises(DecisionError, match=f"more than {MAX_POISONED} rows of one round have no answer"):
        desk.answer([Job(0, question)])


def test_an_answer_that_is_none_for_the_question_as_a_whole_is_not_halved_into_one(question):
    one = Scripted("one", lambda q: {"quantity": np.zeros(1, np.int64)})
    with pytest.raises(DecisionError, match=r"has shape \(1,\), expected"):
        dispatcher(one).answer([Job(0, question)])


def test_a_place_that_is_silent_past_the_deadline_is_replaced_and_the_rows_are_asked_again(question):
    luck = replace(CALM, lost_request=1.0)
    site = FaultySite([Host({0: Scripted("double", twice_sold)})], seed=1, luck=luck, deadline_s=60)
    site_then = site.submit

    def once_lost(place, ticket, jobs):
        site_then(place, ticket, jobs)
        site.luck = CALM

    site.submit = once_lost
    desk = Dispatcher([site], {0: Home(0, [0])}, deadline_s=60)
    [(decision, _)] = desk.answer([Job(0, question)])
    assert decision.answers["quantity"].tolist() == expected(question)
    assert [fate for _, _, fate in site.log] == ["lost_request", "answered"]
    assert desk.notes[0].fault == "no reply within 60 s" and desk.counts.lost == 1


def test_where_nobody_answers_any_more_it_is_not_the_rows(question):
    site = FaultySite([Host({0: Scripted("double", twice_sold)})], seed=1, luck=replace(CALM, crash_before=1.0))
    with pytest.raises(PoolError, match=r"6 calls on end were lost and none answered \(the place died\)"):
        Dispatcher([site], {0: Home(0, [0])}).answer([Job(0, question)])


def test_a_row_that_kills_its_place_is_poison_where_others_are_answered(question):
    class Mortal(FaultySite):
        def submit(self, place, ticket, jobs):
            dies = any((job.question.key["subject"] == 9).any() for job in jobs)
            self.luck = replace(CALM, crash_before=float(dies))
            super().submit(place, ticket, jobs)

    site = Mortal([Host({0: Scripted("double", twice_sold)})], seed=1, luck=CALM)
    with pytest.raises(DecisionError, match=r"lost 6 times: the place died \(replica 0, subject 9"):
        Dispatcher([site], {0: Home(0, [0])}).answer([Job(0, question)])


def test_a_reply_of_the_wrong_length_is_refused(question):
    class Short(Host):
        def answer(self, jobs):
            return []

    desk = Dispatcher([Inline([Short({0: fails_on()})])], {0: Home(0, [0])})
    with pytest.raises(PoolError, match="replied to 0 jobs, asked were 1"):
        desk.answer([Job(0, question)])


def faulty_run(seed, name="smart_manufacturing", places=3, steps=3):
    """A run whose minds all sit behind a faulty network; its digests and what happened."""
    facts = load_scenario(name).with_changes(seeds=2, steps=steps)
    world, router, recorder = simulate.prepare(facts, [simulate.Arm(name="all")])
    minds = dict(enumerate(router.minds))
    site = FaultySite([Host(minds) for _ in range(places)], seed, deadline_s=60.0)
    desk = Dispatcher([site], {code: Home(0, range(places)) for code in minds}, deadline_s=60.0)
    router.answer = desk.answer
    for step in range(1, steps + 1):
        world.step()
        recorder.close_step(step)
    assert world.is_live.all()  # goods and cash are conserved after every phase
    return recorder.digest.hex(), site, desk


@pytest.fixture(scope="module")
def clean():
    facts = {n: load_scenario(n).with_changes(seeds=2, steps=3) for n in ("smart_manufacturing", "creator_community")}
    return {
        name: simulate.simulate(f, [simulate.Arm(name="all")], testing.Memory()).manifest["digests"]
        for name, f in facts.items()
    }


@pytest.mark.parametrize("seed", range(50))
def test_no_schedule_of_faults_changes_the_digest(seed, clean):
    name = "creator_community" if seed % 5 == 4 else "smart_manufacturing"
    digests, site, desk = faulty_run(seed, name, places=1 + seed % 4)
    assert digests == clean[name]
    assert {fate for _, _, fate in site.log} & set(FATES) or len(site.log) < 30
    assert desk.counts.calls == len(site.log)


def test_a_schedule_is_its_seed():
    (_, one, _), (_, again, _), (_, other, _) = faulty_run(7), faulty_run(7), faulty_run(8)
    assert one.log == again.log != other.log


def test_the_schedules_hold_every_kind_of_fault(clean):
    seen = {fate for seed in range(8) for _, _, fate in faulty_run(seed)[1].log}
    assert seen >= set(FATES) | {"answered"}


def test_poison_becomes_an_event_with_the_same_digest_for_any_split():
    facts = load_scenario("smart_manufacturing").with_changes(seeds=2, steps=2, substitute="scripted")
    arm = simulate.Arm(name="all", minds={"distributor.replenish": fails_on(15)})
    digests, tables = [], []
    for places in (1, 3):
        world, router, _ = simulate.prepare(facts, [arm])
        recorder = Recorder(side("manufacturing").events, 2, testing.Memory())
        minds = dict(enumerate(router.minds))
        experts = {q: e["scripted"] for q, e in side("manufacturing").experts.items()}
        desk = Dispatcher(
            [Inline([Host(minds) for _ in range(places)])],
            {code: Home(0, range(places)) for code in minds},
            substitutes={q: Scripted("scripted", e) for q, e in experts.items()},
        )
        router.answer = desk.answer
        world, _ = simulate.assemble(side("manufacturing"), facts, world.tables, replace_desk(router, desk), recorder)
        for step in (1, 2):
            world.step()
            recorder.close_step(step)
        digests.append(recorder.digest.hex())
        tables.append(recorder.store.read("events/substitutions").to_pandas())
    assert digests[0] == digests[1]
    assert tables[0].equals(tables[1])
    assert tables[0]["subject"].tolist() == [15] * len(tables[0]) and set(tables[0]["mind"]) == {"fragile"}


def replace_desk(router, desk):
    from ecosim.cluster.crew import Crew
    from ecosim.cluster.layout import Layout

    return Crew(list(router.minds), desk, Layout(), [])


def test_a_scenario_names_the_substitute():
    facts = load_scenario("smart_manufacturing").with_changes(seeds=1, steps=2, substitute="scripted")
    arm = simulate.Arm(name="all", minds={"distributor.replenish": fails_on(15)})
    store = testing.Memory()
    simulate.simulate(facts, [arm], store, Manner())
    assert store.read("events/substitutions").num_rows == 2
    assert "ZeroDivisionError: member 15" in store.read("ops/substitutions")["reason"][0].as_py()
    with pytest.raises(DecisionError, match="ZeroDivisionError: member 15"):
        simulate.simulate(facts.with_changes(substitute=""), [arm], testing.Memory())
