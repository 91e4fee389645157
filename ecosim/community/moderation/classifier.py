"""Small classifiers of text: a sum of whole-number weights over hashed words, the same score on every machine.

`device` is made to run on the device that a post is written on: single words, 2 KiB of weights. `central` is for a data
centre: words, pairs of words, and runs of four letters, which see through changed spelling. A score is the log-odds of
harm, times `SCALE`; both were trained on texts of which three in ten are harmful. Weights lie in `agents/moderator/`
as safetensors; `training` makes them anew, to the bit.

Source of the features: Weinberger et al. (2009), Feature hashing for large scale multitask learning.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import cast

import numpy as np
import safetensors.numpy

from ecosim import catalog
from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.words import Answers, Expert, Question, costing

SCALE = 32
"""Scores are counted in 32nds of log-odds."""

FLOPS_A_FEATURE = 2
"""A weight is added where a feature is there: a multiplication and an addition; hashing is whole-number work."""

_WORD = re.compile(r"[a-z0-9']+")
_RUN = 4
_REMEMBERED = 65_536
"""Texts whose scores are kept: a text is judged again in other replicas and arms."""

Features = Callable[[str], set[str]]


def words(text: str) -> set[str]:
    """The different words of a text.

    >>> sorted(words("Win, win a PHONE"))
    ['a', 'phone', 'win']
    """
    return set(_WORD.findall(text.lower()))


def words_pairs_runs(text: str) -> set[str]:
    """The different words, pairs of neighbours, and runs of four letters within words that are marked at both ends.

    >>> sorted(words_pairs_runs("Win it"))
    ['#it#', '#win', 'it', 'win', 'win it', 'win#']
    """
    found = _WORD.findall(text.lower())
    pairs = {f"{one} {next_one}" for one, next_one in pairwise(found)}
    marked = [f"#{word}#" for word in found]
    runs = {word[i : i + _RUN] for word in marked for i in range(max(len(word) - _RUN + 1, 1))}
    return {*found, *pairs, *runs}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a classifier looks at.

    Attributes:
        features: of a text.
        num_weights: how many buckets features are hashed into.
        dtype: of the weights.
    """

    features: Features
    num_weights: int
    dtype: str

    def buckets(self, text: str) -> list[int]:
        """Which weights a text adds up; several features may share one."""
        return [zlib.crc32(feature.encode()) % self.num_weights for feature in self.features(text)]


KINDS = {"device": Kind(words, 2**11, "int8"), "central": Kind(words_pairs_runs, 2**15, "int8")}
SHA256 = {
    "device": "17a30008ba3436de562ba125e1a701a2f3ebe6d54ff396f77b84ddeab18c8cdd",
    "central": "0cef174355f59a1e0ce527ba8984683af05208feeb52494d664f05b870a74814",
}
"""Of the files in `agents/moderator/`; beside `by_score`, so that the fingerprint of a mind that uses them has them."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A kind with its weights: int64 (num_weights,) and the score of a text without features."""

    kind: Kind
    weights: list[int]
    bias: int
    _known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def scores(self, texts: Array) -> Array:
        """Log-odds of harm × SCALE of each text, int64 (texts,)."""
        return np.array([self._read(text)[0] for text in texts.tolist()], np.int64)

    def flops(self, texts: Array) -> Array:
        """Floating-point operations for each text, int64 (texts,)."""
        return np.array([self._read(text)[1] for text in texts.tolist()], np.int64)

    def _read(self, text: str) -> tuple[int, int]:
        found = self._known.get(text)
        if found is None:
            at = self.kind.buckets(text)
            found = (self.bias + sum(self.weights[i] for i in at), FLOPS_A_FEATURE * len(at))
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = found
        return found


@cache
def load(name: str) -> Classifier:
    """A classifier of the catalogue.

    Raises:
        CatalogError: its file is missing, or is not the one that was made.
    """
    path = catalog.root() / "agents" / "moderator" / f"{name}.safetensors"
    if not path.is_file():
        raise CatalogError(f"{path}: missing; reinstall, or run `python -m ecosim.community.moderation.training`")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise CatalogError(f"{path}: SHA-256 is not {SHA256[name][:16]}…; reinstall")
    tensors = safetensors.numpy.load(data)
    weights, bias = (cast(Array, tensors[part]) for part in ("weights", "bias"))
    return Classifier(KINDS[name], weights.astype(np.int64).tolist(), int(bias[0]))


def by_score(name: str, shift: float = 0.0) -> Expert:
    """A moderator that acts on a classifier's score, by the policy plus `shift`."""

    def moderate(question: Question) -> Answers:
        """Labels, limits and removes from the policy's scores on; the score is a small classifier's of the words."""
        score = load(name).scores(question["text"]) / SCALE
        passed = [score >= question[bar] + shift for bar in ("label_at", "limit_at", "remove_at")]
        return {"action": np.stack(passed).sum(axis=0)}

    return costing(lambda question: load(name).flops(question["text"]), moderate)
