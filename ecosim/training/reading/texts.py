"""Bulletins, letters and clauses with planted truth: `read` questions as worlds ask them, and the right answers.

Every row is drawn: who tells, how often that source was right, what it says of which firm and week, and in which words.
The words are the world's own grammar (`manufacturing.wordings`) over a stock that is apart for training and test; names
of firms, goods and sources are apart as well. What is right: news, kind, who and week as the text says them, and for
`believe` a chance: the source's record, or, where two sources disagree that are right with chances p and q,
p(1 − q) ÷ (p(1 − q) + q(1 − p)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.manufacturing.bulletins import HAPPENINGS, NO_YES
from ecosim.manufacturing.facts.bulletins import CONTRACTS, PARTNERS
from ecosim.manufacturing.news import CLAUSE, KINDS, NOTHING
from ecosim.manufacturing.pages import SLOTS
from ecosim.manufacturing.reading import UNITS, WEEKS_AHEAD
from ecosim.manufacturing.wordings import TRAITS, Wordings, write
from ecosim.words import Question, Table

LETTERS = ("late", "short", "more", "clause")
SHOCKS = ("surge", "closure", "delay", "cost_jump", "value_jump")
_ABOUT = {"news": 0.7, "letters": 0.2, "shocks": 0.1}
"""What rows are about: makers' outages and recalls, letters and clauses, shocks."""
_SHARES = {"idle": 0.1, "denied": 0.3, "disputed": 0.25}
"""Of rows about makers: of no matter; denied; with two sources that disagree (the rest claims)."""
_MOST_AHEAD = 12
_CLEAR = 0.05
"""How far records are from a half, and those of two sources that disagree from each other, at least."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of firms (stems, to which numbers are added), goods and sources."""

    firms: tuple[str, ...]
    goods: tuple[str, ...]
    sources: tuple[str, ...]


TRAIN_NAMES = Names(
    firms=(
        "mill", "steelworks", "resin_plant", "pump_maker", "bakery", "weaver", "north_works", "delta_parts",
        "glass_house", "cable_factory", "brewer", "paper_mill", "Harlan", "Okoro", "Petersen", "Vasquez", "chip_plant",
        "tannery", "motor_shop", "sawmill", "kiln", "dairy", "printer", "Lindqvist", "valve_maker", "refinery",
    ),
    goods=(
        "flour", "steel", "resin", "pump", "bread", "cloth", "glass", "cable", "beer", "paper", "leather", "board",
        "valve", "milk", "chip", "sugar", "engine", "tile", "fuel", "bolt",
    ),
    sources=(
        "registry", "trade press", "grapevine", "newsletter", "radio", "exchange", "daily paper", "chamber of trade",
        "newswire", "market report", "weekly", "bank", "haulier", "forum",
    ),
)  # fmt: skip
TEST_NAMES = Names(
    firms=("foundry", "spinner", "Marchetti", "cement_works", "south_yard", "lamp_maker", "Adeyemi", "tyre_plant"),
    goods=("axle", "yarn", "cement", "lamp", "tyre", "gear", "soap"),
    sources=("gazette", "harbour office", "tavern talk", "insurer", "blog", "customs desk"),
)


@dataclass(frozen=True, slots=True)
class Readings:
    """Rows of `read` with what is right.

    Attributes:
        question: as a world asks it.
        answers: the right ones, by field; NOT_ASKED behind "no".
        chance: that what is claimed is so, float (rows,); nan where nothing is.
        traits: what makes each text hard, bool (rows, TRAITS).
    """

    question: Question
    answers: Mapping[str, Array]
    chance: Array
    traits: Array

    def rows_of(self, slice_: str) -> Array:
        """The rows of a slice, bool: a trait, `plain` (no trait), or `all`."""
        if slice_ == "all":
            return np.ones(len(self.traits), bool)
        if slice_ == "plain":
            return np.asarray(~self.traits.any(axis=1))
        return np.asarray(self.traits[:, TRAITS.index(slice_)])


SLICES = ("all", "plain", *TRAITS)


def readings(rng: np.random.Generator, num: int, stock: Wordings, names: Names, role: str = "distributor") -> Readings:
    """Rows drawn anew.

    Args:
        rng: where draws come from.
        num: how many rows.
        stock: the wordings.
        names: of firms, goods and sources.
        role: who is asked.
    """
    sources = (*names.sources, PARTNERS, CONTRACTS)
    firms, is_firm = _firms(rng, num, names.firms)
    about = np.array([rng.choice(np.flatnonzero(row)) for row in is_firm])
    now = rng.integers(1, 100, num)
    said = _said(rng, num, now, len(names.sources), stock)
    others = [np.flatnonzero(row & (np.arange(len(SLOTS)) != mine)) for row, mine in zip(is_firm, about, strict=True)]
    beside = np.array([rng.choice(other) for other in others])
    base = np.arange(num) * len(SLOTS)
    table = Table(
        {**said, "about": base + about, "beside": base + beside, "item": rng.integers(len(names.goods), size=num)}
    )
    goods = np.array(names.goods, dtype=object)
    texts, traits = write(table, firms.reshape(-1), goods, sources, now, 4, stock)
    record, rival_record = _records(rng, said, sources)
    chance = _chance(said, record, rival_record)
    is_claim = (said["kind"] != NOTHING) & (said["is_denied"] == 0)
    answers = {
        "news": is_claim.astype(np.int64),
        "kind": said["kind"] - 1,
        "who": about,
        "week": said["week"],
        "believe": (chance >= 0.5).astype(np.int64),
    }
    answers = {n: a if n == "news" else np.where(is_claim, a, NOT_ASKED) for n, a in answers.items()}
    rival = np.array([sources[code] if code >= 0 else "" for code in said["rival"]], object)
    columns = {
        "text": texts,
        "source": np.array([sources[code] for code in said["source"]], object),
        "source_record": record,
        "item_name": goods[table["item"]],
        "firm": np.where(is_firm, base[:, None] + np.arange(len(SLOTS)), -1),
        "firm_name": np.where(is_firm, firms, ""),
        "this_week": now,
        "rival": rival,
        "rival_record": rival_record,
    }
    return Readings(_question(role, columns, is_firm), answers, np.where(is_claim, chance, np.nan), traits)


