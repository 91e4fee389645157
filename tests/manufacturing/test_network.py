"""Networks with fixed partners: who buys what from whom, on what terms, and what becomes of what cannot be met."""

import networkx as nx
import numpy as np
import pytest

import ecosim
from ecosim import simulate
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing import graph
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import layout
from ecosim.record.store import Memory
from ecosim.rules.allocate import in_proportion
from ecosim.scenario import build
from ecosim.simulate import Arm
from ecosim.validate.minds import anything_legal

WEEK = ["arrive", "demand", "replenish", "order", "produce", "ship", "charge"]


def shop(**more):
    return {"name": "shop", "role": "distributor", "sells": "good", "partner": "mill", "demand": "consumers", **more}


def mill(**more):
    return {"name": "mill", "role": "supplier", "sells": "good", "capacity_units": 100, **more}


def market(firms=None, **more):
    data = {
        "world": "manufacturing", "title": "a network", "steps": 6, "items": {"good": {}},
        "firms": firms or [shop(), mill()], "demand": {"kind": "constant", "mean_units": 10.0}, "phases": WEEK,
    }  # fmt: skip
    return build(ManufacturingScenario, {**data, **more}, place="test")


def orders_of(units):
    """Every buyer orders so much a week; makers start so much."""
    return lambda question: {"quantity": np.full(question.num_rows, units * MILLION)}


def bicycles():
    """Two parts, two wheels in a bicycle, one plant that also sells at the gate, two shops at other distances."""
    network = nx.DiGraph(items={"bike": {"holding_cost_eur": 1.0, "backlog_cost_eur": 5.0}})
    network.add_node("wheels", sells="wheel", capacity_units=400, stock_units={"wheel": 100})
    network.add_node("frames", sells="frame", capacity_units=200, stock_units={"frame": 60})
    stock = {"bike": 40, "wheel": 100, "frame": 50}
    network.add_node("plant", sells="bike", capacity_units=100, make_weeks=1, stock_units=stock, demand="consumers")
    network.add_node("east", sells="bike", stock_units={"bike": 20})
    network.add_node("west", sells="bike", stock_units={"bike": 20})
    network.add_edge("wheels", "plant", units=2)
    network.add_edge("frames", "plant")
    network.add_edge("plant", "east")
    network.add_edge("plant", "west", lead_time_weeks=3)
    return network


def test_a_graph_becomes_a_network_and_a_network_a_graph():
    facts = graph.scenario(bicycles(), steps=4, demand={"kind": "poisson", "mean_units": 5.0})
    assert {firms.name: firms.role for firms in facts.firms} == {
        "wheels": "supplier", "frames": "supplier", "plant": "manufacturer", "east": "distributor",
        "west": "distributor",
    }  # fmt: skip
    assert facts.items["bike"].bom == {"wheel": 2, "frame": 1}
    found = graph.network(facts)
    assert set(found.edges) == set(bicycles().edges)
    assert found.edges["wheels", "plant"]["items"] == ("wheel",)
    parts = graph.bill_of_materials(facts)
    assert dict(parts.edges) == {("wheel", "bike"): {"units": 2}, ("frame", "bike"): {"units": 1}}
    assert graph.topology(found) == "general"
    assert layout(facts).lead_weeks.tolist() == [1, 1, 1, 1, 3]


@pytest.mark.parametrize(
    ("arcs", "kind"),
    [
        ([("a", "b"), ("b", "c")], "serial"),
        ([("a", "c"), ("b", "c"), ("c", "d")], "assembly"),
        ([("a", "b"), ("a", "c"), ("c", "d")], "distribution"),
        ([("a", "c"), ("b", "c"), ("c", "d"), ("c", "e")], "general"),
        ([("a", "b"), ("c", "d")], "general"),
    ],
)
def test_topologies_have_their_names(arcs, kind):
    assert graph.topology(nx.DiGraph(arcs)) == kind


