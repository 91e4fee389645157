"""How the classifiers were made: `python -m ecosim.community.moderation.training` writes their weights anew, bit-equal.

Both learn from `phrases.TRAINING`, which no world uses, by logistic regression: full gradient steps with momentum and
a small pull to zero. Sums run one after another (`bincount`) and exp is our own, so that a float has the same bits
on every machine. `device` learns from few texts, of which people without an ear for the coastal spelling took
`_MISHEARD` of the harmless coastal ones for harmful; `central` from more texts, rightly labelled.

That labels, and classifiers after them, hold a dialect against its speakers is what Sap et al. (2019), The risk of
racial bias in hate speech detection, found; the share here is made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy

from ecosim import catalog, exact, seeds
from ecosim.community.moderation.classifier import KINDS, SCALE, Classifier
from ecosim.community.moderation.phrases import KINDS as HARMS
from ecosim.community.moderation.phrases import TRAINING, WORLD, Phrases
from ecosim.community.moderation.texts import compose
from ecosim.fields import Array

_TOPICS = ("cooking", "old maps", "garden birds", "swimming", "choir songs", "card games", "knitting", "street photos")
_HARMFUL, _SEVERE, _HARD = 0.3, 0.4, 0.3
_STEPS, _RATE, _MOMENTUM = 300, 4.0, 0.9
_MISHEARD = 0.5


@dataclass(frozen=True, slots=True)
class Course:
    """What a classifier learns from.

    Attributes:
        num_texts: how many.
        coastal: share of texts in the coastal spelling.
        misheard: share of the harmless ones of these that are labelled as harmful.
        pull: to zero, of every weight in each step, as a share.
    """

    num_texts: int
    coastal: float
    misheard: float
    pull: float


COURSES = {
    "device": Course(num_texts=1500, coastal=0.06, misheard=_MISHEARD, pull=1e-3),
    "central": Course(num_texts=6000, coastal=0.1, misheard=0.0, pull=2e-4),
}


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts with the truth about them: `is_harmful`, and what the label says; all (texts,)."""

    texts: Array
    is_harmful: Array
    label: Array
    is_coastal: Array
    is_hard: Array


def examples(num_texts: int, coastal: float, misheard: float, seed: int, stock: Phrases) -> Examples:
    """Texts as a world would have them, drawn from a seed."""
    row = np.arange(num_texts)

    def lot(lane: int) -> Array:
        return seeds.uniform(seeds.WORLD, np.array([seed], np.uint64), 0, "moderation.training", (row,), lane)

    is_harmful = lot(0) < _HARMFUL
    kind = np.where(is_harmful, 1 + (lot(1) * (len(HARMS) - 1)).astype(np.int64), 0)
    is_coastal, is_hard = lot(2) < coastal, lot(3) < _HARD
    topics = np.array(_TOPICS, dtype=object)[(lot(4) * len(_TOPICS)).astype(np.int64)]
    lots = np.stack([lot(lane) for lane in (5, 6, 7)], axis=1)
    texts = compose(kind, lot(8) < _SEVERE, is_hard, is_coastal, topics, lots, stock)
    return Examples(texts, is_harmful, is_harmful | (is_coastal & (lot(9) < misheard)), is_coastal, is_hard)


def train(name: str) -> dict[str, Array]:
    """The weights of a classifier: `weights` and `bias`, whole numbers of 32nds of log-odds."""
    course, kind = COURSES[name], KINDS[name]
    known = examples(course.num_texts, course.coastal, course.misheard, 1, TRAINING)
    found = [kind.buckets(text) for text in known.texts.tolist()]
    row = np.repeat(np.arange(len(found)), [len(buckets) for buckets in found])
    column = np.array([bucket for buckets in found for bucket in buckets], np.int64)
    weights, bias = _fit(row, column, known.label.astype(np.float64), kind.num_weights, course.pull)
    most = np.iinfo(kind.dtype).max
    whole = np.clip(np.rint(weights * SCALE), -most, most).astype(kind.dtype)
    return {"weights": whole, "bias": np.array([np.rint(bias * SCALE)], np.int64)}


def _fit(row: Array, column: Array, label: Array, num_weights: int, pull: float) -> tuple[Array, float]:
    """Logistic regression on the features (row, column), each of value 1."""
    weights, speed, bias, bias_speed = np.zeros(num_weights), np.zeros(num_weights), 0.0, 0.0
    num_texts = len(label)
    for _ in range(_STEPS):
        score = np.bincount(row, weights[column], num_texts) + bias
        miss = label - 1.0 / (1.0 + exact.exp(-score))
        step = np.bincount(column, miss[row], num_weights) / num_texts - pull * weights
        speed = _MOMENTUM * speed + step
        bias_speed = _MOMENTUM * bias_speed + float(np.bincount(np.zeros(num_texts, np.int64), miss)[0]) / num_texts
        weights, bias = weights + _RATE * (1 - _MOMENTUM) * speed, bias + _RATE * (1 - _MOMENTUM) * bias_speed
    return weights, bias


def score(classifier: Classifier, threshold: float = 0.0) -> dict[str, float]:
    """How well a classifier does on the phrases of worlds, which it has not seen."""
    tests = examples(4000, 0.3, 0.0, 2, WORLD)
    found = classifier.scores(tests.texts) >= threshold * SCALE
    right = float((found & tests.is_harmful).sum())
    fine, spelt = ~tests.is_harmful, tests.is_coastal
    scores = {
        "precision": right / max(float(found.sum()), 1.0),
        "recall": right / float(tests.is_harmful.sum()),
        "false_positive_rate": float(found[fine & ~spelt].mean()),
        "false_positive_rate_coastal": float(found[fine & spelt].mean()),
        "flops": float(classifier.flops(tests.texts).mean()),
    }
    precision, recall = scores["precision"], scores["recall"]
    return {"f1": 2 * precision * recall / max(precision + recall, 1e-9), **scores}


def packed(tensors: Mapping[str, Array]) -> bytes:
    """The file of some weights."""
    return bytes(safetensors.numpy.save(dict(tensors)))


def main(folder: Path | None = None) -> None:
    """Train both, write them, say how well they do."""
    folder = folder or catalog.root() / "agents" / "moderator"
    for name, kind in KINDS.items():
        tensors = train(name)
        data = packed(tensors)
        (folder / f"{name}.safetensors").write_bytes(data)
        made = Classifier(kind, tensors["weights"].astype(np.int64).tolist(), int(tensors["bias"][0]))
        scores = " ".join(f"{key} {value:.3f}" for key, value in score(made).items())
        print(f"{name}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}\n  {scores}")


if __name__ == "__main__":
    main()
