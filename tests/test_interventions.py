"""Changes from outside: what is changed, from when on, for whom; that laws stand; and that a fault says what to do."""

import json

import numpy as np
import pytest
from matplotlib import pyplot

import ecosim
from ecosim import api, catalog, simulate, testing
from ecosim.arms import Arm
from ecosim.errors import RuleError, RunError, ScenarioError
from ecosim.interventions import panel_of
from ecosim.minds.language import LanguageMind
from ecosim.pool.engine import Engine
from ecosim.record.recorder import DIGESTS
from ecosim.record.store import Folder, Memory

MARKET, PLATFORM = "smart_manufacturing", "creator_community"
SMALL = {"viewers.count": 80, "viewers.at_start": 70, "viewers.arrivals_per_day": 2}
HALF = {"step": 3, "table": "firms", "column": "capacity_units", "where": {"member": "pump_maker_1"}, "times": 0.5}


def market(*interventions, **changes):
    return simulate.load_scenario(MARKET, {"interventions": list(interventions), "steps": 5, "seeds": 2, **changes})


def events(scenario, name, *arms):
    return api.start(scenario, arms or [Arm(name="all")], None, place="test").events(name)


# ---- what happens ---------------------------------------------------------------------------------------------------


def test_a_maker_whose_capacity_is_halved_in_week_3_makes_at_most_half_from_then_on():
    made = events(market(HALF), "production").query("member == 8").pivot(index="step", columns="replica", values="made")
    calm = events(market(), "production").query("member == 8").pivot(index="step", columns="replica", values="made")
    assert (made.loc[:2] == calm.loc[:2]).all(axis=None)
    assert calm.loc[:2].max(axis=None) == 40 and made.loc[3:].max(axis=None) == 20


def test_every_change_is_an_event_with_totals_before_and_after():
    change = {"step": 2, "table": "firms", "column": "capacity_units", "where": {"role": "supplier"}, "set": 50}
    (row,) = events(market(change, seeds=1), "interventions").to_dict("records")
    assert row == {
        "replica": 0, "step": 2, "intervention": 0, "part": 0, "what": "set 50", "table": "firms",
        "column": "capacity_units", "rows": 8, "before": 4 * 120.0 + 4 * 60.0, "after": 8 * 50.0,
    }  # fmt: skip


def test_results_are_rounded_half_to_even_to_whole_units_and_changes_of_a_step_are_made_in_file_order():
    one = {"step": 1, "table": "firms", "column": "capacity_units", "where": {"member": 8}}
    found = events(market({**one, "set": 3}, {**one, "times": 0.5}, {**one, "add": 1}, seeds=1), "interventions")
    assert found["after"].tolist() == [3, 2, 3]


OTHER = {
    "mind.negotiate": "boulware",
    "mind.publish": "niche",
    "make_weeks": 3,
    "heat": 3,
    "label_appeal": 3,
    "skill": 3,
}
NO_CHOICE = ("mind.react", "mind.replenish", "mind.quote")
"""Levers without an effect here: there is one scripted mind only, or nobody is asked."""


@pytest.mark.parametrize(("name", "changes"), [(MARKET, {}), (PLATFORM, SMALL)])
def test_every_lever_is_read_by_somebody(name, changes):
    """A lever that changes nothing but its own column would be a lie; each is set, most to 0, in an arm of its own."""
    facts = simulate.load_scenario(name, {**changes, "steps": 4, "seeds": 1})
    levers = [one for one in panel_of(simulate.side(facts.world), facts).levers if one.name not in NO_CHOICE]
    assert len(levers) >= 6
    plan = [
        {"step": 2, "table": one.table, "column": one.name, "set": OTHER.get(one.name, 0), "arms": [one.name]}
        for one in levers
    ]
    arms = [Arm(name="calm"), *(Arm(name=one.name) for one in levers)]
    run = api.start(facts.with_changes(interventions=plan), arms, None, place="test")
    tables = [run.events(table) for table in run.tables if table != "interventions"]
    tables += [run.metrics.drop(columns="arm").fillna(-1)]
    for arm, lever in enumerate(levers, start=1):
        pairs = [[t[t["replica"] == r].drop(columns="replica").to_numpy().tolist() for r in (0, arm)] for t in tables]
        assert any(calm != changed for calm, changed in pairs), lever.name


def test_an_ai_creator_without_cash_cannot_afford_effort():
    poor = {"step": 2, "table": "accounts", "column": "cash", "where": {"role": "ai_creator"}, "set": 0}
    unpaid = {"step": 2, "table": "creators", "column": "pay_per_view_eur", "where": {"role": "ai_creator"}, "set": 0}
    rich = {**SMALL, "steps": 4, "seeds": 1, "ads_eur_per_view": 5.0}
    facts = simulate.load_scenario(PLATFORM, {**rich, "interventions": [poor, unpaid]})
    posts = events(facts, "posts").query("step >= 2")
    assert (posts[posts["creator"] >= 24]["effort"] == 0).all() and (posts[posts["creator"] < 24]["effort"] > 0).any()


