"""Processes with exact long-run shares, through the phases that every community uses.

Tolerances are four standard errors over replicas, plus what a finite run leaves of its start.
"""

from math import exp, log

import numpy as np
import pytest

from ecosim.community.figures import gini, unpredictability
from ecosim.seeds import normal_quantile
from ecosim.simulate import load_scenario


def _views(finished):
    facts = finished.scenario
    return finished.world.tables["creators"]["views"].reshape(facts.seeds, -1)


def _sampling_error(values):
    return values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.slow
def test_polyas_feed_shares_attention_as_evenly_as_chance_does(run):
    """Shares follow Dirichlet(1, …, 1) over 48 posts: Gini 47/96 = .4896, mean difference of two worlds .0206.

    100 worlds: standard error of the Gini .004; of U, whose pairs are not independent, .0004 (jackknife).
    """
    views = _views(run(load_scenario("polya_feed"), keep_events=False))
    shares = views / views.sum(axis=1, keepdims=True)
    left_out = [unpredictability(np.delete(shares, world, axis=0)) for world in range(len(shares))]
    jackknife = np.sqrt((len(shares) - 1) * np.var(left_out))
    assert views.sum(axis=1).min() > 20_000
    assert gini(views).mean() == pytest.approx(0.4896, abs=4 * _sampling_error(gini(views)))
    assert unpredictability(shares) == pytest.approx(0.0206, abs=4 * jackknife)
    assert _sampling_error(gini(views)) < 0.006
    assert jackknife < 0.0006


@pytest.mark.slow
def test_a_trial_offer_market_settles_at_powers_of_quality(run):
    """Signal share^r, r = ½: shares are q^(1/(1 − r)) = q² in proportion, .5289, .2975, .1322, .0331, .0083.

    What is left of equal shares at the start fades as (prior views of all posts / views)^(1 − r).
    """
    facts = load_scenario("trial_offer")
    views = _views(run(facts, keep_events=False))
    shares = views / views.sum(axis=1, keepdims=True)
    start = (5 * facts.feed.prior_views / views.sum(axis=1).min()) ** 0.5
    for post, settled in enumerate((0.5289, 0.2975, 0.1322, 0.0331, 0.0083)):
        error = 4 * _sampling_error(shares[:, post]) + start * abs(settled - 0.2)
        assert error < 0.006
        assert shares[:, post].mean() == pytest.approx(settled, abs=error)


@pytest.mark.slow
def test_social_influence_makes_hits_bigger_and_less_predictable(community, run):
    """Music Lab, experiment 1 (Salganik, Dodds, Watts 2006): Gini .340 with influence, .244 without; U .0082, .0056.

    Qualities are the stand-in: log-normal with σ .439; a visitor is shown a song with a chance ∝ (downloads + 1)^r and
    takes it with its quality, r = .33 within the fitted .24 … .40; 48 songs, about 830 downloads a world. 100 worlds
    make the sampling error of the Gini .003 and of U .0001.
    """
    quality = [0.3 * exp(0.439 * z) for z in normal_quantile((np.arange(48) + 0.5) / 48)]
    songs = [{"role": "human_creator", "niche": "music", "skill": log(q / (1 - q))} for q in quality]
    audience = {"count": 10, "taste_spread": 0.0, "favourite_bonus": 0.0, "bond": 0.0, "skip": 0.0, "leave": -50.0,
                "leave_per_idle_day": 0.0, "title_appeal": 0.0, "watch_again": True}  # fmt: skip
    still = {"trends": {"volatility": 0.0}, "publishing": {"every_days": 1000, "noise": 0.0, "title_vectors": "none"},
             "minds": {"human_creator": ["niche"]}}  # fmt: skip
    figures = {}
    for power in (0.0, 0.33):
        feed = {"kind": "popular", "mix": [], "slate": 1, "kept_posts": 1, "popularity_power": power}
        facts = community(steps=250, seeds=100, creators=songs, viewers=audience, feed=feed, **still)
        views = _views(run(facts, keep_events=False))
        assert 700 < views.sum(axis=1).mean() < 950
        figures[power] = gini(views).mean(), unpredictability(views / views.sum(axis=1, keepdims=True))
    (gini_alone, u_alone), (gini_social, u_social) = figures[0.0], figures[0.33]
    assert gini_alone + 0.05 < gini_social
    assert u_alone + 0.001 < u_social
    assert 0.30 < gini_social < 0.38
    assert 0.0070 < u_social < 0.0095
