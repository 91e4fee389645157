"""Law 1: the same run has the same digest, whatever stands beside it and wherever it runs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ecosim import simulate, testing
from ecosim.record.digest import Digest, pack
from ecosim.record.store import Memory
from ecosim.side import Column, Schema
from ecosim.simulate import Arm
from ecosim.validate import minds
from ecosim.words import Table


@pytest.mark.slow
def test_replica_i_alone_is_replica_i_among_twenty():
    among = testing.run_digests("smart_manufacturing", seeds=20, steps=52).manifest["digests"]
    facts = simulate.load_scenario("smart_manufacturing")
    for i in (0, 7, 19):
        alone = facts.with_changes(world_seed=facts.world_seed + i, mind_seed=facts.mind_seed + i)
        assert testing.run_digests(alone, seeds=1, steps=52).manifest["digests"] == [among[i]]


SCRIPT = """
from ecosim import testing
for name in ("smart_manufacturing", "creator_community", "beer_game"):
    print(testing.run_digests(name, seeds=2, steps=6).manifest["digests"])
import hashlib, numpy as np
from ecosim import exact
x = np.arange(-2000, 2000) / 128
print(hashlib.sha256(exact.exp(x).tobytes() + exact.log(x[x > 0]).tobytes()).hexdigest())
"""


def in_another_process(**environment):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("[") == 3
    return done.stdout


@pytest.mark.slow
def test_digests_do_not_depend_on_the_hash_seed_or_the_processors_instructions():
    """`NPY_DISABLE_CPU_FEATURES` makes NumPy take its AVX2 paths on an AVX512 machine."""
    from numpy._core._multiarray_umath import __cpu_features__ as features

    wide = [name for name in ("X86_V4", "AVX512_ICL", "AVX512_SPR") if features.get(name)]
    narrow = {"NPY_DISABLE_CPU_FEATURES": " ".join(wide)} if wide else {}
    assert in_another_process(PYTHONHASHSEED="2", **narrow) == in_another_process(PYTHONHASHSEED="1")
    if not wide:
        pytest.skip("hash seeds only: this processor has no AVX512 whose absence could be tried")


def test_arms_with_other_minds_meet_bit_equal_worlds_and_other_events():
    arms = [Arm(name="a"), Arm(name="b", minds={"distributor": "scripted", "supplier.negotiate": "conceder"})]
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=3, steps=5)
    done = simulate.simulate(facts, arms, Memory()).manifest
    assert done["exogenous_digests"][:3] == done["exogenous_digests"][3:]
    assert len(set(done["exogenous_digests"])) == 3
    assert not set(done["digests"][:3]) & set(done["digests"][3:])


def test_an_arm_has_the_digest_that_it_has_without_the_other_arm():
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=2, steps=5)
    soft = Arm(name="soft", minds={"distributor.negotiate": "conceder"})
    both = simulate.simulate(facts, [Arm(name="usual"), soft], Memory()).manifest["digests"]
    assert simulate.simulate(facts, [soft], Memory()).manifest["digests"] == both[2:]


def test_other_luck_changes_minds_that_sample_and_not_the_world():
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=2, steps=5)
    arms = [Arm(name="a"), Arm(name="again", has_other_luck=True)]
    done = simulate.simulate(facts, arms, Memory()).manifest
    assert done["exogenous_digests"][:2] == done["exogenous_digests"][2:]
    assert not set(done["digests"][:2]) & set(done["digests"][2:])


COLUMNS = (Column("who", "i8", "", ""), Column("what", "f8", "", ""), Column("text", "str", "", ""))
SCHEMA = Schema("a test", 1, COLUMNS)


def rows(who, what, text, replica=0):
    return Table(
        {
            "replica": np.full(len(who), replica),
            "who": np.array(who),
            "what": np.array(what, float),
            "text": np.array(list(text), object),
        }
    )


def link(table):
    digest = Digest(1)
    digest.add_step(1, {"t": pack([table], SCHEMA)}, ["t"])
    return digest.hex()[0]


def test_the_order_of_arrival_and_the_sign_of_nothing_do_not_count():
    assert link(rows([2, 1], [0.0, np.nan], ["b", "a"])) == link(rows([1, 2], [-np.nan, -0.0], ["a", "b"]))


@pytest.mark.parametrize("other", [([1, 3], [1, 2], "ab"), ([1, 2], [1, 2.5], "ab"), ([1, 2], [1, 2], "ac")])
def test_every_value_counts(other):
    assert link(rows(*other)) != link(rows([1, 2], [1, 2], "ab"))


def test_the_number_of_the_replica_does_not_count():
    table = rows([1], [1], "a", replica=5)
    assert (pack([table], SCHEMA).rows == pack([rows([1], [1], "a")], SCHEMA).rows).all()


def test_the_chain_remembers_the_steps_before():
    digest, other = Digest(1), Digest(1)
    for step, chain in ((1, digest), (2, other)):
        chain.add_step(step, {"t": pack([rows([1], [1], "a")], SCHEMA)}, ["t"])
    assert digest.hex() != other.hex()


@pytest.mark.slow
def test_scripted_minds_answer_legally_and_a_row_the_same_in_any_company():
    tried, illegal, depends = minds.scripted_minds()
    assert tried.found > 300
    assert (illegal.found, depends.found) == (0, 0)


@pytest.mark.slow
def test_intervals_about_equal_arms_hold_zero_about_as_often_as_they_say():
    """100 A/A comparisons of 8 pairs: the profit of all firms, and the mean over all figures, of which there are 30."""
    profit, mean = minds.interval_coverage()
    assert (profit.low, profit.high) == (87, 100)  # 99.9 % of fair samples
    assert profit.is_met and mean.is_met
    assert 0.93 <= mean.found <= 0.97
