"""The world as Mesa's users and the assembly see it."""

import gc
import weakref

import mesa
import numpy as np
import pytest

import ecosim
from ecosim import simulate
from ecosim.record.store import Memory
from ecosim.simulate import Arm


def prepared(seeds=2, **changes):
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=seeds, **changes)
    world, _, recorder = simulate.prepare(facts, [Arm(name="all")])
    return world, recorder


def test_a_world_is_a_mesa_model_whose_agents_are_rows():
    world, _ = prepared()
    assert isinstance(world, mesa.Model)
    world.step()
    assert world.steps == 1
    assert len(world.agents) == 40
    first = world.agents.select(lambda agent: agent.replica == 1)[0]
    assert (first.unique_id, first.name) == (0, "steelworks_1")
    first.capacity = 5
    assert world.tables["firms"]["capacity"][20] == 5
    assert first.cash == world.ledger.accounts["balance"][world.ledger.starts[1], 0]
    with pytest.raises(AttributeError, match="a member has no 'colour'; it has replica, member, role"):
        _ = first.colour


def test_mesas_data_collector_reads_our_agents():
    world, _ = prepared(seeds=1)
    collector = mesa.DataCollector(agent_reporters={"cash": "cash"})
    world.step()
    collector.collect(world)
    assert collector.get_agent_vars_dataframe()["cash"].tolist() == [agent.cash for agent in world.agents]


def test_one_replica_can_be_taken_out_and_stepped_on_its_own():
    run = ecosim.run("smart_manufacturing", seeds=3, steps=4)
    alone = run.world(2)
    assert (alone.num_replicas, alone.steps, len(alone.agents)) == (1, 4, 20)
    alone.step()
    assert alone.steps == 5
    assert run.world(2).steps == 4


def test_a_closed_world_lets_go_of_its_memory():
    world, _ = prepared(seeds=1)
    assert len(world.agents) == 20
    ghost = weakref.ref(world)
    world.close()
    del world
    gc.collect()
    assert ghost() is None


def test_a_replica_that_breaks_a_law_is_frozen_and_the_others_go_on():
    world, recorder = prepared(seeds=3)
    world.step()
    recorder.close_step(1)
    account = world.ledger.starts[1]
    world.ledger.accounts["balance"][account, 1] += 7
    for step in (2, 3):
        world.step()
        events = recorder.close_step(step)
    assert world.is_live.tolist() == [True, False, True]
    assert world.tables["replicas"]["fault"][1] == "step 2: steel is not conserved: off by 7"
    assert set(events["stocks"]["replica"]) == {0, 2}


def test_a_frozen_replica_is_told_in_the_manifest():
    def thief(question):
        world_tables["accounts"]["balance"][0, 1] += 1
        return simulate.side("manufacturing").experts[question.name]["scripted"](question)

    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=2, steps=2)
    world, _, _ = simulate.prepare(facts, [Arm(name="all", minds={"supplier.replenish": thief})])
    world_tables = world.tables
    world.step()
    assert world.is_live.tolist() == [False, True]


def test_models_are_billed_at_nominal_cost_and_nothing_is_lost_to_rounding():
    """Ten thousand decisions of 3 GFLOP at 2 EUR an exaflop: 0.00006 EUR, each far below the smallest coin."""
    from ecosim.words import Decision

    world, _ = prepared(seeds=1)
    question = world.phases[2].ask(world)[0].take(np.zeros(100, np.int64))
    zero = np.zeros(100)
    decision = Decision(answers={}, logp=zero, margin=zero, flops=np.full(100, 3 * 10**9))
    before = world.agents[0].cash
    for _ in range(100):
        world._bill(question, decision)
    assert before - world.agents[0].cash == 60
    assert world.ledger.faults() == {}


def test_the_record_in_memory_and_in_a_folder_is_the_same(tmp_path):
    facts = dict(seeds=2, steps=3)
    held = ecosim.run("smart_manufacturing", **facts)
    kept = ecosim.run("smart_manufacturing", out=tmp_path / "run", **facts)
    loaded = ecosim.load(tmp_path / "run")
    assert held.manifest["digests"] == kept.manifest["digests"] == loaded.manifest["digests"]
    assert held.tables == loaded.tables
    for table in held.tables:
        assert held.events(table).equals(loaded.events(table))
    assert held.kpis.equals(loaded.kpis)
    assert loaded.scenario == held.scenario


def test_an_interrupted_run_keeps_what_it_has(tmp_path):
    def stop(step, router):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ecosim.run("smart_manufacturing", seeds=2, steps=9, out=tmp_path / "run", progress=stop)
    run = ecosim.load(tmp_path / "run")
    assert (run.manifest["status"], run.manifest["steps_done"]) == ("interrupted", 2)
    assert run.events("demand")["step"].max() == 2


def test_metrics_and_kpis_are_all_defined():
    for name in ("smart_manufacturing", "creator_community", "beer_game"):
        facts = simulate.load_scenario(name).with_changes(seeds=2, steps=4)
        done = simulate.simulate(facts, [Arm(name="all")], Memory())
        assert {metric for metric, _ in done.series} <= set(done.side.metrics)
        assert {kpi for kpi, _ in done.kpis} <= set(done.side.kpis)
        assert all(column.shape == (4, 2) for column in done.series.values())
