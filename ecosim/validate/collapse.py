"""The cases of models that learn from their own posts: exact laws of drift, and a pattern found in language models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ecosim import simulate
from ecosim.community.scenario import CommunityScenario
from ecosim.fields import Array
from ecosim.record.store import Memory
from ecosim.rules import refit
from ecosim.scenario import build
from ecosim.simulate import Arm, Finished, Manner
from ecosim.validate import ngram
from ecosim.validate.cases import Case, Figure, above, estimated, near, standard_error

NUM_TOPICS = 8
DIVERSITY = 1 - 1 / NUM_TOPICS
"""1 − Σq² of topics that are equally likely."""
REPLICAS = 32


def retrained(retraining: Mapping[str, Any], generations: int, pupils: int, humans: int = 0) -> Finished:
    """A run of lineages side by side: creators post a topic a day and learn, and nobody watches."""
    data = {
        "world": "community",
        "title": "models that learn from posts",
        "steps": retraining["every_days"] * generations,
        "seeds": REPLICAS,
        "niches": {"music": {"topics": [f"song {i + 1}" for i in range(NUM_TOPICS)]}},
        "creators": [
            {"role": "ai_creator", "niche": "music", "count": pupils},
            *([{"role": "human_creator", "niche": "music", "count": humans}] if humans else []),
        ],
        "viewers": {"count": 1, "visit_chance": 0.0},
        "feed": {"kind": "random", "slate": 1, "kept_posts": 1},
        "minds": {"ai_creator.publish": "model", "human_creator.publish": "model"},
        "retraining": {"of": "own", **retraining},
    }
    scenario = build(CommunityScenario, data, place="validate")
    return simulate.simulate(scenario, [Arm(name="all")], Memory(), Manner())


def replacing(size: int = 20, pupils: int = 16) -> list[Figure]:
    """Twenty generations that each learn from twenty posts of the last one."""
    facts = {"every_days": size, "style_dims": 16}
    series = retrained(facts, generations=20, pupils=pupils).series
    left = round(refit.kept_when_replacing(size, 20), 4)
    return [
        estimated("style variance left, T = 20", series["style_variance", ""][-1], left),
        estimated("topic diversity left, T = 1", series["model_diversity", ""][size - 1] / DIVERSITY, 1 - 1 / size),
        estimated("topic diversity left, T = 20", series["model_diversity", ""][-1] / DIVERSITY, left),
    ]


def accumulating(size: int = 10, generations: int = 20, pupils: int = 16) -> list[Figure]:
    """Twenty generations that each learn from all posts so far, and the limit that the exact rest of them leads to."""
    facts = {"every_days": size, "style_dims": 24, "keep": "accumulate"}
    left = retrained(facts, generations=generations, pupils=pupils).series["style_variance", ""][-1]
    at_end, limit = refit.kept_when_accumulating(size, generations), 0.8434
    rest = refit.kept_when_accumulating(size, 100_000) / at_end
    return [
        estimated(f"style variance left, T = {generations}", left, round(at_end, 4)),
        near("style variance left, T → ∞", left.mean() * rest, standard_error(left) * rest, limit),
    ]


def with_humans(own: int = 18, human: int = 2, generations: int = 10) -> list[Figure]:
    """How diverse topics stay if a tenth of each corpus is by humans."""
    facts = {"every_days": own, "posts": own + human, "human_share": human / (own + human), "style_dims": 1}
    found = retrained(facts, generations, pupils=20, humans=4).series["model_diversity", ""][-1]
    target = round(refit.diversity_with_humans(human, own, generations, DIVERSITY), 4)
    return [
        estimated(f"topic diversity, T = {generations}", found, target),
        above(
            "more than without", found.mean(), DIVERSITY * refit.kept_when_replacing(own + human, generations), "law"
        ),
    ]


def language(worlds: int = 4, generations: int = 5, size: int = 30_000) -> list[Figure]:
    """Held-out perplexity of a character model that learns from its own text, with and without some of the original."""
    text = ngram.real_text()
    held_out = text[-size:]
    runs: dict[float, Array] = {}
    for kept in (0.0, 0.1):
        starts = np.linspace(0, len(text) - 2 * size, worlds).astype(int)
        found = [
            ngram.perplexities(text[start : start + size], held_out, kept, generations, seed, writers=500)
            for seed, start in enumerate(starts.tolist())
        ]
        runs[kept] = np.array(found)
    alone, some = ((run / run[:, :1]) for run in (runs[0.0], runs[0.1]))  # over generation 0
    worse = alone[:, -1] - some[:, -1]
    return [
        above("least rise of perplexity in a generation", np.diff(alone, axis=1).min(), 0, "rises every time"),
        above("rise with 10 % original data", some[:, -1].mean() - 1, 0, "above generation 0"),
        above("rise more without", worse.mean(), 4 * standard_error(worse), "strict order by 4 standard errors"),
    ]


CASES = (
    Case(
        name="retraining_replace", part="community", kind="V1",
        shows="models that learn from their own last posts lose variance and diversity as fast as drift says",
        source="maximum likelihood: E[s²_T] = σ²(1 − 1/n)^T (Shumailov et al. 2024); for topics Wright (1931)",
        method="phases publish, trace, retrain: 512 lineages × 16 dimensions, n = T = 20, 8 topics; errors over 32 "
        "replicas",
        compute=replacing,
    ),
    Case(
        name="retraining_accumulate", part="community", kind="V1",
        shows="models that learn from all posts so far keep most of their variance",
        source="∏ (1 − 1/(n·t²)) → sin(π/√n) / (π/√n) (Gerstgrasser et al. 2024; Kazdan et al. 2024)",
        method="phases publish, trace, retrain: 512 lineages × 16 dimensions, n 10, T 20; for the limit what was found "
        "is multiplied by the exact factors of t = 21, 22, …, in all .9951",
        compute=accumulating,
    ),
    Case(
        name="retraining_human_share", part="community", kind="V1",
        shows="a tenth of human posts in every corpus slows the loss of topics as much as theory says",
        source="drift with immigration, Wright (1931), for 18 own and 2 human posts a generation",
        method="phases publish, trace, retrain: 640 lineages, 4 humans, T 10; errors over 32 replicas",
        compute=with_humans,
    ),
    Case(
        name="retraining_language", part="community", kind="V3",
        shows="a language model that learns from its own text gets worse at real text, less with 10 % of the original",
        source="Shumailov et al. (2024), AI models collapse when trained on recursively generated data, Nature 631 "
        "(there OPT-125m on wikitext-2; the order is compared, not the size)",
        method="a 4-gram model of characters on 30,000 characters of Python's help pages, 5 generations, 4 worlds; "
        "the model of a page, no transformer, and no phase: nothing here is published or shown",
        compute=language,
    ),
)  # fmt: skip
