"""Letters from partners, contracts and shocks as text: what is true of them, what is said, and how it is read."""

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.fields import is_plain
from ecosim.manufacturing import notices, readers
from ecosim.manufacturing.news import CLAUSE, KINDS, LATE, MORE, SHORT
from ecosim.minds.prompts import Prompts
from ecosim.opening import Arm
from ecosim.words import Table

NAME = "early_warning"
STRIKE = {"name": "strike", "kind": "closure", "whom": {"role": "supplier"}, "chance": 0.15, "weeks": 2}
DEAR = {"name": "dear steel", "kind": "cost_jump", "whom": {"item": "steel"}, "size": 1.5, "chance": 0.1}
ON = {
    "bulletins.letters": {"honesty": 0.8, "calm_chance": 0.2},
    "bulletins.clauses": True,
    "bulletins.shock_notice_weeks": 2,
    "shocks": [STRIKE, DEAR],
    "negotiation.max_rounds": 5,  # short talks: these tests are about words
}
STEPS = 12
ITEMS = ("steel", "resin", "pump")


@pytest.fixture(scope="module")
def run():
    return ecosim.run(NAME, seeds=2, steps=STEPS, changes=ON)


@pytest.fixture(scope="module")
def letters(run):
    return run.events("letters")


def of(letters, *kinds):
    return letters[letters["said_kind"].isin(kinds)]


# ---- what is true ---------------------------------------------------------------------------------------------------


def test_goods_that_a_true_letter_calls_late_do_not_come_in_time_and_others_do(run, letters):
    """Of each contract by its signature: what came by the week due, from `contracts` and `deliveries`."""
    key = ["replica", "buyer", "seller", "item"]
    deals = run.events("contracts").set_index([*key, "due_week"]).sort_index()
    came = run.events("deliveries").query("late == 0").groupby([*key, "signed_week"])["quantity"].sum()
    told = of(letters, LATE, SHORT).query("step < @STEPS - 1")
    assert set(told["is_true"]) == {0, 1} == set(told["is_denied"])
    seen = 0
    for row in told.itertuples():
        parties = (row.replica, row.member, row.about, row.item)
        if (*parties, row.due_week) in deals.index:  # else an order from before week 1
            found = deals.loc[[(*parties, row.due_week)]]
            if len(found) == 1:
                in_time = came.get((*parties, found["step"].iloc[0]), 0) == found["quantity"].iloc[0]
                assert in_time == (row.is_true == row.is_denied)
                seen += 1
    assert seen > 20


