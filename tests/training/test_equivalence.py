"""The statistics of the report card, against SciPy and against values by hand."""

import numpy as np
import pytest
from scipy import stats

from ecosim.training.cards.equivalence import equivalence

TEACHER = np.array([100.0, 110.0, 90.0, 105.0, 95.0])
GAP = np.array([1.0, 2.0, 3.0, -1.0, 0.0])


def test_the_two_one_sided_tests_are_those_of_scipy():
    found = equivalence((TEACHER + GAP)[None], TEACHER, share=0.05)
    assert found.margin == 5.0 and found.difference == 1.0 and found.teacher == 100.0 and found.product == 101.0
    assert found.p_below == pytest.approx(stats.ttest_1samp(GAP, -5.0, alternative="greater").pvalue)
    assert found.p_above == pytest.approx(stats.ttest_1samp(GAP, 5.0, alternative="less").pvalue)
    assert found.p == found.p_above < 0.05
    low, high = stats.ttest_1samp(GAP, 0.0).confidence_interval(0.90)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.p_more == pytest.approx(stats.ttest_1samp(GAP, 0.0, alternative="greater").pvalue)
    assert found.verdict == "equivalent"


def test_the_margin_decides_what_the_same_differences_mean():
    assert equivalence((TEACHER + GAP)[None], TEACHER, share=0.02).verdict == "undecided"  # 90 %: −0.5 … 2.5
    assert equivalence((TEACHER + GAP + 9)[None], TEACHER, share=0.05).verdict == "different"


def test_equal_trainings_are_the_paired_test_on_one():
    one = equivalence((TEACHER + GAP)[None], TEACHER, share=0.05)
    three = equivalence(np.tile(TEACHER + GAP, (3, 1)), TEACHER, share=0.05)
    assert (three.low, three.high, three.p) == (pytest.approx(one.low), pytest.approx(one.high), pytest.approx(one.p))
    assert three.trainings == 3 and three.spread == 0.0


def test_many_worlds_do_not_hide_that_there_were_two_trainings():
    """By hand: trainings at −3 and +3 in all four worlds: MS_trainings = 4·18 = 72, no other variance.

    So the error is √(72/8) = 3 with one degree of freedom, and t(0.95, 1) = 6.314.
    """
    found = equivalence(np.array([[97.0] * 4, [103.0] * 4]), np.full(4, 100.0), share=0.05)
    assert found.difference == 0.0 and found.spread == pytest.approx(np.sqrt(18))
    assert found.high == pytest.approx(3 * 6.3138, abs=1e-3)
    assert found.verdict == "undecided"
    alone = equivalence(np.full((1, 4), 103.0), np.full(4, 100.0), share=0.05)
    assert alone.verdict == "equivalent" and alone.p == 0.0


def test_a_game_without_chance_is_judged_as_it_stands():
    same, far = np.full((1, 3), 204.0), np.full((1, 3), 260.0)
    assert equivalence(same, same[0], share=0.05).verdict == "equivalent"
    assert equivalence(same, same[0], share=0.0).verdict == "equivalent"
    assert equivalence(far, same[0], share=0.05).verdict == "different"


def test_worlds_without_the_figure_are_left_out_and_one_world_decides_nothing():
    holes = np.array([np.nan, 110.0, 90.0, 105.0, 95.0])
    assert equivalence((TEACHER + GAP)[None], holes, share=0.05).worlds == 4
    assert equivalence(TEACHER[None, :1], TEACHER[:1], share=0.05).verdict == "undecided"
    nothing = equivalence(np.full((2, 3), np.nan), TEACHER[:3], share=0.05)
    assert nothing.verdict == "undecided" and nothing.worlds == 0


def test_the_tests_are_wrong_as_rarely_as_they_say():
    """A product exactly one margin away may be called equivalent in 5 % of cases: 400 cases, binomial 99.9 %: ≤ 37."""
    draw = np.random.default_rng(1)
    wrong = sum(
        equivalence(100 + 5 + draw.normal(0, 3, (1, 20)), np.full(20, 100.0), share=0.05).verdict == "equivalent"
        for _ in range(400)
    )
    assert 5 <= wrong <= 37


@pytest.mark.parametrize(
    ("product", "share", "message"),
    [
        (np.zeros(3), 0.05, "product must be"),
        (np.zeros((1, 4)), 0.05, "product must be"),
        (np.zeros((1, 3)), -1, "must be >= 0"),
    ],
)
def test_what_does_not_fit_is_refused(product, share, message):
    with pytest.raises(ValueError, match=message):
        equivalence(product, np.zeros(3), share=share)