def test_an_open_market_is_a_graph_of_everybody_who_could_sell():
    found = graph.network(simulate.load_scenario("smart_manufacturing"))
    assert (found.in_degree("pump_maker_1"), found.in_degree("distributor_1")) == (8, 6)
    assert graph.topology(graph.network(simulate.load_scenario("beer_game"))) == "serial"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.add_edge("east", "plant"), r"a ring of firms \(plant → east → plant\): goods would come"),
        (lambda g: g.nodes["east"].update(capasity_units=3), "node 'east': unknown attribute 'capasity_units', did"),
        (lambda g: g.add_edge("plant", "east", weight=1), "arc 'plant' → 'east': unknown attribute 'weight'"),
        (lambda g: g.add_edge("plant", "east", item="wheel"), "carries 'wheel', but 'plant' sells 'bike'"),
        (lambda g: g.add_edge("frames", "plant", lead_time_weeks=2) or g.add_edge("wheels", "plant", lead_time_weeks=1),
         "arcs into it have lead_time_weeks 1 and 2; it is the buyer's"),
        (lambda g: g.add_edge("east", "west"), "node 'west': buys 'bike' from two firms; leave one arc"),
        (lambda g: g.add_edge(1, "west"), "node 1: a firm's name is a text"),
        (lambda g: g.add_edge("plant", "west", lead_time_weeks=-1), "lead_time_weeks: input should be greater than or"),
    ],
)  # fmt: skip
def test_a_graph_that_cannot_be_is_told_why(change, message):
    network = bicycles()
    change(network)
    with pytest.raises(ScenarioError, match=message):
        graph.scenario(network, steps=4, demand={"kind": "constant", "mean_units": 5.0})


def test_two_makers_of_one_thing_need_the_same_parts():
    network = bicycles()
    network.add_edge("wheels", "tricycles", units=3)
    network.nodes["tricycles"].update(sells="bike", capacity_units=5)
    with pytest.raises(ScenarioError, match="'plant' and 'tricycles' need 2 and 3 units of 'wheel' for one 'bike'"):
        graph.scenario_data(network)
    with pytest.raises(ValueError, match="the graph has a ring: a → b → a"):
        graph.topology(nx.DiGraph([("a", "b"), ("b", "a")]))


def test_each_part_comes_from_its_own_partner_and_two_wheels_go_into_a_bicycle():
    facts = graph.scenario(bicycles(), steps=4, demand={"kind": "constant", "mean_units": 5.0})
    minds = {"supplier.replenish": orders_of(100), "manufacturer.replenish": orders_of(10)}
    run = ecosim.run(facts, minds={**minds, "distributor.replenish": orders_of(5)})
    bought = run.events("contracts").groupby(["buyer", "item"])["seller"].unique()
    assert [found.tolist() for found in bought] == [[0], [1], [2], [2]]
    sent = run.events("shipments")
    weeks = (sent["arrive_week"] - sent["step"]).groupby(sent["buyer"]).unique()
    assert (weeks.loc[3].tolist(), weeks.loc[4].tolist()) == ([1], [3])
    made = run.events("production")
    stock = run.events("stocks").set_index(["step", "member", "item"])["stock"]
    wheels = list(facts.items).index("wheel")
    assert made[made["member"] == 2]["made"].tolist() == [10, 10, 10, 10]
    assert stock.loc[2, 2, wheels] == 100 - 2 * 10 - 2 * 10 + 10  # ten wheels ordered in week 1 came in week 2