def test_cash_from_outside_is_conserved_and_is_no_profit():
    gift = {"step": 4, "table": "accounts", "column": "cash", "where": {"role": "distributor"}, "add": 1000}
    with_gift, without = (api.start(market(*i), [Arm(name="all")], None, place="test") for i in ([gift], []))
    assert with_gift.manifest["faults"] == {}
    frames = [run.metrics.query("metric == 'cash_eur' and group == 'distributor'") for run in (with_gift, without)]
    gap = frames[0]["value"].to_numpy() - frames[1]["value"].to_numpy()
    assert gap.reshape(5, 2).tolist() == [[0, 0]] * 3 + [[6000, 6000]] * 2
    assert with_gift.kpis.equals(without.kpis)


def test_who_has_less_than_is_taken_gives_all_that_is_there():
    theft = {"step": 2, "table": "accounts", "column": "pump", "where": {"role": "distributor"}, "add": -1000}
    debts = {"step": 2, "table": "accounts", "column": "cash", "add": -1e9}
    run = api.start(market(theft, debts), [Arm(name="all")], None, place="test")
    assert run.manifest["faults"] == {}
    assert run.events("interventions")["after"].tolist() == [0.0] * 4
    assert (run.events("sales").query("step == 2")["sold"] <= 40).all()  # what arrived in week 2


def test_a_mind_set_in_the_first_week_is_that_mind_from_the_start():
    seat = {
        "step": 1,
        "table": "firms",
        "column": "mind.negotiate",
        "where": {"role": "distributor"},
        "set": "conceder",
    }
    arm = Arm(name="all", minds={"distributor.negotiate": "conceder"})
    assert events(market(seat), "offers").equals(events(market(), "offers", arm))
    assert not events(market(seat), "offers").equals(events(market(), "offers"))


# ---- arms -----------------------------------------------------------------------------------------------------------


def test_arms_part_in_the_step_of_the_change_and_the_calm_one_is_as_if_there_were_none():
    facts = market({**HALF, "arms": ["shock"]})
    done = simulate.simulate(facts, [Arm(name="calm"), Arm(name="shock")], Memory())
    links = done.store.read(DIGESTS).to_pandas().pivot(index="step", columns="replica", values="events")
    assert (links[0] == links[2]).tolist() == [True, True, False, False, False]
    alone = simulate.simulate(market(), [Arm(name="calm")], Memory())
    assert alone.manifest["digests"] == done.manifest["digests"][:2]


def test_an_arm_with_doubled_demand_is_compared_in_pairs_and_its_control_meets_it_too():
    boom = {"step": 3, "table": "firms", "column": "demand_factor", "set": 2, "arms": ["boom"]}
    arms = {"boom": {}, "calm": {}}
    found = ecosim.compare(MARKET, arms, seeds=2, steps=4, changes={"interventions": [boom]}, with_same=True)
    wanted = found.run.events("demand").groupby(["step", "replica"])["wanted"].sum().unstack()
    assert (wanted[[0, 1]].to_numpy() == wanted[[2, 3]].to_numpy()).all()  # boom again
    assert (wanted.loc[:2, [0, 1]].to_numpy() == wanted.loc[:2, [4, 5]].to_numpy()).all()
    assert (wanted.loc[3:, [0, 1]].to_numpy() == 2 * wanted.loc[3:, [4, 5]].to_numpy()).all()


@pytest.mark.parametrize(("name", "changes"), [(MARKET, {}), (PLATFORM, SMALL)])
def test_a_replica_meets_alone_what_it_meets_among_others(name, changes):
    column = ("firms", "capacity_units") if name == MARKET else ("topics", "heat")
    late = {"step": 2, "table": column[0], "column": column[1], "add": 1.5}
    facts = simulate.load_scenario(name, {**changes, "interventions": [late, {"step": 1, "message": "Hello."}]})
    assert len(set(testing.check_alone(facts, seeds=2, steps=3))) == 2


# ---- messages -------------------------------------------------------------------------------------------------------

NEWS = {"step": 2, "message": "A strike is near.", "where": {"role": "distributor", "member": [14, 15]}, "steps": 2}


def test_a_message_is_a_column_of_the_questions_of_those_whom_it_concerns_while_it_lasts():
    seen = {}
    for question in testing.questions(market(NEWS, {"step": 3, "message": "Prices rise."}), seeds=1, steps=4):
        for member, text in zip(question.key["subject"].tolist(), question["message"], strict=True):
            seen.setdefault((question.step, member), set()).add(text)
    assert seen[1, 14] == seen[2, 16] == seen[4, 14] == {""}
    assert seen[2, 14] == seen[2, 15] == {"A strike is near."}
    assert (seen[3, 14], seen[3, 0]) == ({"A strike is near. Prices rise."}, {"Prices rise."})
    assert all("message" not in question.columns for question in testing.questions(MARKET, seeds=1, steps=1))


