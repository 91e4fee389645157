"""What titles are worth, judged by an encoder other than the one that the feed ranks with.

A feed that compares titles rewards those that its own encoder likes; judged by the same encoder, titles would seem to
get better as they get more alike. So a scenario names another one in `judge`, and one of the same name is refused.

Figures are outside the digest, so floating point is fine here. Each different text is embedded once (`titles`, and for
MiniLM `models.encoder`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, layout
from ecosim.community.titles import Embedder, letter_vectors, word_vectors
from ecosim.errors import ScenarioError
from ecosim.fields import Array
from ecosim.side import Events, Figure, Series

if TYPE_CHECKING:
    from ecosim.world import World

_OF = "of posts that feeds may show, as the judge's encoder has it; by role"
METRICS = {
    "title_similarity": Figure("", f"mean cosine of two titles {_OF}: 1 where all are alike", "lower"),
    "title_quality": Figure("", f"mean cosine of a title and its topic's name {_OF}", "higher"),
    "title_distinct": Figure(
        "share", "different pairs of neighbouring words among all pairs in titles; by role", "higher"
    ),
}
"""Source of the last: distinct-2 of Li et al. (2016), A diversity-promoting objective function for neural
conversation models."""


def chapter(embedders: Mapping[str, Embedder]) -> Chapter:
    """Judges by name; `letters` and `words` are there already."""
    known: dict[str, Embedder] = {"letters": letter_vectors, "words": word_vectors, **embedders}

    def measure(world: World, events: Events, add: Adder) -> None:
        scenario = world.scenario
        assert isinstance(scenario, CommunityScenario) and scenario.judge is not None
        if scenario.judge not in known:
            raise ScenarioError(
                f"scenario: judge: {scenario.judge!r} needs a model that is not at hand here; known: {', '.join(known)}"
            )
        for key, values in judged(world, layout(scenario), known[scenario.judge]).items():
            add.figures[key] = values

    return Chapter(
        is_in=lambda scenario: scenario.judge is not None,
        metrics=METRICS,
        kpis=METRICS,
        measure=measure,
        conclude=_mean,
    )


def judged(world: World, net: Layout, embed: Embedder) -> dict[tuple[str, str], Array]:
    """The figures of the titles that stand now, all together and by role; nan where there are fewer than two."""
    posts = world.tables["posts"]
    at = np.flatnonzero(posts["is_open"])
    replica, titles = posts["replica"][at], posts["title"][at].tolist()
    role = net.role[posts["place"][at] % net.num_creators]
    unit, label = _unit(embed(titles)), _unit(embed(net.topics))
    quality = (unit * label[posts["topic"][at]]).sum(axis=1)
    found: dict[tuple[str, str], Array] = {}
    there = {str(name): code for code, name in enumerate(ROLES) if (net.role == code).any()}
    groups: dict[str, Array] = {"": role >= 0} | {name: role == code for name, code in there.items()}
    for name, of_role in groups.items():
        mine = [np.flatnonzero(of_role & (replica == r)) for r in range(world.num_replicas)]
        found["title_similarity", name] = np.array([mean_cosine(unit[rows]) for rows in mine])
        found["title_quality", name] = np.array([quality[rows].mean() if len(rows) else np.nan for rows in mine])
        found["title_distinct", name] = np.array([distinct_pairs([titles[i] for i in rows]) for rows in mine])
    return found


def mean_cosine(unit: Array) -> float:
    """Mean cosine over pairs of different rows, which have length 1: (|Σu|² − n) ÷ (n(n − 1)); nan under two rows.

    >>> mean_cosine(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])).__round__(4)
    0.3333
    """
    n, total = len(unit), unit.sum(axis=0)
    return float((total @ total - n) / (n * (n - 1))) if n > 1 else float("nan")


def distinct_pairs(titles: list[str]) -> float:
    """Different pairs of neighbouring words over all of them; nan where there is none.

    >>> distinct_pairs(["why jazz works", "why jazz lives"])
    0.75
    """
    pairs = [pair for title in titles for pair in pairwise(title.lower().split())]
    return len(set(pairs)) / len(pairs) if pairs else float("nan")


def _unit(vectors: Array) -> Array:
    """Rows of length 1; rows of nothing stay so."""
    vectors = np.asarray(vectors, np.float64)
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    found: Array = vectors / np.where(length == 0, 1.0, length)
    return found


def _mean(world: World, series: Series, add: Adder) -> None:
    """Means over the days that have titles."""
    for (name, group), values in series.items():
        if name in METRICS:
            there = ~np.isnan(values)
            with np.errstate(invalid="ignore"):
                add.figures[name, group] = np.where(there, values, 0.0).sum(axis=0) / there.sum(axis=0)
