"""Bulletins: what happens, what is said of it, what firms make of that, and what it is worth."""

from dataclasses import replace

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.fields import is_plain
from ecosim.manufacturing import experts, headlines, readers
from ecosim.manufacturing.news import KINDS, OUTAGE
from ecosim.minds.prompts import Prompts
from ecosim.opening import Arm
from ecosim.words import Table

NAME = "early_warning"
BUSY = {"bulletins.outage_chance": 0.1, "bulletins.recall_chance": 0.05, "bulletins.rumour_chance": 0.1}
HEEDING = {f"{role}.replenish": "heeding" for role in ("manufacturer", "distributor")}


def world_of(changes=None, seeds=2, steps=12, minds=None):
    facts = simulate.load_scenario(NAME, changes or {}).with_changes(seeds=seeds, steps=steps)
    return simulate.prepare(facts, [Arm(name="all", minds=minds or {})])[0]


# ---- what happens, and what is said ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run():
    return ecosim.run(NAME, seeds=4, steps=40, changes=BUSY)


def test_an_outage_that_was_told_truly_stops_production_then_and_for_its_weeks(run):
    told = run.events("bulletins").query("said_kind == 1 and is_denied == 0 and is_true == 1 and said_week <= 37")
    made = run.events("production").set_index(["replica", "step", "member"])["made"]
    assert len(told) > 40
    for row in told.itertuples():
        assert all(made[row.replica, week, row.about] == 0 for week in range(row.said_week, row.said_week + 4))
        assert row.said_week == row.step + 6