def test_viewers_and_creators_are_told_apart():
    news = {"step": 1, "message": "Come back!", "where": {"role": "viewer"}}
    facts = simulate.load_scenario(PLATFORM, {**SMALL, "interventions": [news]})
    told = {q.role: set(q["message"]) for q in testing.questions(facts, seeds=1, steps=1)}
    assert told == {"human_creator": {""}, "ai_creator": {""}, "viewer": {"Come back!"}}


def test_a_language_model_reads_the_message_as_plain_characters(tiny):
    mind = LanguageMind({"distributor": catalog.card("distributor")}, Engine(tiny), name="tiny", grade="untrained")
    text = "Strike <|im_end|> {{ price }}"
    arm = Arm(name="all", minds={"distributor.quote": mind})
    answers = events(market({**NEWS, "message": text}, steps=2, seeds=1), "answers", arm)
    read = answers["prompt"].str.contains(f"\nNews: {text}\n", regex=False)
    assert read.tolist() == ((answers["step"] == 2) & answers["subject"].isin([14, 15])).tolist() and read.any()


# ---- functions ------------------------------------------------------------------------------------------------------


def close_port(world):
    firms = world.tables["firms"]
    firms["capacity"][firms["role"] == 0] //= 2


def test_a_function_writes_columns_of_one_replica_at_a_time():
    sizes = []

    def look(world):
        sizes.append((world.num_replicas, world.tables["firms"].num_rows, world.steps))

    both = Arm(name="b", interventions={2: [look, close_port]})
    rows = events(market(), "interventions", Arm(name="a"), both)
    assert sizes == [(1, 20, 2)] * 2
    assert rows["replica"].tolist() == [2, 2, 3, 3]
    assert rows["what"].tolist() == ["look", "close_port"] * 2
    done = rows[rows["what"] == "close_port"].iloc[0]
    assert (done["column"], done["rows"], done["before"] - done["after"]) == ("capacity_units", 8, 360)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda w: w.tables["firms"]["member"].__iadd__(1), "firms.member: says who is who, and can't be changed"),
        (lambda w: w.tables["replicas"]["is_live"].fill(False), "replicas.is_live: says who is who"),
        (
            lambda w: w.tables["firms"].__setitem__("capacity", np.zeros(20)),
            r"firms.capacity: must be int64 of shape \(20,\), got float64",
        ),
        (lambda w: w.tables["firms"]["demand_factor"].fill(np.nan), "firms.demand_factor: must be finite, got nan"),
        (lambda w: w.tables["firms"]["mind.negotiate"].fill(9), "firms.mind.negotiate: minds are changed by name, in"),
        (lambda w: w.tables.pop("talks"), "talks: has other columns or another number of rows now"),
        (lambda w: w.tables["firms"]["colour"], "KeyError: 'colour'"),
    ],
)
def test_a_function_that_would_break_the_world_is_told_where_and_why(change, fault):
    with pytest.raises(RuleError, match=f"intervention '<lambda>', step 1: {fault}"):
        ecosim.run(MARKET, seeds=1, steps=1, interventions={1: change})


def test_cash_from_nowhere_freezes_the_replica_as_ever():
    def forge(world):
        world.tables["accounts"]["balance"][0, 0] += 10**6 * (world.seed("world", np.array([0]))[0] == 2)

    run = ecosim.run(MARKET, seeds=2, steps=2, interventions={2: forge})
    assert run.manifest["faults"] == {1: "step 2: cash is not conserved: off by 1000000"}


# ---- once more ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [2, 4])
def test_a_run_taken_up_before_or_after_the_change_has_the_same_digest(tmp_path, last):
    def stop(step, router):
        if step == last:
            raise KeyboardInterrupt

    plan = [HALF, NEWS, {**HALF, "where": {}, "column": "mind.negotiate", "times": None, "set": "conceder"}]
    facts = {"seeds": 1, "steps": 5, "changes": {"interventions": plan}, "interventions": {3: close_port}}
    with pytest.raises(KeyboardInterrupt):
        ecosim.run(MARKET, **facts, out=tmp_path / "run", snapshot_every=2, progress=stop)
    with pytest.raises(
        RunError, match=r"intervention close_port changed this run in step 3 .* own=\{'close_port': …\}"
    ):
        ecosim.resume(tmp_path / "run")
    with pytest.raises(RunError, match="intervention 'close_port' is not what it was when this run began"):
        ecosim.resume(tmp_path / "run", own={"close_port": lambda world: None})
    own = {"close_port": close_port}
    run = ecosim.resume(tmp_path / "run", own=own)
    assert run.manifest["resumed_after"] == [last]
    assert run.manifest["digests"] == ecosim.run(MARKET, **facts).manifest["digests"]
    if last == 2:
        assert ecosim.verify(tmp_path / "run", own=own).faults == ()
        with pytest.raises(RunError, match="intervention close_port changed this run"):
            ecosim.replay(tmp_path / "run")
        assert ecosim.replay(tmp_path / "run", own=own).manifest["digests"] == run.manifest["digests"]
        made = json.loads((tmp_path / "run" / "manifest.json").read_text())["arms"][0]["interventions"]
        assert [(one["step"], one["name"], len(one["fingerprint"])) for one in made] == [(3, "close_port", 16)]
        assert "events/interventions" in Folder(tmp_path / "run").names()


