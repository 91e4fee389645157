"""Who gets the attention: figures that can be worked out by hand."""

import numpy as np
import pytest

from ecosim.community.attention import spearman


def test_four_creators_shown_to_everybody(community, run):
    """One slate of all five posts: everything open is shown, and each post to each of 40 viewers."""
    facts = community(steps=1, feed={"kind": "random", "mix": [], "slate": 5, "kept_posts": 1})
    kpis = run(facts).kpis
    assert kpis["coverage", ""].tolist() == [1.0, 1.0]
    assert kpis["exposure", "human_creator"].tolist() == [40.0, 40.0]
    assert kpis["ai_exposure_ratio", ""].tolist() == [1.0, 1.0]


def test_shares_of_views_are_squared_and_summed(community, run):
    finished = run(community(steps=3))
    views = finished.world.tables["creators"]["views"].reshape(2, 5)
    share = views / views.sum(axis=1, keepdims=True)
    assert finished.kpis["view_hhi", ""] == pytest.approx((share**2).sum(axis=1))
    assert finished.kpis["top_tenth_share", ""] == pytest.approx(share.max(axis=1))  # a tenth of five: one


def test_ranks_correlate_as_spearman_said():
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([5, 5, 5])) == 0.0
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([30, 20, 10])) == pytest.approx(-1.0)