def test_every_stop_of_production_by_an_outage_was_in_the_news():
    """A maker is down exactly in the weeks after a true claim or a false word about a true event."""
    world = world_of(BUSY, seeds=3, steps=30)
    news = next(phase for phase in world.phases if phase.name == "read").news
    for _ in range(30):
        world.step()
        firms = world.tables["firms"]
        down = firms["news_capacity"] < MILLION
        began = np.zeros(len(down), bool)
        makers = np.tile(news.makers, 3), np.repeat(np.arange(3), len(news.makers))
        for week in range(max(1, world.steps - 3), world.steps + 1):
            begins = news.begins(world, makers[1], makers[0], week)
            began[makers[1] * len(down) // 3 + makers[0]] |= begins == OUTAGE
        assert (down == began).all()


def test_no_outage_begins_before_it_could_be_told(run):
    world = world_of(BUSY)
    news = next(phase for phase in world.phases if phase.name == "read").news
    maker = np.tile(news.makers, 2)
    replica = np.repeat([0, 1], len(news.makers))
    assert not any(news.begins(world, replica, maker, week).any() for week in range(1, 7))


def test_sources_are_as_reliable_as_they_are(run):
    told = run.events("bulletins").query("said_kind > 0")
    found = told.groupby("source")["is_true"].agg(["mean", "count"])
    for source in run.scenario.bulletins.sources:
        error = np.sqrt(source.reliability * (1 - source.reliability) / found.loc[source.name, "count"])
        assert abs(found.loc[source.name, "mean"] - source.reliability) < 4 * error


def test_a_recall_destroys_a_share_of_the_stock():
    world = world_of({"bulletins.recall_chance": 1.0, "bulletins.outage_chance": 0.0, "bulletins.recall_share": 0.25})
    read = next(phase for phase in world.phases if phase.name == "read")
    world.steps = 7
    member, item = np.array([0, 0]), np.array([0, 0])
    account = world.ledger.rows(np.array([0, 1]), member)
    assert world.ledger.accounts["balance"][account, item + 1].tolist() == [240 * MILLION] * 2
    read.news.happen(world)
    assert world.ledger.accounts["balance"][account, item + 1].tolist() == [180 * MILLION] * 2
    assert world.ledger.faults() == {}


def test_a_text_names_its_firm_and_its_week_and_is_one_plain_line(run):
    told = run.events("bulletins")
    names = simulate.side("manufacturing").names(run.scenario)["member"]
    assert told["text"].nunique() > 300
    for row in told.itertuples():
        assert is_plain(row.text) and len(row.text) < 220 and row.text.startswith(f"{row.source}: ")
        assert names[row.about] in row.text and "{" not in row.text
        if row.said_kind and f"in week {row.said_week}" not in row.text:
            ahead = row.said_week - row.step
            assert headlines.when(row.said_week, row.step, 1) in row.text and ahead > 0


def test_every_form_of_words_can_come(run):
    """So many templates: all of them are used in some hundred bulletins."""
    text = " ".join(run.events("bulletins")["text"])
    for pool in (*headlines.CLAIMS.values(), *headlines.DENIALS.values(), headlines.IDLE):
        for form in pool:
            longest = max(form.replace("{", "}").split("}")[::2], key=len)
            assert longest in text, form


def test_words_by_hand():
    row = {"kind": 1, "about": 0, "item": 0, "week": 9, "is_denied": 1, "source": 0, "words": 0, "beside": 1}
    names, items = np.array(["mill_1", "mill_2"], object), np.array(["flour"], object)
    table = Table({name: np.array([value]) for name, value in row.items()})
    (text,) = headlines.write(table, names, items, ["press"], 7, 4)
    assert text == "press: mill_1 denies that it will stop production in week 9; mill_2 is not affected."
    table["is_denied"][:], table["words"][:] = 0, 8 * 8  # the next form of the week, without an opening
    (text,) = headlines.write(table, names, items, ["press"], 7, 4)
    assert text == "press: mill_1 will stop production in two weeks for four weeks; mill_2 is not affected."


# ---- reading --------------------------------------------------------------------------------------------------------


def asked(changes=BUSY, steps=8):
    return testing.questions(simulate.load_scenario(NAME, changes), steps=steps, phase="read")


def test_a_firm_reads_of_what_it_buys_and_the_right_firm_is_among_those_it_may_name():
    questions = asked()
    assert {question.role for question in questions} == {"manufacturer", "distributor"}
    for question in questions:
        assert (question.key["round"] < 3).all()
        for name, text, firms in zip(question["item_name"], question["text"], question["firm_name"], strict=True):
            assert (name == "pump") == (question.role == "distributor")
            named = [firm for firm in firms if firm and f"{firm}" in text]
            assert named, text
        assert (question["firm_name"] != "").sum(axis=1).min() >= 2


def test_no_column_of_the_question_gives_the_truth_away():
    """What a firm sees is the text, its source and the record; all else is the same whatever is true."""
    (question, *_) = asked()
    assert set(question.columns) == {"text", "source", "source_record", "item_name", "firm", "firm_name", "this_week"}
    assert (question.key["counterpart"] == -1).all()


def test_the_record_of_a_source_counts_only_what_can_be_known():
    world = world_of({**BUSY, "bulletins.outage_chance": 0.3}, steps=10)
    for _ in range(7):
        world.step()
        assert world.tables["sources"]["told"].sum() == 0  # the first event can be in week 7
    world.step()
    sources = world.tables["sources"]
    assert sources["told"].sum() > 0 and (sources["proved"] <= sources["told"]).all()


@pytest.mark.parametrize(
    ("text", "news", "kind", "week"),
    [
        ("registry: a strike begins at mill_1 in week 14 and is expected to last four weeks.", 1, 0, 14),
        ("press: We learn that mill_1 recalls its steel in three weeks.", 1, 1, -3),
        ("press: faulty steel: mill_1 will scrap part of its stock next week.", 1, 1, -1),
        ("press: mill_1 denies that it will stop production in week 9.", 0, 0, 9),
        ("press: mill_1 has a new chairman.", 0, 0, -1),
        # honest failures: "no" is no denial here, and an aside about another firm reads like one
        ("press: after a fire there will be no steel from mill_1 for four weeks, starting in week 9.", 0, 0, 9),
        ("press: mill_1 will stop production in week 9 for four weeks; mill_2 is not affected.", 0, 0, 9),
    ],
)
def test_the_keyword_reader_reads_and_is_fooled(text, news, kind, week):
    assert readers._read(text) == (news, kind, week)


def test_the_first_name_is_taken_whole():
    assert readers._first("press: mill_12 stops, unlike mill_1.", ("mill_1", "mill_12", "", "")) == 1
    assert readers._first("press: nobody is named.", ("", "mill_1", "", "")) == 1


def test_the_keyword_reader_is_good_and_not_perfect(run):
    right = run.kpis.query("metric == 'reading_accuracy'").groupby("group")["value"].mean()
    assert 0.75 < right["news"] < 0.97 and 0.5 < right["who"] < right["kind"] < 0.97
    deaf = ecosim.run(
        NAME, seeds=2, steps=20, changes=BUSY, minds={"distributor.read": "deaf", "manufacturer.read": "deaf"}
    )
    right = deaf.kpis.query("metric == 'reading_accuracy'").groupby("group")["value"].mean()
    assert right["kind"] == 0 and 0.2 < right["news"] < 0.8  # it is right about what is no news


def test_accuracy_is_that_of_the_events(run):
    """By hand from `readings` and the names of the figures."""
    rows = run.events("readings")
    claims = rows[(rows["said_kind"] > 0) & (rows["is_denied"] == 0)]
    by_hand = (claims["who"] == claims["about"]).groupby(claims["replica"]).mean()
    found = run.kpis.query("metric == 'reading_accuracy' and group == 'who'").set_index("replica")["value"]
    assert found.tolist() == pytest.approx(by_hand.tolist())
    registry = claims[claims["source"] == 0].groupby("replica")["believe"]
    found = run.kpis.query("metric == 'believed_share' and group == 'registry'").set_index("replica")["value"]
    assert found.tolist() == pytest.approx(registry.agg(lambda b: (b == 1).mean()).tolist())


def test_prompts_show_the_text_and_the_names(run):
    for question in asked():
        prompts = Prompts(catalog.card(question.role), "read").render(question.take(slice(0, 5)))
        for (_, own), text, name in zip(prompts, question["text"], question["firm_name"], strict=False):
            assert text in own and all(one in own for one in name if one)


# ---- what it is worth -----------------------------------------------------------------------------------------------


def test_a_belief_is_kept_until_its_weeks_are_over_and_weighs_by_the_makers_share():
    def alarmed(question):
        """Believes that the first firm that it may name stops in week 3, whatever it reads."""
        rows = question.num_rows
        first = question.masks["firm"].argmax(axis=1)
        ones = np.ones(rows, np.int64)
        week = np.maximum(question["this_week"], 3)
        return {"news": ones, "kind": 0 * ones, "who": first, "week": week, "believe": ones}

    minds = {"distributor.read": alarmed, "manufacturer.read": "deaf"}
    world = world_of({"bulletins.idle_chance": 1.0, "bulletins.outage_chance": 0.0}, minds=minds)
    world.step()
    beliefs = world.tables["beliefs"]
    assert beliefs.num_rows >= 6 and (beliefs["from_week"] == 3).all() and (beliefs["until_week"] == 6).all()
    assert (beliefs["lost"] == MILLION // 3).all()  # one of three makers
    asked = testing.questions(world.scenario, steps=1, phase="replenish", minds=minds)
    (question,) = [one for one in asked if one.role == "distributor"]
    feared = question["feared_weeks"]
    assert set(np.unique(feared % (4 * (MILLION // 3)))) == {0} and feared.max() > 0
    more = experts.heeding(question)["quantity"] - experts.order_up_to(question)["quantity"]
    assert (more > 0).any() and (more[feared == 0] == 0).all()


def test_the_wary_ask_sellers_without_trouble_if_there_are_any():
    question = testing.questions(NAME, steps=2, phase="quote")[-1]
    allowed = question.field("partner").allowed
    trouble = np.zeros(allowed.shape, np.int64)
    trouble[np.arange(len(allowed)), allowed.argmax(axis=1)] = 1
    told = replace(question, columns={**question.columns, "is_feared": trouble})
    picked = experts.wary(told)["partner"]
    assert allowed[np.arange(len(picked)), picked].all()
    assert (trouble[np.arange(len(picked)), picked] == 0)[allowed.sum(axis=1) > 1].all()
    plain = testing.questions("smart_manufacturing", steps=2, phase="quote")[-1]
    assert (experts.wary(plain)["partner"] == experts.any_partner(plain)["partner"]).all()


def test_arms_with_other_readers_meet_the_same_events_and_words():
    arms = {"deaf": {"distributor.read": "deaf", "manufacturer.read": "deaf"}, "heeding": HEEDING}
    run = ecosim.compare(NAME, arms, seeds=2, steps=14).run
    for table in ("bulletins", "demand"):
        rows = run.events(table)
        first, second = (rows[rows["replica"].isin(part)].drop(columns="replica") for part in ((0, 1), (2, 3)))
        assert len(first) > 5 and first.to_numpy().tolist() == second.to_numpy().tolist()
    orders = run.events("orders")
    assert orders[orders["replica"] < 2]["quantity"].tolist() != orders[orders["replica"] >= 2]["quantity"].tolist()


def test_heeding_true_news_serves_more_from_stock():
    """With one source that is always right, those who read and order ahead serve more; all else is equal."""
    sure = {"bulletins.sources": [{"name": "registry", "reliability": 1.0}], "bulletins.rumour_chance": 0.0}
    arms = {"deaf": {"distributor.read": "deaf", "manufacturer.read": "deaf", **HEEDING}, "heeding": HEEDING}
    table = ecosim.compare(NAME, arms, seeds=6, steps=32, changes={**sure, "bulletins.outage_chance": 0.04}).table
    row = table[(table["metric"] == "fill_rate") & (table["arm"] == "heeding")].iloc[0]
    assert row["low"] > 0


def test_a_market_with_bulletins_has_the_same_digest_alone_and_among_others_and_twice():
    facts = simulate.load_scenario(NAME, BUSY)
    one = testing.check_alone(facts, seeds=2, steps=9, minds=HEEDING)
    done = testing.run_digests(facts, seeds=2, steps=9, minds=HEEDING)
    assert done.manifest["digests"] == one and done.world.is_live.all()


def test_ask_writes_nothing():
    world = world_of(BUSY)
    phase = next(phase for phase in world.phases if phase.name == "read")
    for _ in range(3):
        testing.check_phase(phase, world)
        world.step()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"outage_chance": 0.6, "recall_chance": 0.5}, r"bulletins: outage_chance and recall_chance add up to 1\.1"),
        ({"outage_weeks": 0}, r"bulletins\.outage_weeks: input should be greater than or equal to 1, got 0"),
        ({"notice_weeks": 27}, r"bulletins\.notice_weeks: input should be less than or equal to 26, got 27"),
        ({"per_week": 9}, r"bulletins\.per_week: input should be less than or equal to 8, got 9"),
        ({"sources": []}, r"bulletins\.sources: list should have at least 1 item"),
        (
            {"sources": [{"name": "a", "reliability": 2}]},
            r"sources\[0\]\.reliability: input should be less than or equal to 1",
        ),
        ({"sources": [{"name": "a", "reliability": 1}] * 2}, r"bulletins: sources: two are called 'a'"),
        (
            {"sources": [{"name": "a\nb", "reliability": 1}]},
            r"bulletins: sources: a name is one plain line, got 'a\\nb'",
        ),
    ],
)
def test_bad_bulletins_are_one_clear_line(changes, fault):
    with pytest.raises(ScenarioError, match=fault):
        simulate.load_scenario("smart_manufacturing", {"bulletins": changes})


def test_codes_of_kinds_stand():
    assert KINDS[:7] == ("nothing", "outage", "recall", "late", "short", "more", "clause")