def _firms(rng: np.random.Generator, num: int, stems: Sequence[str]) -> tuple[Array, Array]:
    """Names in four slots a row, and which slots are filled, two or more; most share a stem, as firms of a group do."""
    names = np.empty((num, len(SLOTS)), object)
    for row in names:
        same = rng.random() < 0.6
        found = [rng.choice(stems)] * len(SLOTS) if same else rng.choice(stems, len(SLOTS), replace=False)
        numbers = rng.choice(np.arange(1, 13), len(SLOTS), replace=False)
        is_bare = not same and rng.random() < 0.3
        row[:] = [str(stem) if is_bare else f"{stem}_{number}" for stem, number in zip(found, numbers, strict=True)]
    order = rng.random((num, len(SLOTS))).argsort(axis=1)
    return names, order < rng.integers(2, len(SLOTS) + 1, num)[:, None]


def _said(rng: np.random.Generator, num: int, now: Array, num_sources: int, stock: Wordings) -> dict[str, Array]:
    """What each row says, but for firms and goods; columns as worlds have them."""
    topic = rng.choice(list(_ABOUT), num, p=list(_ABOUT.values()))
    is_news, lot = topic == "news", rng.random(num)
    kinds = {"news": ("outage", "outage", "recall"), "letters": LETTERS, "shocks": SHOCKS}
    kind = np.array([KINDS.index(str(rng.choice(kinds[name]))) for name in topic])
    kind[is_news & (lot < _SHARES["idle"])] = NOTHING
    denied = (lot >= _SHARES["idle"]) & (lot < _SHARES["idle"] + _SHARES["denied"]) & (kind != CLAUSE)
    disputed = is_news & (lot > 1.0 - _SHARES["disputed"])
    source = rng.integers(num_sources, size=num)
    rival = (source + rng.integers(1, num_sources, num)) % num_sources
    source = np.where(topic == "letters", np.where(kind == CLAUSE, num_sources + 1, num_sources), source)
    quantity = rng.integers(2, 120, num) * MILLION
    return {
        "kind": kind,
        "week": now + rng.integers(0, _MOST_AHEAD + 1, num),
        "is_denied": denied.astype(np.int64),
        "source": source,
        "rival": np.where(disputed, rival, -1),
        "is_refuted": (disputed & (rng.random(num) < 0.5)).astype(np.int64),
        "words": rng.integers(2**40, size=num),
        "weeks": rng.integers(1, 9, num),
        "quantity": quantity,
        "due_week": np.maximum(now + rng.integers(-2, 5, num), 1),
        "signed_week": np.maximum(now - 1, 1),
        "price": rng.integers(200, 9000, num) * 10_000,
        "penalty": rng.integers(1, 9, num) * 5_000,
    }


def _records(rng: np.random.Generator, said: Mapping[str, Array], sources: Sequence[str]) -> tuple[Array, Array]:
    """How often each source was right, and the one that disagrees (0 where none does)."""
    num = len(said["kind"])
    mine, theirs = (_clear(rng, num) for _ in range(2))
    near = np.abs(mine - theirs) < 2 * _CLEAR
    theirs = np.where(near, np.where(mine > 0.5, mine - 0.4, mine + 0.4), theirs)
    mine[said["source"] == sources.index(CONTRACTS)] = 1.0
    return mine, np.where(said["rival"] >= 0, theirs, 0.0)


def _clear(rng: np.random.Generator, num: int) -> Array:
    draw = rng.uniform(0.05, 0.5 - _CLEAR, num)
    return np.where(rng.random(num) < 0.6, 1.03 - draw, draw)


def _chance(said: Mapping[str, Array], record: Array, rival_record: Array) -> Array:
    """That what is claimed is so, by the records alone."""
    is_refuted = said["is_refuted"] == 1
    p, q = np.where(is_refuted, rival_record, record), np.where(is_refuted, record, rival_record)
    ours, theirs = p * (1.0 - q), q * (1.0 - p)
    return np.where(said["rival"] >= 0, ours / np.maximum(ours + theirs, 1e-9), record)


def _question(role: str, columns: dict[str, Array], is_firm: Array) -> Question:
    now, num = columns["this_week"], len(is_firm)
    any_of, yes = np.ones((num, 2), bool), ("news", 1)
    key = {name: np.full(num, -1) for name in ("counterpart", "item")}
    return Question(
        role=role,
        phase="read",
        step=1,
        key=Table(
            {"replica": np.zeros(num, np.int64), "subject": np.arange(num), "round": np.zeros(num, np.int64), **key}
        ),
        seed=np.zeros(num, np.uint64),
        mind=np.zeros(num, np.int64),
        columns=columns,
        masks={"firm": is_firm, "firm_name": is_firm},
        units=UNITS,
        fields=(
            Choice(name="news", options=NO_YES, allowed=any_of),
            Choice(name="kind", options=HAPPENINGS, allowed=np.ones((num, len(HAPPENINGS)), bool), only_if=yes),
            Choice(name="who", options=SLOTS, allowed=is_firm, only_if=yes),
            Bucket(name="week", low=now, high=now + WEEKS_AHEAD, step=np.ones(num, np.int64), unit="week", only_if=yes),
            Choice(name="believe", options=NO_YES, allowed=any_of, only_if=yes),
        ),
    )
