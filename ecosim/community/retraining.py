"""The loop of models that learn from what models posted: what is measured of it, and the chapter that brings it.

Figures compare models with the truth, which is what humans post: `true_weights` of topics, and a standard normal style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact
from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.facts.people import ROLES
from ecosim.community.provenance import PROVENANCE, STATES, Trace, build, num_bytes, styles, true_weights
from ecosim.community.retrain import SCHEMAS, Retrain, style_variances
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, grid
from ecosim.fields import Array
from ecosim.side import Events, Figure, Series

if TYPE_CHECKING:
    from ecosim.world import World

TAIL = 2.0
"""A post is in the tail of style beyond so many standard deviations of the truth: 4.55 % of human posts are."""

METRICS = {
    "model_generation": Figure("", "generations of models, mean over AI creators"),
    "model_diversity": Figure("", "1 − Σp² of a model's chances of topics, mean over AI creators", "higher"),
    "model_entropy": Figure("nats", "entropy of the topics of all models taken together", "higher"),
    "topic_distance": Figure(
        "", "total variation, ½ Σ|p − q|, between the topics of all models and the truth", "lower"
    ),
    "lost_topics": Figure("share", "topics that no AI creator's model has any more", "lower"),
    "style_variance": Figure("", "variance of a model's style over the truth's, mean over AI creators and dimensions"),
    "style_distance": Figure(
        "SD",
        "Fréchet distance √(mean of (μ² + (σ − 1)²) over dimensions) between the style of all models and the truth",
        "lower",
    ),
    "tail_share": Figure(
        "share",
        "posts that feeds may show whose style lies beyond 2 SD in a dimension (truth .0455); by role",
        "higher",
    ),
    "human_impression_share": Figure("share", "today's impressions that were of posts by humans"),
}
KPIS = {
    **{name: figure for name, figure in METRICS.items() if name not in ("tail_share", "human_impression_share")},
    "human_impression_share": Figure("share", "impressions of the whole run that were of posts by humans"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """The figures of a day; those of models are nan where there is no AI creator."""
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, values in _of_models(world).items():
            add.figures[name, ""] = values
        impressions, is_human = _impressions(world)
        add.figures["human_impression_share", ""] = (impressions * is_human).sum(axis=1) / impressions.sum(axis=1)
        role = grid(world.tables["creators"], "role", world.num_replicas)
        places = grid(world.tables["posts"], "post", world.num_replicas).shape[1]
        role = np.tile(role, (1, places // role.shape[1]))
        is_there = grid(world.tables["posts"], "is_open", world.num_replicas)
        beyond = (np.abs(styles(world)) > TAIL).mean(axis=2)
        for code, name in enumerate(ROLES):
            of_role = is_there & (role == code)
            if (role == code).any():
                add.figures["tail_share", name] = (beyond * of_role).sum(axis=1) / of_role.sum(axis=1)


def conclude(world: World, series: Series, add: Adder) -> None:
    """Models as they are at the end, and who was shown in the whole run."""
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, values in _of_models(world).items():
            add.figures[name, ""] = values
        shown = series["impressions", ""]
        human = np.nan_to_num(series["human_impression_share", ""]) * shown
        add.figures["human_impression_share", ""] = human.sum(axis=0) / shown.sum(axis=0)


def _of_models(world: World) -> dict[str, Array]:
    """Figures of the models as they stand, float64 (replicas,) each."""
    creators, num = world.tables["creators"], world.num_replicas
    is_pupil = (grid(creators, "role", num) == ROLES.index("ai_creator")) & grid(creators, "is_active", num)
    size = is_pupil.sum(axis=1)
    weights = grid(creators, "topic_weights", num)
    p = weights / np.maximum(weights.sum(axis=2, keepdims=True), 1)
    scenario = world.scenario
    assert isinstance(scenario, CommunityScenario)
    true = true_weights(scenario)
    q = true / true.sum()
    pool = (p * is_pupil[:, :, None]).sum(axis=1) / size[:, None]
    variance = style_variances(world)
    return {
        "model_generation": (grid(creators, "generation", num) * is_pupil).sum(axis=1) / size,
        "model_diversity": ((1 - (p * p).sum(axis=2)) * is_pupil).sum(axis=1) / size,
        "model_entropy": -(pool * exact.log(np.where(pool > 0, pool, 1.0))).sum(axis=1),
        "topic_distance": np.abs(pool - q).sum(axis=1) / 2,
        "lost_topics": (pool == 0).mean(axis=1),
        "style_variance": (variance.mean(axis=2) * is_pupil).sum(axis=1) / size,
        "style_distance": _style_distance(world, variance, is_pupil, size),
    }


def _style_distance(world: World, variance: Array, is_pupil: Array, size: Array) -> Array:
    """Of the mixture of all models, by its mean and variance in each dimension.

    Source: Dowson, Landau (1982), The Fréchet distance between multivariate normal distributions; with independent
    dimensions it is the 2-Wasserstein distance of normals.
    """
    creators, num = world.tables["creators"], world.num_replicas
    mean = grid(creators, "style_sum", num) / grid(creators, "style_posts", num)[:, :, None] / 1000
    counts = is_pupil[:, :, None]
    centre = (mean * counts).sum(axis=1) / size[:, None]
    spread = np.sqrt(((variance + (mean - centre[:, None, :]) ** 2) * counts).sum(axis=1) / size[:, None])
    found: Array = np.sqrt((centre**2 + (spread - 1) ** 2).mean(axis=1))
    return found


def _impressions(world: World) -> tuple[Array, Array]:
    """Impressions of each place today, and whether a human holds it."""
    posts = world.tables["posts"]
    shown = grid(posts, "impressions_today", world.num_replicas)
    return shown, grid(posts, "generation", world.num_replicas) == NOBODY


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.retraining is not None,
    phases={"trace": Trace, "retrain": Retrain},
    schemas={"provenance": PROVENANCE, **SCHEMAS},
    states=STATES,
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=num_bytes,
)
