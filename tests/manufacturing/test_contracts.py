"""Contracts are concluded, signed and kept, or broken at a price; goods perish, and the outside world signs too."""

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing.perform import REFUSES
from ecosim.manufacturing.register import BREACHED, EXECUTED, MONEY, NULLIFIED, PRODUCT, REFUSAL, nullify
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.spot import Prices
from ecosim.minds.prompts import Prompts
from ecosim.record.store import Memory
from ecosim.scenario import build
from ecosim.simulate import Arm
from ecosim.validate import contracts as cases

BUYER, SELLER = 0, 1
WEEK = ["replenish", "order", "perform", "ship", "arrive", "breach"]


def pair(**changes):
    """A buyer that orders 10 units in week 1 at 5 EUR, and a seller that has 10 and makes none; goods come at once."""
    facts = {
        "world": "manufacturing",
        "title": "two firms",
        "steps": 1,
        "items": {"good": {"make_cost_eur": 2, "value_eur": 8}},
        "firms": [
            {"name": "buyer", "role": "distributor", "sells": "good", "partner": "seller", "demand": "consumers",
             "cash_eur": changes.pop("cash", 1000)},
            {"name": "seller", "role": "supplier", "sells": "good", "capacity_units": 1,
             "stock_units": {"good": changes.pop("stock", 10)}},
        ],
        "demand": {"kind": "step", "mean_units": 0},
        "terms": {"good": {"price_eur": 5}},
        "contracts": {"grace_weeks": 0, "penalty_share": 0.5, **changes.pop("contracts", {})},
        "lead_time_weeks": 0,
        "phases": WEEK,
        **changes,
    }  # fmt: skip
    return build(ManufacturingScenario, facts, place="test")


def ten_once(question):
    """Ten units in week 1."""
    return {"quantity": np.full(question.num_rows, 10 * MILLION * (question.step == 1))}


def nothing(question):
    """No order."""
    return {"quantity": np.zeros(question.num_rows, np.int64)}


MINDS = {"distributor.replenish": ten_once, "supplier.replenish": nothing}


def trade(minds=None, **changes):
    return ecosim.run(pair(**changes), minds={**MINDS, **(minds or {})})


def end_of(run):
    """The one contract's end; goods in units, money in EUR."""
    (row,) = run.events("contract_ends").to_dict("records")
    return row


def cash(run):
    """What buyer and seller have earned, EUR, by member."""
    accounts = run.world(0).tables["accounts"]
    kept = accounts["balance"][:2, 0] / MILLION
    return kept - [1000, 0]


# ---- how contracts end ----------------------------------------------------------------------------------------------


def test_a_contract_that_is_kept_is_executed():
    run = trade()
    assert end_of(run).items() >= {"fate": EXECUTED, "delivered": 10, "level": 0, "penalty": 0, "late": 0}.items()
    assert cash(run).tolist() == [-50, 50]


def test_what_is_not_sent_in_time_is_a_breach_of_product_and_costs_its_share():
    """6 of 10 at 5 EUR: level .4, penalty half of 20 EUR."""
    run = trade(stock=6)
    found = {"fate": BREACHED, "kind": PRODUCT, "delivered": 6, "level": 0.4, "penalty": 10}
    assert end_of(run).items() >= found.items()
    assert cash(run).tolist() == [-30 + 10, 30 - 10]


def test_a_cure_is_bought_at_the_spot_market_and_paid_as_agreed():
    """A unit costs at least what any buyer would pay: 8 EUR and a tenth; 4 of them, and no penalty is left."""
    run = trade(stock=6, contracts={"cure": True}, spot={"markup_share": 0.1})
    found = {"fate": BREACHED, "delivered": 10, "level": 0.4, "cured": 4, "cure_cost": 35.2, "penalty": 0}
    assert end_of(run).items() >= found.items()
    assert cash(run).round(6).tolist() == [-50, 14.8]
    assert run.events("spot")["price"].tolist() == [8.8]


