"""Communities against exact laws and the Music Lab, as `ecosim validate` has them: long runs, honest errors."""

import pytest

from ecosim.validate import collapse, community


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


@pytest.mark.slow
def test_models_that_replace_their_data_lose_variance_by_drift():
    """(1 − 1/20)^20 = .3585 of variance and of diversity; .95 of diversity after one generation."""
    variance, first, diversity = collapse.replacing()
    assert (variance.target, first.target, diversity.target) == (0.3585, 0.95, 0.3585)
    assert variance.is_met and first.is_met and diversity.is_met
    assert variance.high - variance.target < 0.08 and diversity.high - diversity.target < 0.06


@pytest.mark.slow
def test_models_that_accumulate_data_keep_what_eulers_product_says():
    """n 10: .8434 in the end, .8476 after twenty generations."""
    at_end, limit = collapse.accumulating()
    assert (at_end.target, limit.target) == (0.8476, 0.8434)
    assert at_end.is_met and limit.is_met
    assert limit.high - limit.target < 0.03


@pytest.mark.slow
def test_a_tenth_of_human_posts_slows_the_loss_of_topics():
    diversity, more = collapse.with_humans()
    assert diversity.target == 0.7016
    assert diversity.is_met and more.is_met
    assert diversity.high - diversity.target < 0.03


@pytest.mark.slow
def test_a_language_model_that_reads_itself_gets_worse_and_less_so_with_some_of_the_original():
    """Shumailov et al. (2024): held-out perplexity rises; 10 % of the original data slows it."""
    assert [figure.name for figure in collapse.language() if not figure.is_met] == []