def test_weeks_by_hand():
    """Asks for more where demand rose by half; partners get a record; who is believed to be late is feared."""
    world = simulate.prepare(simulate.load_scenario(NAME, ON).with_changes(seeds=1, steps=8), [Arm(name="all")])[0]
    mail = next(phase for phase in world.phases if phase.name == "read").mail
    num, lost = 0, []
    for _ in range(8):
        world.step()
        lost += world.tables["beliefs"]["lost"].tolist()
        world.steps += 1  # what would be written next week
        letters = mail.of(world)
        letters = letters.take(letters["kind"] == MORE)
        net, positions = mail.net, world.tables["positions"]
        rows = net.position_row(letters["replica"], letters["about"], net.sells[letters["about"]])
        asked = positions["history"][rows]
        rose = asked[:, 0] > 1.5 * (asked[:, 1:].sum(axis=1) // 7)
        assert (rose == (letters["is_denied"] != letters["is_true"])).all()
        assert (letters["quantity"] % MILLION == 0).all() and (letters["quantity"] > 0).all()
        num += len(rose)
        world.steps -= 1
    assert num > 6 and 0 in lost
    told, proved = (world.tables["sources"][name][3] for name in ("told", "proved"))
    assert told > 10 and proved / told == pytest.approx(0.8, abs=0.25)
    assert (world.tables["pending_letters"]["week"] > 8).all()


def test_a_clause_says_what_was_signed_last_week(run, letters):
    clauses = of(letters, CLAUSE)
    assert len(clauses) > 50 and clauses["is_true"].all() and not clauses["is_denied"].any()
    signed = run.events("contracts").set_index(["replica", "step", "buyer", "seller", "item"]).sort_index()
    for row in clauses.head(30).itertuples():
        if row.step == 1:
            continue
        deal = signed.loc[(row.replica, row.step - 1, row.member, row.about, row.item)]
        assert (deal["price"], deal["quantity"], deal["due_week"]) == (row.price, row.quantity, row.said_week)
        for said in (f"{row.price:.2f} EUR", f"{row.quantity:.0f} {ITEMS[row.item]}", "2 %"):
            assert said in row.text


def test_shocks_are_told_two_weeks_before_as_reliably_as_their_source_is():
    sure = {"bulletins.sources": [{"name": "registry", "reliability": 1.0}], "bulletins.rumour_chance": 0.3}
    only = {"phases": ["shock", "read"], "shocks": [STRIKE], "bulletins.letters": None, "bulletins.clauses": False}
    run = ecosim.run(NAME, seeds=2, steps=12, changes={**ON, **sure, **only})
    told = run.events("bulletins").query("said_kind == 8 and is_denied == 0")
    began = set(run.events("shocks")[["replica", "step"]].itertuples(index=False, name=None))
    said = set(told[["replica", "said_week"]].itertuples(index=False, name=None))
    assert {deal for deal in began if deal[1] > 2} == {deal for deal in said if deal[1] <= 12}
    denied = run.events("bulletins").query("said_kind == 8 and is_denied == 1")
    assert len(denied) > 3 and denied["is_true"].all()
    assert began.isdisjoint(set(denied[["replica", "said_week"]].itertuples(index=False, name=None)))


def test_bulletins_stay_exogenous_and_letters_do_not():
    others = {"distributor.replenish": "heeding", "distributor.read": "deaf"}
    first, second = (
        ecosim.run(NAME, seeds=1, steps=6, changes=ON, minds=minds).events("bulletins") for minds in ({}, others)
    )
    assert len(first) > 3 and first.to_numpy().tolist() == second.to_numpy().tolist()
    schemas = simulate.side("manufacturing").schemas
    assert schemas["bulletins"].is_exogenous and not schemas["letters"].is_exogenous and schemas["letters"].is_rare


# ---- words ----------------------------------------------------------------------------------------------------------


def test_letters_are_one_plain_line_with_their_firm(run, letters):
    names = simulate.side("manufacturing").names(run.scenario)["member"]
    for row in letters.itertuples():
        assert is_plain(row.text) and row.text.startswith(f"{row.source}: ") and "{" not in row.text
        assert len(row.text) < 240 and (names[row.about] in row.text)


def test_a_letter_by_hand():
    row = {"kind": SHORT, "about": 0, "item": 0, "week": 9, "is_denied": 0, "source": 0, "words": 0, "beside": 1}
    row |= {"quantity": 12 * MILLION, "due_week": 8, "signed_week": 5, "price": 0, "penalty": 0}
    names, items = np.array(["mill_1", "mill_2"], object), np.array(["flour"], object)
    table = Table({name: np.array([value]) for name, value in row.items()})
    (text,) = notices.of_mail(table, names, items, ["partners"], 8)
    assert text == (
        "partners: mill_1 has sent a part of your flour; 12 are missing and may come in week 9; mill_2 is not affected."
    )


# ---- reading --------------------------------------------------------------------------------------------------------


def asked(steps=4):
    return testing.questions(simulate.load_scenario(NAME, ON), steps=steps, phase="read")


def test_all_firms_read_and_letters_come_before_bulletins():
    questions = asked()
    assert {question.role for question in questions} == {"supplier", "manufacturer", "distributor"}
    for question in questions:
        assert (question.key["round"] < 3).all() and question.field("kind").options == KINDS[1:]
        assert (question.field("kind").allowed.sum(axis=1) == 2 + 4 + 2).all()
        is_mail = np.isin(question["source"].astype(str), ("partners", "contracts"))
        if question.role == "supplier":
            assert is_mail.all()
        key = question.key
        who = key["replica"] * 1000 + key["subject"] * 10 + key["item"]
        later = (who[1:] == who[:-1]) & is_mail[1:]
        assert is_mail[:-1][later].all()


def test_prompts_show_letters_to_each_role():
    for question in asked(3):
        prompts = Prompts(catalog.card(question.role), "read").render(question.take(slice(0, 3)))
        for (shared, own), text in zip(prompts, question["text"], strict=False):
            assert text in own and "partners: " in shared


@pytest.mark.parametrize(
    ("text", "news", "kind", "week"),
    [
        ("partners: mill_1 cannot send your 9 flour in time; they may come in week 9.", 1, "late", 9),
        ("partners: mill_1 denies that your flour are delayed.", 0, "late", -1),
        ("partners: mill_1 has sent a part of your flour; 4 are missing and may come in two weeks.", 1, "short", -2),
        ("partners: mill_1 asks for 9 flour more than agreed, if they can be there in week 4.", 1, "more", 4),
        ("contracts: the seller, mill_1, owes 9 flour in week 8; if they are not there, it pays 2 %", 1, "clause", 8),
        ("press: a blockade of mill_1 begins next week and is to last two weeks.", 1, "closure", -1),
        ("press: mill_1 recalls its flour in week 8.", 1, "recall", 8),
        # fooled: the week of the signature stands first, and an aside reads like a denial
        ("contracts: signed in week 3: 40 flour at 2.00 EUR each from mill_1, due in week 8; the", 1, "clause", 3),
        ("partners: mill_1 is behind with the 9 flour; mill_2 is not affected.", 0, "late", -1),
    ],
)
def test_the_keyword_reader_tells_kinds_apart_and_is_fooled(text, news, kind, week):
    assert readers._read(text, KINDS[1:]) == (news, KINDS.index(kind) - 1, week)


def test_accuracy_by_kind_is_that_of_the_events(run):
    rows = run.events("readings")
    claims = rows[(rows["said_kind"] > 0) & (rows["is_denied"] == 0)]
    right = (claims["kind"] == claims["said_kind"]).groupby([claims["replica"], claims["said_kind"]]).mean()
    kpis = run.kpis.query("metric == 'kind_accuracy'").set_index(["replica", "group"])["value"]
    for (replica, kind), share in right.items():
        assert kpis[replica, KINDS[kind]] == pytest.approx(share)
    assert {"late", "more", "clause"} <= {KINDS[kind] for _, kind in right.index}
    assert "surge" not in kpis.index.get_level_values("group")  # none in this scenario


# ---- laws -----------------------------------------------------------------------------------------------------------


def test_letters_keep_the_laws():
    facts = simulate.load_scenario(NAME, ON)
    testing.check_alone(facts, seeds=2, steps=4)
    world = simulate.prepare(facts.with_changes(seeds=2, steps=4), [Arm(name="all")])[0]
    phase = next(phase for phase in world.phases if phase.name == "read")
    for _ in range(2):
        world.step()
    testing.check_phase(phase, world)


def test_fixed_partners_write_too():
    phases = ["arrive", "read", "demand", "replenish", "order", "produce", "ship", "charge"]
    news = {"letters": {}, "clauses": True, "outage_chance": 0.0}
    run = ecosim.run("beer_game", seeds=1, steps=12, changes={"bulletins": news, "phases": phases})
    assert {LATE, CLAUSE} & set(run.events("letters")["said_kind"])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"letters": {"honesty": 2}}, r"letters\.honesty: input should be less than or equal to 1, got 2"),
        ({"letters": {"more_share": 0}}, r"letters\.more_share: input should be greater than 0, got 0"),
        ({"shock_notice_weeks": 27}, r"shock_notice_weeks: input should be less than or equal to 26, got 27"),
        (
            {"letters": {}, "sources": [{"name": "partners", "reliability": 1}]},
            r"bulletins: sources: two are called 'partners'",
        ),
    ],
)
def test_bad_letters_are_one_clear_line(changes, fault):
    with pytest.raises(ScenarioError, match=fault):
        simulate.load_scenario("smart_manufacturing", {"bulletins": changes})