@pytest.mark.parametrize("week", [WEEK, ["arrive", "ship", "demand", "charge", "replenish", "order", "produce"]])
def test_a_firm_that_serves_firms_and_consumers_sees_both_as_its_demand(week):
    facts = graph.scenario(bicycles(), steps=3, demand={"kind": "constant", "mean_units": 7.0}, phases=week)
    seen = {}

    def look(question):
        bike = question["item_name"] == "bike"
        seen[question.step] = (question["demand_history"][bike, :2] // MILLION).tolist()
        return orders_of(10)(question)

    ecosim.run(facts, minds={"manufacturer.replenish": look, "distributor.replenish": orders_of(5)})
    assert seen[3] == ([[17, 17]] if week != WEEK else [[7, 17]])  # week 3's orders come only after it has planned


def test_orders_take_the_time_of_the_buyer():
    firms = [shop(order_weeks=2, lead_time_weeks=3), mill(stock_units={"good": 100})]
    run = ecosim.run(market(firms), minds={"distributor.replenish": orders_of(4), "supplier.replenish": orders_of(0)})
    contracts = run.events("contracts")
    assert (contracts["from_week"] - contracts["step"]).unique().tolist() == [2]
    assert (contracts["due_week"] - contracts["step"]).unique().tolist() == [5]


# ---- what cannot be met ---------------------------------------------------------------------------------------------


def test_unmet_demand_is_lost_counted_and_charged():
    """Stock 25, demand 10 a week, nothing ordered: 5 are lost in week 3, then 10 a week."""
    facts = market(
        [shop(stock_units={"good": 25}), mill()], unmet="lost", items={"good": {"lost_cost_eur": 2.0}}, steps=4
    )
    run = ecosim.run(facts, minds={"distributor.replenish": orders_of(0)})
    assert run.events("lost_sales")["lost"].tolist() == [5, 10]
    assert run.events("lost_sales")["cost"].tolist() == [10, 20]
    assert run.events("sales")["owed"].tolist() == [0, 0, 0, 0]
    assert run.metrics.query("metric == 'lost_units'")["value"].tolist() == [0, 0, 5, 10]
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert (kpis["lost_units", ""], kpis["fill_rate", ""]) == (15, 25 / 40)


def test_a_partner_that_loses_orders_strikes_them_off_and_the_buyer_awaits_them_no_more():
    firms = [shop(), mill(stock_units={"good": 6}, unmet="lost")]
    facts = market(firms, steps=3)
    minds = {"distributor.replenish": orders_of(4), "supplier.replenish": orders_of(0)}
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=minds)])
    lost = []
    for step in (1, 2, 3):
        world.step()
        lost += (recorder.close_step(step)["lost_orders"]["lost"] // MILLION).tolist()
    assert lost == [2, 4]
    assert world.tables["positions"]["on_order"].tolist() == [0, 0]
    assert world.tables["contracts"].num_rows == 0


ALLOCATIONS = {"first_due": [6, 1, 0], "proportional": [3, 2, 2], "priority": [0, 3, 4]}


@pytest.mark.parametrize(("rule", "got"), ALLOCATIONS.items())
def test_scarce_stock_is_shared_by_the_rule(rule, got):
    """Seven units; the shops order 6, 4 and 4. In proportion: 3, 2, 2; by priority the third goes first."""
    wishes = np.array([6, 4, 4]) * MILLION
    firms = [shop(name=name, priority=priority) for name, priority in (("a", 3), ("b", 2), ("c", 1))]
    facts = market([*firms, mill(stock_units={"good": 7}, allocation=rule)], steps=1)
    minds = {"distributor.replenish": lambda q: {"quantity": wishes[q.key["subject"]]}}
    sent = ecosim.run(facts, minds={**minds, "supplier.replenish": orders_of(0)}).events("shipments")
    assert [int(sent[sent["buyer"] == i]["quantity"].sum()) for i in range(3)] == got


def test_shares_in_proportion_add_up_and_nobody_gets_more_than_asked():
    rng = np.random.default_rng(1)
    group, wanted = np.sort(rng.integers(0, 20, 200)), rng.integers(0, 50, 200) * MILLION
    stock = (rng.integers(0, 300, 20) * MILLION)[group]
    given = in_proportion([group], [rng.permutation(200)], wanted, stock)
    assert ((given >= 0) & (given <= wanted) & (given % MILLION == 0)).all()
    total = np.bincount(group, wanted, 20)
    assert (
        np.bincount(group, given, 20) == np.minimum(total, np.bincount(group, stock, 20) / np.bincount(group))
    ).all()


# ---- what things cost -----------------------------------------------------------------------------------------------


def test_orders_transit_and_own_rates_are_charged():
    """Four units a week on the way from week 1 on: 4 × $2 a week for the sender, $3 for each order."""
    firms = [shop(order_cost_eur=3.0, backlog_cost_eur=0.5, lead_time_weeks=2),
             mill(stock_units={"good": 100}, holding_cost_eur=2.0)]  # fmt: skip
    facts = market(firms, steps=3, charge_transit=True, items={"good": {"holding_cost_eur": 1.0}})
    run = ecosim.run(facts, minds={"distributor.replenish": orders_of(4), "supplier.replenish": orders_of(0)})
    assert run.events("transit")["on_way"].tolist() == [4, 8, 8]
    assert run.events("transit")["cost"].tolist() == [8, 16, 16]
    stocks = run.events("stocks").set_index(["member", "step"])
    assert stocks.loc[1]["holding_cost"].tolist() == [2 * 96, 2 * 92, 2 * 88]
    assert stocks.loc[0]["backlog_cost"].tolist() == [5, 10, 13]
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert (kpis["ordering_cost_eur", "distributor"], kpis["transit_cost_eur", ""]) == (9, 40)
    assert kpis["cost_eur", ""] == 40 + 552 + 28


# ---- lines ----------------------------------------------------------------------------------------------------------


def test_a_start_takes_time_and_money_a_lot_waits_and_scrap_is_thrown_away():
    """Capacity 100 less 20 for the set-up; of 80 started a tenth is scrap; 15 is less than a lot."""
    line = {"setup_cost_eur": 7.0, "setup_units": 20, "min_lot_units": 16, "yield_share": 0.9}
    facts = market([shop(), mill(line=line)], items={"good": {"make_cost_eur": 1.0}}, steps=3)
    plan = {1: 100, 2: 15, 3: 16}
    minds = {"supplier.replenish": lambda q: orders_of(plan[q.step])(q), "distributor.replenish": orders_of(0)}
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=minds)])
    made, scrap = [], []
    for step in (1, 2, 3):
        world.step()
        events = recorder.close_step(step)
        made += (events["production"]["made"] // MILLION).tolist()
        scrap += (events["scrap"]["scrap"] // MILLION).tolist()
    assert world.is_live.all()
    assert (made, scrap) == ([80, 0, 16], [8, 2])  # of 16, 14.4 are good: 14
    maker = world.tables["accounts"].take(np.array([1]))
    assert maker["balance"][0].tolist() == [-(80 + 16 + 2 * 7) * MILLION, (72 + 14) * MILLION]


def test_binomial_yield_is_about_its_share_and_the_same_in_every_arm():
    line = {"yield_share": 0.8, "yield_kind": "binomial"}
    facts = market([shop(), mill(line=line)], steps=20, seeds=20)
    minds = {"supplier.replenish": orders_of(100), "distributor.replenish": orders_of(0)}
    run = ecosim.run(facts, minds=minds)
    scrap = run.events("scrap")["scrap"]
    assert scrap.mean() == pytest.approx(20, abs=4 * 4 / 400**0.5)  # sd √(100 · .8 · .2) = 4
    assert scrap.var() == pytest.approx(16, rel=0.3)
    assert run.kpis.query("metric == 'scrap_share'")["value"].mean() == pytest.approx(0.2, abs=0.01)
    other = ecosim.run(facts, minds={**minds, "distributor.replenish": orders_of(3)})
    assert (other.events("scrap")["scrap"] == scrap).all()


# ---- laws and faults ------------------------------------------------------------------------------------------------


def everything(**more):
    """A network with all of it."""
    network = bicycles()
    network.nodes["plant"]["line"] = {"yield_share": 0.9, "yield_kind": "binomial", "setup_cost_eur": 5.0}
    network.nodes["east"].update(unmet="lost", order_cost_eur=2.0)
    network.nodes["plant"]["allocation"] = "proportional"
    keys = {"steps": 8, "seeds": 3, "charge_transit": True, "demand": {"kind": "poisson", "mean_units": 9.0}}
    return graph.scenario(network, **{**keys, **more})


def test_under_any_legal_answers_goods_and_money_are_conserved():
    minds = dict.fromkeys(("supplier", "manufacturer", "distributor"), anything_legal)
    facts = everything(max_order_units=60, unmet="lost")
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=minds)])
    net = layout(facts)
    for step in range(1, 9):
        world.step()
        recorder.close_step(step)
        assert world.is_live.all(), world.tables["replicas"]["fault"]
        awaited = np.zeros(world.tables["positions"].num_rows, np.int64)
        for table, amount in (("contracts", "open"), ("shipments", "quantity")):
            rows = world.tables[table]
            np.add.at(awaited, net.position_row(rows["replica"], rows["buyer"], rows["item"]), rows[amount])
        assert (awaited == world.tables["positions"]["on_order"]).all()