def test_a_buyer_gets_what_it_can_pay_and_the_rest_goes_back():
    """20 EUR buy 4 units; nothing is left for the penalty. The seller has its 6 units again."""
    run = trade(cash=20)
    found = {"fate": BREACHED, "kind": MONEY, "delivered": 4, "level": 0.6, "penalty": 0}
    assert end_of(run).items() >= found.items()
    assert run.world(0).tables["accounts"]["balance"][:2].tolist() == [[0, 4 * MILLION], [20 * MILLION, 6 * MILLION]]


def test_the_penalty_of_a_buyer_is_what_it_has_left():
    """23 EUR buy 4 units; of half of 30 EUR it pays the 3 that are left."""
    assert end_of(trade(cash=23))["penalty"] == 3


def test_on_credit_everything_is_handed_over():
    run = trade(cash=20, contracts={"cash_on_delivery": False})
    assert end_of(run)["fate"] == EXECUTED
    assert run.world(0).tables["accounts"]["balance"][BUYER, 0] == -30 * MILLION


def test_who_refuses_to_perform_keeps_the_goods_and_pays():
    refuse = {"supplier.perform": lambda question: {"act": np.full(question.num_rows, REFUSES)}}
    run = trade(refuse, contracts={"refusal": True})
    assert end_of(run).items() >= {"fate": BREACHED, "kind": REFUSAL, "delivered": 0, "level": 1, "penalty": 25}.items()
    assert run.world(0).tables["accounts"]["balance"][SELLER].tolist() == [-25 * MILLION, 10 * MILLION]


@pytest.mark.parametrize(("share", "fate"), [(0.5, EXECUTED), (0.3, BREACHED)])
def test_breach_is_efficient_where_the_market_pays_more_than_the_penalty(share, fate):
    """Catalogue price 7, contract 5: refusing 10 units gains 20; it costs 25, or 15."""
    item = {"good": {"make_cost_eur": 2, "value_eur": 8, "catalogue_price_eur": 7}}
    law = {"refusal": True, "penalty_share": share}
    assert end_of(trade({"supplier.perform": "efficient"}, items=item, contracts=law))["fate"] == fate


def test_grace_is_waited_for_and_late_goods_execute_the_contract():
    """Due in week 1, four units are made in week 2 and sent within the week of grace."""
    makes_four = {"supplier.replenish": lambda question: {"quantity": np.full(1, 4 * MILLION * (question.step == 2))}}
    firms = pair(stock=6).model_dump()["firms"]
    firms[1]["capacity_units"] = 9
    phases = ["replenish", "order", "produce", "perform", "ship", "arrive", "breach"]
    late = trade(makes_four, steps=2, phases=phases, firms=firms, contracts={"grace_weeks": 1})
    assert end_of(late).items() >= {"step": 2, "fate": EXECUTED, "delivered": 10, "late": 1}.items()
    assert (
        end_of(trade(makes_four, steps=2, phases=phases, firms=firms)).items() >= {"step": 1, "fate": BREACHED}.items()
    )


def test_contracts_of_a_bankrupt_firm_are_void_and_what_is_on_its_way_still_comes():
    """6 of 10 were sent before the buyer failed."""
    facts = pair(
        stock=6,
        steps=3,
        lead_time_weeks=1,
        contracts={"grace_weeks": 2},
        phases=["arrive", *WEEK[:-3], "ship", "breach"],
    )
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=MINDS)])
    world.step()
    assert recorder.close_step(1)["contract_ends"].num_rows == 0
    net = world.phases[0].net
    assert nullify(world, net, np.array([True, False]))["contract_ends"].num_rows == 0
    assert world.tables["contracts"].num_rows == 0 and world.tables["positions"]["on_order"].tolist() == [
        6 * MILLION,
        0,
    ]
    world.step()
    (end,) = (recorder.close_step(2)["contract_ends"].take(slice(None)),)
    assert (end["fate"].tolist(), end["delivered"].tolist(), end["level"].tolist()) == (
        [NULLIFIED],
        [6 * MILLION],
        [0.0],
    )
    assert world.is_live.all()


def test_without_a_register_contracts_of_a_bankrupt_firm_are_just_gone():
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=1, steps=3)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    for _ in range(3):
        world.step()
    members = np.arange(20) >= 14  # the distributors
    assert nullify(world, world.phases[0].net, members) == {}
    assert not np.isin(world.tables["contracts"]["buyer"], np.flatnonzero(members)).any()