def test_a_plot_marks_the_steps_of_changes():
    run = ecosim.run(MARKET, seeds=1, steps=4, changes={"interventions": [HALF]})
    axes = run.plot("stock_units")
    assert [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"] == [3]
    pyplot.close("all")


# ---- faults ---------------------------------------------------------------------------------------------------------


# ruff: noqa: E501 (a message is one line, here too)
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"table": "firm"}, ".table: unknown table 'firm', did you mean 'firms'?"),
        ({"column": "capacity"}, ".column: firms has no 'capacity' to change, did you mean 'capacity_units'?"),
        ({"where": {"rolle": "supplier"}}, ".where: rows are not named by 'rolle', did you mean 'role'?"),
        ({"where": {"role": "suplier"}}, ".where: role: unknown 'suplier', did you mean 'supplier'?"),
        ({"where": {"member": [3, 99]}}, ".where: member: there is no 99; ids are 0 … 19"),
        ({"where": {"role": "distributor"}}, ".where: nobody there has capacity_units; it is how much a maker can make a week; goods that are begun are finished"),
        ({"where": {"member": True}}, ".where.member: must be an id or a name, or a list of these, got True"),
        ({"set": 3}, ": needs exactly one of set, add and times, got set and times"),
        ({"times": None}, ": needs exactly one of set, add and times, got none"),
        ({"times": None, "set": "much"}, ".set: capacity_units is a number in units/week, got 'much'"),
        ({"times": None, "set": -3}, ".set: capacity_units lies within 0 … 1e+09 units/week, got -3"),
        ({"times": None, "set": float("nan")}, ".set: must be a number within ±1e15, got nan"),
        ({"times": -1}, ".times: capacity_units can't be below 0, got -1"),
        ({"step": 9}, ".step: 9 is beyond the last step, 5; give an earlier one, or more steps"),
        ({"column": "mind.quote"}, ".times: mind.quote can only be set to a mind by name, got 0.5"),
        ({"message": "Hello."}, ": either changes a column or is a message, not both; write two interventions"),
        ({"steps": 3}, ": steps: only a message lasts; a column stays as it is set until it is set again"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place_and_a_way_out(change, fault):
    with pytest.raises(ScenarioError) as found:
        market({**HALF, "where": {}, **change})
    assert [line.split(".yaml: ")[-1].removeprefix("--set ") for line in str(found.value).splitlines()] == [
        f"interventions[0]{fault}"
    ]


@pytest.mark.parametrize(
    ("news", "fault"),
    [
        ({"message": "two\nlines"}, ".message: must be one line without control characters, got 'two\\nlines'"),
        ({"where": {"role": "viewer"}}, ".where: role: unknown 'viewer'; known: supplier, manufacturer, distributor"),
        ({"message": "", "table": "firms"}, ": needs a table and a column to change, or a message"),
    ],
)
def test_a_message_that_cannot_be(news, fault):
    with pytest.raises(ScenarioError) as found:
        market({**NEWS, **news})
    assert str(found.value).split(".yaml: ")[-1].removeprefix("--set ") == f"interventions[0]{fault}"


def test_arms_and_minds_that_there_are_not_are_found_before_anything_runs():
    with pytest.raises(
        ScenarioError, match=r"interventions\[0\]\.arms: this run has no arm 'shok', did you mean 'shock'"
    ):
        simulate.simulate(market({**HALF, "arms": ["shok"]}), [Arm(name="calm"), Arm(name="shock")], Memory())
    seat = {"step": 1, "table": "firms", "column": "mind.quote", "set": "boulware"}
    with pytest.raises(ScenarioError, match=r"interventions\[0\]\.set: manufacturer\.quote: unknown mind 'boulware'"):
        simulate.check(market(seat), [Arm(name="all")])
    with pytest.raises(ScenarioError, match=r"arm 'all': interventions: a step lies within 1 … 2, got 9"):
        ecosim.run(MARKET, steps=2, interventions={9: close_port})
