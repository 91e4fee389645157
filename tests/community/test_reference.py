"""Communities against exact laws and the Music Lab, as `ecosim validate` has them: long runs, honest errors."""

import pytest

from ecosim.validate import community


@pytest.mark.slow
def test_polyas_feed_shares_attention_as_evenly_as_chance_does():
    """Shares follow Dirichlet(1, …, 1) over 48 posts: Gini 47/96 = .4896, mean difference of two worlds .0206."""
    gini, unpredictability = community.polya()
    assert (gini.target, unpredictability.target) == (0.4896, 0.0206)
    assert gini.is_met and unpredictability.is_met
    assert gini.high - gini.low < 8 * 0.006  # standard errors that make it a test
    assert unpredictability.high - unpredictability.low < 8 * 0.0006


@pytest.mark.slow
def test_a_trial_offer_market_settles_at_powers_of_quality():
    """Signal share^r, r = ½: shares are q^(1/(1 − r)) = q² in proportion."""
    figures = community.trial_offer()
    assert [figure.target for figure in figures] == [0.5289, 0.2975, 0.1322, 0.0331, 0.0083]
    for figure in figures:
        assert figure.is_met
        assert figure.high - figure.target < 0.006


@pytest.mark.slow
def test_social_influence_makes_hits_bigger_and_less_predictable():
    """Music Lab, experiment 1 (Salganik, Dodds, Watts 2006): Gini .340 with influence, .244 without; U .0082, .0056."""
    figures = community.music_lab()
    assert [figure.name for figure in figures if not figure.is_met] == []
    gini, unpredictability, *_, more_unequal, more_unlike = figures
    assert 0.30 < gini.found < 0.38 and 0.0070 < unpredictability.found < 0.0095
    assert more_unequal.found > 0.05 and more_unlike.found > 0.001