# ---- signing --------------------------------------------------------------------------------------------------------


def test_a_firm_that_cannot_pay_does_not_sign_and_the_contract_is_cancelled():
    """Distributors without cash, whose consumers pay nothing."""
    run = ecosim.run("broken_promises", seeds=1, steps=1, changes={"firms.2.cash_eur": 0.0, "demand.price_eur": 0.0})
    agreed, signed = (run.events(name, names=True) for name in ("talks", "contracts"))
    poor = agreed[(agreed["outcome"] == "agreed") & agreed["buyer"].str.startswith("distributor")]
    assert len(poor) > 0 and not signed["buyer"].str.startswith("distributor").any()
    ends = run.events("contract_ends", names=True)
    assert (ends["fate"] == "cancelled").sum() >= len(poor)


def test_who_signs_everything_signs_what_was_agreed():
    minds = dict.fromkeys(("supplier.sign", "manufacturer.sign", "distributor.sign"), "all_of_it")
    run = ecosim.run("broken_promises", seeds=2, steps=8, minds=minds)
    agreed = (run.events("talks", names=True)["outcome"] == "agreed").sum()
    assert agreed == len(run.events("contracts")) > 50
    assert not (run.events("contract_ends", names=True)["fate"] == "cancelled").any()


# ---- the spot market ------------------------------------------------------------------------------------------------


def test_the_spot_market_is_worse_than_anything_that_two_firms_could_agree_on():
    """Even without a mark-up: no limit of a buyer is above the spot price, no limit of a seller below it."""
    changes = {"spot.markup_share": 0.0, "spot.markdown_share": 0.0, "negotiation.private_spread": 0.3}
    run = ecosim.run("broken_promises", seeds=3, steps=10, changes=changes)
    prices, talks = Prices(run.scenario, run.world(0).phases[0].net), run.events("talks")
    dear, cheap = (side(run.world(0))[0] / MILLION for side in (prices.to_buy, prices.to_sell))
    assert len(talks) > 300
    assert (talks["buyer_limit"] <= dear[talks["item"]]).all() and (talks["seller_limit"] >= cheap[talks["item"]]).all()
    deals = run.events("contracts")
    assert (deals["price"] <= dear[deals["item"]]).all() and (deals["price"] >= cheap[deals["item"]]).all()


def test_surplus_is_sold_and_open_needs_are_bought():
    run = ecosim.run("broken_promises", seeds=2, steps=20, changes={"spot.sell_above_weeks": 1})
    spot = run.events("spot", names=True)
    assert {"need", "surplus"} <= set(spot["why"])
    assert (spot["quantity"] % 1 == 0).all()
    bought, sold = (spot[spot["why"] == why].groupby("item")["price"].first() for why in ("need", "surplus"))
    assert (bought.reindex(sold.index) > sold).all()


# ---- terms and goods that perish ------------------------------------------------------------------------------------


def test_terms_are_settled_as_goods_are_sold_and_returned():
    """50 made at 2, bought at 4; 30 sold at 10, a quarter of it for the seller; 20 returned at 3."""
    run = cases.newsstand(
        {"price_eur": 4, "buyback_eur": 3, "revenue_share": 0.25}, 50, steps=1,
        demand={"kind": "step", "step_units": 30, "mean_units": 30, "price_eur": 10},
    )  # fmt: skip
    mine, theirs = (cases.weekly_profit(run, role)[0] for role in cases.ROLES)
    assert (mine, theirs) == (300 - 75 - 200 + 60, 75 + 200 - 60 - 100)
    assert run.events("settlements", names=True)["why"].tolist() == ["revenue share", "buyback"]
    assert run.events("perished")["quantity"].tolist() == [20]


