"""Typed opponents for talks about a price: the tactics of the market with exponents of their own, and some who leave.

An opponent's type is hidden from whoever talks with it. Time-based ones ask for a share of their gain that falls with
time by an exponent (above 1 late, below 1 early); those who *leave* do so before their deadline, without having come
down to their limit. Imitators and the one who foresees are those of `manufacturing.tactics`. Types that a mind trains
against and types that it is judged by differ: exponents, when they leave, deadlines, limits, and the market price.

Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecosim import seeds
from ecosim.fields import NOT_ASKED, Array, Bucket
from ecosim.manufacturing import tactics
from ecosim.manufacturing.hearing import ACCEPT, REJECT
from ecosim.rules import bargain
from ecosim.training.play.bargaining import Family
from ecosim.words import Answers, Expert, Question

SCRIPTED: Mapping[str, Expert] = {
    name: tactics.NEGOTIATE[name]
    for name in ("boulware", "linear", "conceder", "tit_for_tat", "averaged_tit_for_tat", "best_response")
}
"""The market's own strategies: what a trained mind has to beat."""


def time_based(exponent: float) -> Expert:
    """A negotiator whose aspiration is 1 − t^exponent."""

    def target(question: Question, is_buyer: bool) -> Array:
        price = question.field("price")
        assert isinstance(price, Bucket)
        last = question["round"] + question["rounds_left"]
        share = bargain.aspiration(bargain.elapsed(question["round"], last - 1), exponent)
        cut = bargain.buyer_price if is_buyer else bargain.seller_price
        return cut(price.low, price.high, share)

    return lambda question: tactics.moved(question, target)


def leaving(exponent: float, patience: float) -> Expert:
    """A time-based negotiator who ends the talk, without a deal, after a share of its rounds."""
    stays = time_based(exponent)

    def expert(question: Question) -> Answers:
        answers = dict(stays(question))
        last = question["round"] + question["rounds_left"]
        leaves = (question["round"] > np.ceil(patience * last)) & (answers["act"] != ACCEPT)
        asked = {name: np.where(leaves, NOT_ASKED, column) for name, column in answers.items()}
        return {**asked, "act": np.where(leaves, REJECT, answers["act"])}

    return expert


@dataclass(frozen=True, slots=True)
class Population:
    """Opponents by name, each as likely as any other, and the talks that they are met in."""

    types: Mapping[str, Expert]
    families: tuple[Family, ...]

    @property
    def experts(self) -> list[Expert]:
        """The types in order."""
        return list(self.types.values())

    def assigned(self, talk: Array, seed: int) -> Array:
        """The type in each talk, int64 (talks,).

        Draws:
            From the imagined stream, keyed by the talk's number.
        """
        key = np.array([seed], np.uint64)
        return seeds.integers(len(self.types), seeds.IMAGINED, key, 0, "types", (talk,))


def _types(exponents: tuple[float, ...], leavers: tuple[tuple[float, float], ...]) -> dict[str, Expert]:
    found = {f"time_based({e:g})": time_based(e) for e in exponents}
    found |= {f"leaving({e:g}, {share:g})": leaving(e, share) for e, share in leavers}
    return found | {name: SCRIPTED[name] for name in ("tit_for_tat", "averaged_tit_for_tat", "best_response")}


TRAINING = Population(
    _types((8.0, 4.0, 2.0, 1.0, 0.5, 0.25), ((4.0, 0.6), (1.0, 0.8))),
    (
        Family(worth=(1.6, 3.2), spread=0.15, rounds=(3, 12)),
        Family(worth=(1.8, 2.8), spread=0.2, rounds=(4, 10), market=(0.35, 0.65)),
    ),
)
HELD_OUT = Population(
    _types((6.0, 3.0, 1.4, 0.7, 0.35, 0.15), ((5.0, 0.7), (1.5, 0.5))),
    (
        Family(worth=(2.1, 2.6), spread=0.1, rounds=(4, 10)),
        Family(worth=(1.7, 3.0), spread=0.18, rounds=(3, 11), patience=1.5, market=(0.4, 0.6)),
    ),
)
