"""How viewers tire of more of the same, and how far they trust: two columns of worth, and what moves them.

Fatigue is linear satiation: a post watched a days ago takes `persistence` to the power a, times `topic` or `creator`,
off the worth of another on its topic or of its creator. Only the last eight posts are remembered, so a viewer takes the
same room whatever the number of creators.

Source of fatigue: Leqi, Kilinc Karzan, Lipton, Montgomery (2021), Rebounding bandits for modeling satiation effects.
Source of trust: Jonker, Treur (1999), Formal analysis of models for the dynamics of trust based on experiences; that
bad experience weighs more: Slovic (1993), Perceived risk, trust, and democracy.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.community.facts.audience import Audience, Fatigue, Trust
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.meanings import Meaning
from ecosim.words import Table

MEMORY = 8
"""Posts that a viewer remembers; with a persistence of .7, those before weigh less than 6 % if it watches one a day."""
_LONGEST = 64
_GRAIN = 1024

SEES = {
    "fatigue": Meaning("log-odds", "what having had more of the same lately takes off each post; 0 or below"),
    "trust": Meaning("log-odds", "what more or less trust in AI than at first adds to each post of an AI creator"),
}
VIEWERS = {
    "last_topic": Meaning("id", "topics of the last eight posts watched, in any order; −1 where none"),
    "last_creator": Meaning("id", "their creators"),
    "last_day": Meaning("day", "when"),
    "trust_in_platform": Meaning("/1e6", "0 to 1"),
    "trust_in_ai": Meaning("/1e6", "0 to 1, in what is labelled as made by AI"),
}


def start(facts: Audience, viewers: Table) -> None:
    """Add the columns of what the scenario has."""
    shape = (viewers.num_rows, MEMORY)
    if facts.fatigue is not None:
        viewers["last_topic"], viewers["last_creator"] = np.full(shape, -1, np.int16), np.full(shape, -1, np.int32)
        viewers["last_day"] = np.zeros(shape, np.int32)
    for name in ("trust_in_platform", "trust_in_ai"):
        trust: Trust | None = getattr(facts, name)
        if trust is not None:
            viewers[name] = np.full(viewers.num_rows, micro(trust.start), np.int32)


def left_over(persistence: float) -> Array:
    """What is left of a post after 0, 1, … days, in 1024ths, int64 (65,); whole numbers, so that sums are exact.

    >>> left_over(0.5)[:4]
    array([1024,  512,  256,  128])
    """
    left = [1.0]
    for _ in range(_LONGEST):
        left.append(left[-1] * persistence)
    return np.rint(_GRAIN * np.array(left)).astype(np.int64)


def fatigue(facts: Fatigue, viewers: Table, rows: Array, day: int, topic: Array, creator: Array) -> Array:
    """What each viewer's last posts take off each post of its slate, log-odds, float64 (rows, slots), 0 or below."""
    left = left_over(facts.persistence)
    same_topic, same_creator = np.zeros(topic.shape, np.int64), np.zeros(topic.shape, np.int64)
    for turn in range(MEMORY):
        age = np.minimum(day - viewers["last_day"][rows, turn], _LONGEST)
        weight = left[age][:, None]
        same_topic += weight * (viewers["last_topic"][rows, turn, None] == topic)
        same_creator += weight * (viewers["last_creator"][rows, turn, None] == creator)
    return cast(Array, -(facts.topic * same_topic + facts.creator * same_creator) / _GRAIN)


def remember(viewers: Table, rows: Array, day: int, topic: Array, creator: Array) -> None:
    """Put a post just watched in the place of the oldest."""
    turn = viewers["last_day"][rows].argmin(axis=1)
    for name, value in (("last_topic", topic), ("last_creator", creator), ("last_day", day)):
        viewers[name][rows, turn] = value


def moved(trust: Array, facts: Trust, is_bad: Array) -> Array:
    """Trust after an experience, millionths.

    >>> moved(np.array([500_000, 500_000]), Trust(gain=0.1, loss=0.2), np.array([False, True]))
    array([550000, 400000])
    """
    trust = trust.astype(np.int64)
    up = trust + (MILLION - trust) * micro(facts.gain) // MILLION
    down = trust - trust * micro(facts.loss) // MILLION
    return np.where(is_bad, down, up)


def confidence(trust: Array, facts: Trust) -> Array:
    """What trust above or below its start is worth, log-odds, float64."""
    return cast(Array, facts.weight * ((trust - micro(facts.start)) / MILLION))
