"""An ecosystem in the hands of somebody who knows Mesa: its own verbs, its own collector, the same events as a run."""

import mesa
import pytest

import ecosim
from ecosim.errors import RunError, ScenarioError

MARKET = "smart_manufacturing"


@pytest.fixture(scope="module")
def run():
    return ecosim.run(MARKET, seeds=1, steps=4)


@pytest.fixture
def model():
    return ecosim.Ecosystem(MARKET)


def test_mesas_collector_sees_the_events_of_a_run_with_the_same_seed(run, model):
    """Cash by firm adds up to the run's metric by role; figures of the model are the run's own."""
    collector = mesa.DataCollector(
        model_reporters={
            "price": lambda m: m.figure("deal_price_eur", "pump"),
            "cash": lambda m: m.agents.agg("cash_eur", sum),
            "deals": lambda m: m.events["contracts"].num_rows,
        },
        agent_reporters={"cash_eur": "cash_eur", "role": "role_name", "stock": "pump_units"},
    )
    for _ in range(4):
        model.step()
        collector.collect(model)
    weeks = run.metrics.pivot_table(index="step", columns=["metric", "group"], values="value")
    seen = collector.get_model_vars_dataframe()
    assert seen["price"].tolist() == weeks["deal_price_eur", "pump"].tolist()
    assert seen["cash"].tolist() == pytest.approx(weeks["cash_eur"].sum(axis=1).tolist())
    assert seen["deals"].tolist() == run.events("contracts").groupby("step").size().tolist()
    firms = collector.get_agent_vars_dataframe().reset_index()
    by_role = firms.groupby(["Step", "role"])["cash_eur"].sum().unstack()
    assert by_role["distributor"].tolist() == pytest.approx(weeks["cash_eur", "distributor"].tolist())
    pumps = run.events("stocks", names=True).query("item == 'pump'").set_index(["step", "member"])["stock"]
    sixth = firms[firms["AgentID"] == 19].set_index("Step")["stock"]
    assert sixth.tolist() == [pumps[week, "distributor_6"] for week in (1, 2, 3, 4)]


def test_a_replica_of_a_run_is_collected_likewise(run):
    world = run.world(0)
    collector = mesa.DataCollector(agent_reporters={"cash_eur": "cash_eur"})
    collector.collect(world)
    last = run.metrics[(run.metrics["metric"] == "cash_eur") & (run.metrics["step"] == 4)]["value"].sum()
    assert collector.get_agent_vars_dataframe()["cash_eur"].sum() == pytest.approx(last)


def test_agents_are_selected_grouped_and_added_up_by_name_and_role(model):
    assert {role: len(firms) for role, firms in model.agents.groupby("role_name")} == {
        "supplier": 8, "manufacturer": 6, "distributor": 6
    }  # fmt: skip
    makers = model.agents.select(lambda firm: firm.role_name == "manufacturer")
    assert makers.get("name") == [f"pump_maker_{i}" for i in range(1, 7)]
    assert (makers.agg("cash_eur", max), makers.agg("steel_units", sum)) == (20_000, 480)


def test_creators_have_names_of_their_niche_and_kind():
    creators = ecosim.Ecosystem("creator_community", changes={"viewers.count": 50, "viewers.at_start": 50}).agents
    assert creators.get("name")[:2] == ["education_human_1", "education_human_2"]
    assert creators[-1].name == "graphic_design_ai_4"
    assert creators[0].cash_eur == 20


def test_cash_and_goods_of_a_member_are_read_only_and_columns_are_not(model):
    firm = model.agents[0]
    for name in ("cash_eur", "cash", "steel", "steel_units", "role_name"):
        with pytest.raises(AttributeError, match=rf"{name} can be read only: cash and goods move through world.ledger"):
            setattr(firm, name, 7)
    firm.capacity = 7_000_000
    assert model.tables["firms"]["capacity"][0] == 7_000_000
    with pytest.raises(AttributeError, match="a member has no 'gold'; it has replica, member, role, name, capacity"):
        firm.gold  # noqa: B018


def test_a_model_runs_until_its_scenario_is_over_and_holds_one_steps_events(model):
    small = ecosim.Ecosystem(MARKET, seeds=2, changes={"steps": 2})
    small.run_model()
    assert (small.steps, small.running) == (2, False)
    assert set(small.events["demand"]["replica"]) == {0, 1}
    assert small.events["demand"].num_rows == 2 * 6


def test_a_misspelt_metric_or_key_is_told_with_the_one_that_was_meant(model):
    with pytest.raises(RunError, match=r"no metric 'deal_price' in this world; did you mean 'deal_price_eur'\?"):
        model.figure("deal_price")
    model.step()
    with pytest.raises(RunError, match=r"no group 'pumps' of deal_price_eur in this world; it has steel, resin, pump"):
        model.figure("deal_price_eur", "pumps")
    with pytest.raises(ScenarioError, match="did you mean 'lead_time_weeks'"):
        ecosim.Ecosystem(MARKET, changes={"lead_time": 2})
