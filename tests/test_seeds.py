"""Known answers of Philox, and draws that belong to their row."""

import numpy as np
import pytest

from ecosim import seeds
from ecosim.validate import minds

SEED = np.array([7], np.uint64)


def test_philox_gives_the_known_answers():
    """Random123's known-answer file: zeros, all bits set, digits of π."""
    (wrong,) = minds.generator()
    assert (wrong.name, wrong.found) == ("wrong words, of 12", 0)


def test_a_draw_belongs_to_its_row_and_not_to_its_place():
    key = np.arange(100)
    whole = seeds.uniform(seeds.WORLD, SEED, 3, "demand", (key,))
    back = seeds.uniform(seeds.WORLD, SEED, 3, "demand", (key[::-1],))[::-1]
    assert (whole == back).all()
    assert whole[41] == seeds.uniform(seeds.WORLD, SEED, 3, "demand", (key[41:42],))[0]


@pytest.mark.parametrize(
    "other",
    [
        dict(stream=seeds.MIND), dict(seed=np.array([8], np.uint64)), dict(step=4), dict(phase="quote"), dict(lane=1),
        dict(key=(np.arange(100) + 100,)), dict(key=(np.zeros(100, int), np.arange(1, 101))),
    ],
)  # fmt: skip
def test_whatever_differs_in_the_key_gives_other_draws(other):
    usual = dict(stream=seeds.WORLD, seed=SEED, step=3, phase="demand", key=(np.arange(100),), lane=0)
    assert not (seeds.uniform(**usual) == seeds.uniform(**(usual | other))).any()


def test_uniform_draws_fill_the_unit_interval_evenly():
    """Pearson's χ² of 50 equal cells; 99.9 % of fair samples stay below 85.4."""
    u = seeds.uniform(seeds.WORLD, SEED, 0, "x", (np.arange(100_000),))
    count = np.bincount((u * 50).astype(int), minlength=50)
    assert ((count - 2000) ** 2 / 2000).sum() < 85.4
    assert u.min() > 0 and u.max() < 1


def test_normal_and_poisson_draws_have_their_moments():
    key = (np.arange(200_000),)
    z = seeds.normal(seeds.WORLD, SEED, 0, "z", key)
    assert abs(z.mean()) < 4 / np.sqrt(len(z)) and abs(z.var() - 1) < 4 * np.sqrt(2 / len(z))
    k = seeds.poisson(np.full(200_000, 6.0), seeds.WORLD, SEED, 0, "k", key)
    assert abs(k.mean() - 6) < 4 * np.sqrt(6 / len(k)) and abs(k.var() - 6) < 0.15


def test_normal_quantiles_are_those_of_the_tables():
    p = np.array([0.5, 0.841344746068543, 0.975, 1e-10])
    assert seeds.normal_quantile(p) == pytest.approx([0, 1, 1.959963984540054, -6.361340902404056], rel=1e-12)


def test_a_poisson_mean_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="must be within 0 … 500"):
        seeds.poisson(np.array([501.0]), seeds.WORLD, SEED, 0, "k", (np.zeros(1, int),))


def test_integers_stay_below_their_bound():
    draws = seeds.integers(3, seeds.MIND, SEED, 0, "i", (np.arange(3000),))
    assert np.bincount(draws, minlength=3) == pytest.approx([1000] * 3, abs=110)


def test_a_long_column_draws_what_its_rows_draw_alone():
    """Long columns are drawn block by block; rows of two replicas, across the seams."""
    seed = np.repeat(np.array([5, 6], np.uint64), 30_000)
    rows, some = np.arange(60_000), np.array([0, 16_383, 16_384, 30_000, 59_999])
    together = seeds.uniform(seeds.WORLD, seed, 3, "x", (rows,))
    assert together[some].tolist() == seeds.uniform(seeds.WORLD, seed[some], 3, "x", (rows[some],)).tolist()