def test_digests_repeat_and_arms_meet_the_same_demand():
    arms = [Arm(name="a"), Arm(name="b", minds={"distributor.replenish": "pass_on"})]
    done, again = (simulate.simulate(everything(), arms, Memory()).manifest for _ in range(2))
    assert done["digests"] == again["digests"]
    assert done["exogenous_digests"][:3] == done["exogenous_digests"][3:]
    assert not set(done["digests"][:3]) & set(done["digests"][3:])


FAULTS = [
    ({"firms": [shop(partner="depot", lead_time_weeks=-1), mill()]}, "lead_time_weeks: input should be greater"),
    ({"firms": [shop(partner="depo"), mill()]}, r"firms\[0\] \(shop\).partner: unknown firm 'depo'; known: shop, mill"),
    ({"firms": [shop(partners={"godo": "mill"}), mill()]}, r"partners: unknown item 'godo'; known: good"),
    ({"firms": [shop(), mill(partners={"good": "shop"})]}, r"partners.good: it buys no 'good'; it buys nothing"),
    ({"firms": [{**shop(), "partner": None}, mill()]}, "partner: needed, because the phase 'order' buys 'good'"),
    ({"firms": [shop(partner="ore"), mill(), mill(name="ore", sells="stone")], "items": {"good": {}, "stone": {}}},
     "partner: 'ore' sells 'stone', but 'good' is to be bought there"),
    ({"firms": [shop(partner="b"), shop(name="b", partner="shop"), mill()]},
     r"a ring of partners \(shop from b from shop\): goods would come from nowhere"),
    ({"firms": [shop(line={"setup_units": 3}), mill()]}, r"\(shop\).line: a distributor makes nothing; leave it out"),
    ({"firms": [shop(), mill(line={"setup_units": 100})]}, "setup_units: a start takes 100 of a capacity of 100"),
    ({"firms": [shop(), mill(line={"setup_units": 50, "min_lot_units": 51})]}, "51 can never be started, at most 50"),
    ({"firms": [shop(), mill(line={"yield_share": 0.0})]}, "yield_share: input should be greater than 0, got 0.0"),
    ({"charge_transit": True, "phases": WEEK[:-1]}, "charge_transit: nothing is charged without the phase 'charge'"),
    ({"unmet": "gone"}, "unmet: input should be 'backlog' or 'lost', got 'gone'"),
    ({"allocation": "fair"}, "allocation: input should be 'first_due', 'proportional' or 'priority', got 'fair'"),
    ({"firms": [shop(priority=0), mill()]}, "priority: input should be greater than or equal to 1, got 0"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FAULTS)
def test_what_cannot_be_is_told_in_one_line(change, message):
    with pytest.raises(ScenarioError, match=message):
        market(**change)


def test_all_faults_are_told_at_once():
    firms = [shop(partner="depo", line={}), mill(line={"setup_units": 100})]
    with pytest.raises(ScenarioError) as caught:
        market(firms, charge_transit=True, phases=WEEK[:-1])
    assert len(caught.value.faults) == 4