def test_partners_are_found_however_firms_and_their_parts_stand_in_the_file():
    """A maker with two parts stands first, so that no firm's number is its position's."""
    parts = {"iron": {}, "glue": {}}
    firms = [
        {"name": "works", "role": "manufacturer", "sells": "good", "capacity_units": 9, "partner": "mine",
         "stock_units": {"good": 10}},
        {"name": "shop", "role": "distributor", "sells": "good", "partner": "works", "demand": "consumers",
         "stock_units": {"good": 4}},
        {"name": "mine", "role": "supplier", "sells": "iron", "capacity_units": 1},
        {"name": "plant", "role": "supplier", "sells": "glue", "capacity_units": 1},
    ]  # fmt: skip
    firms[0] |= {"partner": None, "partners": {"iron": "mine", "glue": "plant"}}
    scenario = pair(
        items={"good": {"bom": {"iron": 1, "glue": 1}, "value_eur": 8}, **parts}, firms=firms, contracts={},
        demand={"kind": "step", "mean_units": 3, "step_units": 3, "price_eur": 10},
        terms={"good": {"price_eur": 4, "buyback_eur": 3, "revenue_share": 0.25}},
        perish={"items": ["good"]}, phases=["demand", "replenish", "order", "breach", "perish"],
    )  # fmt: skip
    run = ecosim.run(scenario)
    paid = run.events("settlements", names=True)
    assert paid[["why", "buyer", "seller"]].to_numpy().tolist() == [
        ["revenue share", "shop", "works"],
        ["buyback", "shop", "works"],
    ]


def test_demand_for_what_perishes_is_lost_and_not_owed():
    run = cases.newsstand({"price_eur": 4}, 50, steps=2, demand={"kind": "step", "step_units": 70, "mean_units": 9})
    assert run.events("perished")["lost"].tolist() == [20] * 2
    assert run.events("sales")["sold"].tolist() == [50] * 2


@pytest.mark.parametrize("name", cases.CONTRACTS)
def test_each_supply_contract_earns_what_theory_says(name):
    assert [figure.name for figure in cases.supply_contract(name, seeds=200, weeks=5) if not figure.is_met] == []


# ---- the outside world ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bought", "sold", "earns"), cases.ONE_SHOT)
def test_a_one_shot_factory_earns_what_the_league_says(bought, sold, earns):
    assert cases.weekly_profit(cases.factory(bought, sold), "manufacturer")[0] == earns


def test_a_one_shot_factory_with_other_numbers():
    """9 of 12 bought at 4 are made at 1, 9 of 11 promised sold at 9; 3 · .2 · 5 and 2 · .6 · 8 are paid."""
    other = {"input_price_eur": 5, "output_price_eur": 8, "cost_eur": 1, "lines": 9}
    run = cases.factory((12, 4), (11, 9), **other, disposal_share=0.2, shortfall_share=0.6)
    assert cases.weekly_profit(run, "manufacturer")[0] == pytest.approx(81 - 48 - 9 - 3 - 9.6)


def test_the_dearest_promise_is_kept_first():
    facts = cases.factory((6, 10), (5, 15)).scenario.model_dump(exclude_unset=True)
    sale = facts["exogenous"]["sales"][0]
    facts["exogenous"]["sales"] = [{**sale, "price_eur": 11}, {**sale, "price_eur": 13}, {**sale, "units": 1}]
    run = ecosim.run(
        build(ManufacturingScenario, facts, place="test"), minds={"manufacturer.replenish": "make_to_order"}
    )
    sales = run.events("fulfilled", names=True).query("which == 'sale'")
    assert sales["delivered"].tolist() == [0, 5, 1]


def test_exogenous_contracts_lie_in_their_ranges_and_in_their_week():
    deal = {"firms": "distributor", "item": "pump", "units": 3, "units_to": 6, "price_eur": 40.0, "price_to_eur": 41.0}
    sales = [deal, {**deal, "week": 2}]
    run = ecosim.run("broken_promises", seeds=20, steps=3, changes={"exogenous": {"sales": sales}})
    drawn = run.events("exogenous")
    assert sorted(drawn["quantity"].unique()) == [3, 4, 5, 6]
    assert drawn["price"].between(40, 41).all() and drawn["price"].nunique() > 50
    assert drawn[drawn["number"] == 1]["step"].unique().tolist() == [2]


