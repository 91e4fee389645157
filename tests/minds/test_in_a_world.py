"""Language minds in the seats of a world: the digests do not depend on how rows are batched or who stands beside them.

Observed on Intel processors with MKL_CBWR=AVX512,STRICT (or AVX2,STRICT), float32 and eager attention.
"""

import json
import os

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate
from ecosim.minds.language import LanguageMind
from ecosim.models.load import load
from ecosim.models.sources import BASE
from ecosim.pool.engine import Engine
from ecosim.record.store import Memory
from ecosim.simulate import Arm

ROLES = ("supplier", "manufacturer", "distributor")


def sitting(language, batch_limit=None):
    cards = {role: catalog.card(role) for role in ROLES}
    return LanguageMind(cards, Engine(language, batch_limit), name="sitting", grade="untrained")


def digests(mind, seeds, steps=1, first_seed=1):
    facts = simulate.load_scenario("smart_manufacturing").with_changes(
        seeds=seeds, steps=steps, world_seed=first_seed, mind_seed=first_seed
    )
    arm = Arm(name="all", minds={"distributor.negotiate": mind, "manufacturer.quote": mind})
    done = simulate.simulate(facts, [arm], Memory()).manifest
    return done["digests"], done["score_digests"], done["work_by_grade"]["untrained"]["decisions"]


@pytest.mark.slow
def test_batches_and_neighbours_do_not_change_a_run_of_a_tiny_model(tiny):
    whole = digests(sitting(tiny), seeds=2)
    assert whole[2] > 40
    for limit in (1, 7):
        assert digests(sitting(tiny, limit), seeds=2) == whole
    alone = digests(sitting(tiny), seeds=1, first_seed=2)
    assert (alone[0], alone[1]) == (whole[0][1:], whole[1][1:])
    assert len(set(whole[1])) == 2


LIBRARY = {
    "bargaining_table": {"firms.0.count": 1, "firms.1.count": 1, "table.min_rounds": 3, "table.max_rounds": 3},
    "broken_promises": {"negotiation.max_rounds": 4},
    "delivery_scheduling": {},
    "demand_forecaster": {"negotiation.max_rounds": 4},
    "early_warning": {"negotiation.max_rounds": 4},
    "maintenance_or_not": {},
    "moderation_on_device": {"viewers.count": 20},
    "open_market_entry": {"negotiation.max_rounds": 4, "adoption.every_weeks": 1},
    "revenue_sharing": {"contest.every_days": 1, "entry.every_days": 1, "entry.look_chance": 1.0, "viewers.count": 50},
    "talking_market": {"negotiation.max_rounds": 4},
}
"""Scenarios that between them ask every question, made short."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARY)
def test_a_language_model_may_sit_in_every_seat_and_batches_do_not_show(name, tiny):
    facts = simulate.load_scenario(name, LIBRARY[name]).with_changes(seeds=1, steps=1)
    known = simulate.side(facts.world).asked(facts).items()
    asked = {role: phases for role, phases in known if phases}
    assert set(asked) <= set(catalog.roles())
    found = []
    for limit in (None, 3):
        cards = {role: catalog.card(role) for role in asked}
        mind = LanguageMind(cards, Engine(tiny, limit), name="tiny", grade="untrained")
        arm = Arm(name="all", minds=dict.fromkeys(asked, mind))
        done = simulate.simulate(facts, [arm], Memory()).manifest
        assert not done["faults"]
        found.append((done["digests"], done["score_digests"], done["work_by_grade"]["untrained"]["decisions"]))
    assert found[0] == found[1] and found[0][2] > 0


@pytest.mark.model
@pytest.mark.slow
def test_batches_do_not_change_a_run_of_the_base_model():
    """About forty decisions of SmolLM2-135M, in batches of at most 1 and 64."""
    language = load(BASE)
    found = {limit: negotiated(sitting(language, limit)) for limit in (64, 1)}
    assert found[64] == found[1]
    assert 10 <= found[64][2] <= 60


def negotiated(mind):
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=1, steps=2)
    arm = Arm(name="all", minds={"distributor.negotiate": mind})
    done = simulate.simulate(facts, [arm], Memory()).manifest
    return done["digests"], done["score_digests"], done["work_by_grade"]["untrained"]["decisions"]


def test_the_record_holds_prompts_and_scores_and_the_cost_is_billed(tiny):
    run = ecosim.run("smart_manufacturing", seeds=1, steps=2, minds={"distributor.negotiate": sitting(tiny)})
    answers = run.events("answers")
    assert set(answers["question"]) == {"distributor.negotiate"}
    first = answers.iloc[0]
    assert first["answer"] in json.loads(first["options"])
    assert len(json.loads(first["options"])) == len(json.loads(first["scores"])) > 1
    assert "You buy for a distributor" in first["prompt"]
    offers = run.events("offers")
    asked = offers[(offers["buyer"] >= 14) & (offers["move"] % 2 == 0)]
    assert run.manifest["work_by_grade"]["untrained"]["decisions"] == len(asked)
    firms = run.world(0).tables["firms"]
    assert (firms["megaflops"] > 0).tolist() == (firms["role"] == 2).tolist()


def test_the_manifest_says_which_model_and_whether_its_bits_repeat(tiny):
    run = ecosim.run("smart_manufacturing", seeds=1, steps=1, minds={"distributor.negotiate": sitting(tiny)})
    (mind,) = [m for m in run.manifest["minds"] if m["grade"] == "untrained"]
    probe = mind["probe"]
    assert probe["rows"] == 5 and probe["same_bits"] == (probe["rows_that_differ"] == 0)
    assert probe["mkl_cbwr"] == os.environ.get("MKL_CBWR", "")
    assert len(mind["model"]["sha256"]) == 64
    pool = run.manifest["pools"]["sitting"]
    assert pool["useful_tokens"] <= pool["padded_tokens"] and pool["flops"] > 0


def test_a_mind_of_several_arms_is_loaded_once_and_answers_for_some_seeds_only(tiny):
    mind = sitting(tiny)
    arms = {"scripted": {}, "tiny": Arm(name="tiny", minds={"distributor.negotiate": mind}, num_seeds=2)}
    comparison = ecosim.compare("smart_manufacturing", arms, seeds=4, steps=1)
    assert comparison.run.replicas["arm"].value_counts().to_dict() == {"scripted": 4, "tiny": 2}
    assert set(comparison.table["pairs"]) <= {0, 1, 2}
    assert np.isfinite(comparison.table["difference"]).any()
