"""Scripted readers of bulletins, what reading is measured by, and the chapter that brings news into the market."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.manufacturing import keywords as keywords_of
from ecosim.manufacturing.beliefs import STATES
from ecosim.manufacturing.bulletins import HAPPENINGS, SCHEMAS
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.news import OF_NEWS
from ecosim.manufacturing.reading import Read, kinds
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout
from ecosim.side import Events, Figure, Series
from ecosim.words import Answers, Expert, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

ASSERTED = ("clause",)
"""Kinds whose words of denial mean nothing: conditions of a contract."""
TRUSTED = 0.5
"""The record from which the keyword reader believes a source; a new source has it."""
_RECALL = re.compile(r"\b(recall\w*|withdraw\w*|faulty|destroy|scrap|test|sound|thrown)\b")
_OUTAGE = re.compile(r"\b(stop|strike|fire|shuts?|closed?|closure|power|idle|outage|rebuild|nothing|count on)\b")
_DENIAL = re.compile(r"\b(den(y|ies|ied)|not|no|false|unfounded|called off|contrary|whatever|nobody|over)\b")
_WEEK = re.compile(r"\bin week (\d+)")
_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: i for i, word in enumerate(_WORDS, start=2)}
_AHEAD = re.compile(rf"\bin ({'|'.join(_WORDS)}) weeks")


def keywords(question: Question) -> Answers:
    """Reads by keywords: an outage or recall word and no word of denial is news, of the firm named first.

    It is fooled by words that only look like news or like denials, and by asides that name another firm first. It
    believes sources of which half of what they said proved so.
    """
    return _answers(question, (question["source_record"] >= TRUSTED).astype(np.int64))


def credulous(question: Question) -> Answers:
    """Reads by keywords and believes everything."""
    return _answers(question, np.ones(question.num_rows, np.int64))


def deaf(question: Question) -> Answers:
    """Takes nothing for news."""
    none = np.full(question.num_rows, NOT_ASKED)
    return {"news": np.zeros(question.num_rows, np.int64), **dict.fromkeys(("kind", "who", "week", "believe"), none)}


def _answers(question: Question, believe: Array) -> Answers:
    texts, names = question["text"].tolist(), map(tuple, question["firm_name"].tolist())
    pages = list(zip(texts, names, strict=True))
    kind = question.field("kind")
    assert isinstance(kind, Choice)
    kinds = kind.options if len(kind.options) >= OF_NEWS else ()
    read = {page: (*_read(page[0], kinds), _first(*page)) for page in set(pages)}  # many read the same bulletin
    found = np.array([read[page] for page in pages], np.int64).reshape(-1, 4)
    is_news = found[:, 0] == 1
    ahead = np.where(found[:, 2] < 0, question["this_week"] - found[:, 2], found[:, 2])
    week = question.field("week")
    assert isinstance(week, Bucket)
    answers = {"kind": found[:, 1], "who": found[:, 3], "week": week.snap(ahead), "believe": believe}
    return {"news": found[:, 0], **{name: np.where(is_news, answer, NOT_ASKED) for name, answer in answers.items()}}


def _read(text: str, kinds: tuple[str, ...] = ()) -> tuple[int, int, int]:
    """Whether it is news, of which kind, and the week: by its number, or how far ahead as a negative one.

    Where more can happen than outages and recalls, `kinds` has all that can, and their own words are looked for first.

    >>> _read("registry: a strike begins at mill_1 in week 9"), _read("mill_2 denies a recall next week")
    ((1, 0, 9), (0, 1, -1))
    """
    is_recall = _RECALL.search(text) is not None
    is_news = (is_recall or _OUTAGE.search(text) is not None) and _DENIAL.search(text) is None
    other = keywords_of.kind_of(text, kinds) if kinds else None
    what = int(is_recall)
    if other is not None:
        what = kinds.index(other)
        is_news = other in ASSERTED or keywords_of.DENIAL.search(text) is None
    number, ahead = _WEEK.search(text), _AHEAD.search(text)
    week = int(number[1]) if number else -_NUMBERS[ahead[1]] if ahead else -1
    return int(is_news), what, week


def _first(text: str, names: tuple[str, ...]) -> int:
    """Which of the names stands first in a text, as a whole word; the first name there is if none does.

    >>> _first("press: mill_12 stops, unlike mill_1.", ("", "mill_1", "mill_12"))
    2
    """
    return min((_place(text, name), i) for i, name in enumerate(names) if name)[1]


def _place(text: str, name: str) -> int:
    """Where a name stands as a whole word; the end of the text where it does not."""
    at = text.find(name)
    while at >= 0 and (text[at - 1 : at].isalnum() or text[at + len(name) : at + len(name) + 1].isalnum()):
        at = text.find(name, at + 1)
    return at if at >= 0 else len(text)


READ: Mapping[str, Expert] = {"scripted": keywords, "keywords": keywords, "credulous": credulous, "deaf": deaf}

FIELDS = ("news", "kind", "who", "week", "believe")
METRICS = {
    "bulletins": Figure("", "bulletins that came out"),
    "readings": Figure("", "bulletins that firms read, where a field had a right answer"),
    "read_right": Figure("", "of these, how many answers to the field were right", "higher"),
    "kind_readings": Figure("", "readings of texts that report something, by kind"),
    "kind_right": Figure("", "of these, how many were taken for what they report", "higher"),
    "claims": Figure("", "readings of bulletins that say that something will happen, by source"),
    "true_claims": Figure("", "of these, how many were so"),
    "believed_claims": Figure("", "of these, how many were believed"),
}
KPIS = {
    "reading_accuracy": Figure(
        "", "right answers ÷ bulletins read, by field; what is taken for no news has no more", "higher"
    ),
    "kind_accuracy": Figure(
        "", "texts taken for what they report ÷ texts read that report something, by kind", "higher"
    ),
    "true_share": Figure("", "of what a source says will happen, what was so"),
    "believed_share": Figure("", "of what a source says will happen, what readers believed"),
    "trust_gap": Figure("", "|believed − so|, of a source", "lower"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """Right answers by field, and belief by source, of the week."""
    scenario = cast(ManufacturingScenario, world.scenario)
    assert scenario.bulletins is not None
    read = events["readings"]
    add("bulletins", events["bulletins"], np.ones(events["bulletins"].num_rows))
    is_claim = (read["said_kind"] > 0) & (read["is_denied"] == 0)
    right = {
        "news": read["news"] == is_claim,
        "kind": read["kind"] == read["said_kind"],
        "who": read["who"] == read["about"],
        "week": read["week"] == read["said_week"],
        "believe": read["believe"] == read["is_true"],
    }
    asked = {name: is_claim for name in right} | {"news": np.ones(len(is_claim), bool)}
    asked["believe"] = is_claim & (read["believe"] >= 0)
    for name in FIELDS:
        for figure, rows in (("readings", asked[name]), ("read_right", asked[name] & right[name])):
            add.figures[figure, name] = np.bincount(read["replica"], rows, world.num_replicas)
    for code, name in enumerate(HAPPENINGS, start=1):
        if name in kinds(scenario):
            told = is_claim & (read["said_kind"] == code)
            for figure, rows in (("kind_readings", told), ("kind_right", told & right["kind"])):
                add.figures[figure, name] = np.bincount(read["replica"], rows, world.num_replicas)
    names = scenario.bulletins.voices
    claims = read.take(is_claim)
    of = claims["source"]
    add.by(names, of, "claims", claims, np.ones(claims.num_rows))
    add.by(names, of, "true_claims", claims, claims["is_true"])
    add.by(names, of, "believed_claims", claims, claims["believe"] == 1)


def conclude(world: World, series: Series, add: Adder) -> None:
    """Accuracy by field and trust by source over the whole run; nan where nothing was read."""
    scenario = cast(ManufacturingScenario, world.scenario)
    assert scenario.bulletins is not None

    def total(name: str, group: str) -> Array:
        return series[name, group].sum(axis=0)

    with np.errstate(invalid="ignore", divide="ignore"):
        for name in FIELDS:
            add.figures["reading_accuracy", name] = total("read_right", name) / total("readings", name)
        for name in kinds(scenario):
            add.figures["kind_accuracy", name] = total("kind_right", name) / total("kind_readings", name)
        for source in scenario.bulletins.voices:
            claims = total("claims", source)
            true, believed = (total(f"{what}_claims", source) / claims for what in ("true", "believed"))
            add.figures["true_share", source] = true
            add.figures["believed_share", source] = believed
            add.figures["trust_gap", source] = np.abs(believed - true)


def build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Add `beliefs` and `sources`, and what outages leave of capacity; nobody believes anything yet."""
    assert scenario.bulletins is not None
    none, size = np.zeros(0, np.int64), len(scenario.bulletins.voices)
    tables["firms"]["news_capacity"] = np.full(tables["firms"].num_rows, MILLION)
    for name in ("beliefs", "pending_letters"):
        tables[name] = Table({column: none.copy() for column in STATES[name].columns})
    tables["sources"] = Table(
        {
            "replica": np.repeat(np.arange(replicas.num_rows), size),
            "source": np.tile(np.arange(size), replicas.num_rows),
            "told": np.zeros(size * replicas.num_rows, np.int64),
            "proved": np.zeros(size * replicas.num_rows, np.int64),
        }
    )


def num_bytes(scenario: ManufacturingScenario) -> dict[str, int]:
    """What the tables take in a replica, 8 bytes a number: about two beliefs a firm."""
    firms = sum(firms.count for firms in scenario.firms)
    return {"bulletins (× firms)": 8 * (1 + 2 * 7) * firms}


def is_in(scenario: ManufacturingScenario) -> bool:
    """Whether there are bulletins."""
    return scenario.bulletins is not None


CHAPTER = Chapter(
    is_in=is_in,
    phases={"read": Read},
    asks={role: ("read",) for role in ROLES},
    experts={f"{role}.read": READ for role in ROLES},
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=num_bytes,
)