def test_a_one_shot_market_leaves_nothing_over_at_the_end_of_the_week():
    """Makers get their input from nature and sell to shops, which have promised to consumers; nothing keeps."""
    facts = {
        "world": "manufacturing",
        "title": "one shot",
        "steps": 5,
        "seeds": 2,
        "items": {
            "ore": {"catalogue_price_eur": 10},
            "steel": {"bom": {"ore": 1}, "make_cost_eur": 2, "value_eur": 30},
        },
        "firms": [
            {"name": "maker", "role": "manufacturer", "sells": "steel", "count": 3, "capacity_units": 10},
            {"name": "shop", "role": "distributor", "sells": "steel", "count": 3, "cash_eur": 5000},
        ],
        "demand": {"kind": "step", "mean_units": 0},
        "first_forecast_units": {"steel": 3},
        "negotiation": {"late_weeks": 0},
        "exogenous": {
            "supplies": [
                {"firms": "maker", "item": "ore", "units": 5, "units_to": 12, "price_eur": 9, "price_to_eur": 11}
            ],
            "sales": [{"firms": "shop", "item": "steel", "units": 5, "units_to": 12, "price_eur": 28}],
            "shortfall_share": 0.5,
        },
        "contracts": {"grace_weeks": 0, "penalty_share": 0.2},
        "perish": {"items": ["ore", "steel"], "disposal_share": 0.1},
        "lead_time_weeks": 0,
        "phases": [
            "receive",
            "replenish",
            "quote",
            "negotiate",
            "produce",
            "ship",
            "arrive",
            "fulfil",
            "breach",
            "perish",
        ],
    }
    run = ecosim.run(
        build(ManufacturingScenario, facts, place="test"), minds={"distributor.replenish": "make_to_order"}
    )
    signed, ends = run.events("contracts"), run.events("contract_ends")
    assert len(signed) == len(ends) > 10 and (ends["step"] == ends["signed_week"]).all()
    assert ends["level"].between(0, 1).all() and run.events("fulfilled").query("which == 1")["delivered"].sum() > 30
    goods = run.world(1).tables["accounts"]["balance"][:6, 1:]
    assert (goods == 0).all() and run.world(1).tables["register"].num_rows == 0


# ---- laws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["broken_promises", "contract_types"])
def test_a_run_is_the_same_twice_and_alone(name):
    assert len(set(testing.check_alone(name, seeds=3, steps=6))) == 3
    again = [testing.run_digests(name, seeds=2, steps=6).manifest["digests"] for _ in range(2)]
    assert again[0] == again[1]


def test_arms_with_other_minds_meet_the_same_outside_world():
    facts = simulate.load_scenario("broken_promises").with_changes(seeds=2, steps=8)
    arms = [
        Arm(name="usual"),
        Arm(name="sly", minds={"supplier.perform": "efficient", "distributor.sign": "all_of_it"}),
    ]
    done = simulate.simulate(facts, arms, Memory()).manifest
    assert done["exogenous_digests"][:2] == done["exogenous_digests"][2:]
    assert not set(done["digests"][:2]) & set(done["digests"][2:])


def test_phases_write_the_events_that_they_say():
    changes = {"spot.sell_above_weeks": 1}
    facts = simulate.load_scenario("broken_promises", changes).with_changes(seeds=2, steps=8)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    written = {phase.name: set() for phase in world.phases}
    world.record = lambda phase, events: written[phase].update(events)
    for _ in range(8):
        world.step()
    assert written == {phase.name: set(phase.writes) for phase in world.phases}


@pytest.mark.parametrize(
    ("phase", "says"),
    [("sign", "You buy for 769.00 in all. You can pay 2500.00."), ("perform", "refusing costs 87.30.")],
)
def test_a_language_mind_is_shown_the_contract(phase, says):
    asked = testing.questions("broken_promises", seeds=1, steps=1, phase=phase)
    prompts = [own for q in asked for _, own in Prompts(catalog.card(q.role), phase).render(q)]
    assert len(asked) >= 2 and any(prompt.endswith(says) for prompt in prompts)


# ---- faults ---------------------------------------------------------------------------------------------------------

PAIR = {"contracts": None, "terms": None, "phases": ["replenish", "order", "ship", "arrive"]}
OUTSIDE = {"firms": "seller", "item": "good", "units": 1, "price_eur": 1}
BOTH_ENDS = ["receive", "fulfil"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contracts": {"cure": True}}, r"contracts\.cure: what is missing is bought at the spot market; add the key"),
        ({"contracts": {"signing": True}}, r"contracts\.signing: only what a talk concludes is signed"),
        ({"contracts": {"refusal": True}, "phases": ["order", "breach"]},
         r"contracts\.refusal: needs the phase 'perform'"),
        ({"contracts": {}, "phases": ["order"]}, "without the phase 'breach' no contract ever ends"),
        ({"contracts": {"penalty_share": 1.5}}, r"penalty_share: .*1\.5"),
        ({"contracts": {"grace_weeks": -1}}, "grace_weeks"),
        ({"spot": {"cover_share": 0.5}}, r"spot\.cover_share: covers what negotiations have left open"),
        ({"spot": {"sell_above_weeks": 2}}, "firms buy and sell there in the phase 'spot'; add it"),
        ({"spot": {"markdown_share": 1.2}}, "markdown_share"),
        ({"terms": {"good": {"price_eur": 5, "buyback_eur": 6}}}, r"buyback_eur \(6\) must not be above price_eur"),
        ({"terms": {"good": {"price_eur": 5, "buyback_eur": 3}}}, "'good' keeps, so that nothing is ever returned"),
        ({"terms": {"goods": {"price_eur": 5}}}, r"terms\.goods: unknown item 'goods'; known: good"),
        ({"terms": {"good": {"price_eur": 5}}, "phases": ["ship"]}, "terms: hold between fixed partners; add"),
        ({"perish": {"items": ["gold"]}, "phases": ["order", "perish"]}, r"perish\.items: unknown item 'gold'"),
        ({"perish": {"items": ["good"]}}, "goods perish in the phase 'perish'; add it"),
        ({"perish": {"items": []}}, "items"),
        ({"exogenous": {}}, "has neither supplies nor sales"),
        ({"exogenous": {"sales": [OUTSIDE]}}, "exogenous: needs the phase 'receive'; add it to phases"),
        ({"exogenous": {"sales": [{**OUTSIDE, "week": 9}]}, "phases": ["order", *BOTH_ENDS]},
         r"exogenous\.sales\[0\]\.week: 9 is after the last week, 1"),
        ({"exogenous": {"sales": [{**OUTSIDE, "firms": "bank"}]}, "phases": ["order", *BOTH_ENDS]},
         r"exogenous\.sales\[0\]\.firms: unknown group 'bank'; known: buyer, seller"),
        ({"exogenous": {"supplies": [{**OUTSIDE, "item": "ore"}]}, "phases": ["order", *BOTH_ENDS]},
         r"exogenous\.supplies\[0\]\.item: unknown item 'ore'; known: good"),
        ({"exogenous": {"sales": [{**OUTSIDE, "units_to": 0}]}}, r"units_to \(0\) must not be below units \(1\)"),
        ({"exogenous": {"sales": [{**OUTSIDE, "price_to_eur": 0.5}]}}, r"price_to_eur \(0\.5\) must not be below"),
        ({"demand": {"kind": "uniform", "mean_units": 5, "spread_units": 6}}, "nobody wants less than nothing"),
        ({"demand": {"kind": "step", "mean_units": 6, "spread_units": 6}}, "spread_units: only for kind: uniform"),
        ({"phases": ["order", "breach"]}, "'breach' does nothing without the key 'contracts'"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_told_in_one_line(changes, message):
    facts = {name: value for name, value in pair().model_dump(exclude_unset=True).items() if name not in PAIR}
    changed = {**facts, "phases": PAIR["phases"], **changes}
    if "contracts" in changes and "phases" not in changes:
        changed["phases"] = [*PAIR["phases"], "breach"]
    with pytest.raises(ScenarioError, match=message) as caught:
        build(ManufacturingScenario, changed, place="test")
    assert all(len(line) < 250 for line in str(caught.value).splitlines())
