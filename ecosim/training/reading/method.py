"""The method `reader`: an adapter that reads bulletins, letters and clauses, and what it is held against.

Learns from texts with planted truth (`texts`): the five fields of `read` in one pass over a row, by letters, with
the chance that a claim is so as a soft target, so that the log-odds of `believe` say how sure it is. Tested on wordings
and names that are apart from those of training, by slice; and by what its readings earn a market (`worth`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from ecosim import catalog
from ecosim.catalog import Entry
from ecosim.fields import Array
from ecosim.manufacturing.intricate import INTRICATE
from ecosim.manufacturing.readers import keywords
from ecosim.training.adapters.lora import Settings, fit
from ecosim.training.reading import worth as reader_value
from ecosim.training.reading.baselines import Learner, right
from ecosim.training.reading.stock import TRAINING
from ecosim.training.reading.texts import SLICES, TEST_NAMES, TRAIN_NAMES, Readings, readings
from ecosim.words import Answers, Question

if TYPE_CHECKING:
    from ecosim.minds.language import LanguageMind
    from ecosim.training.adapters.examples import Example
    from ecosim.training.workbench import Workbench

GRADE = "reader"
ROLE = "distributor"
"""Who is asked in training; other roles are asked in the same words."""
_TRAIN, _HELD, _TEST = range(3)


class Value(Entry):
    """Where reading is worth something.

    Attributes:
        scenario: with bulletins.
        seeds: how many world seeds.
    """

    scenario: str = "rumour_mill"
    seeds: Annotated[int, Field(ge=2)] = 20


class Spec(Entry):
    """A recipe of a reader.

    Attributes:
        rows: to learn from.
        held_rows: of the training's words, to stop by.
        test_rows: of other words, other names.
        fit: how the adapter is fitted.
        value: the market in which readings are valued.
    """

    method: Literal["reader"]
    rows: Annotated[int, Field(ge=100)] = 4000
    held_rows: Annotated[int, Field(ge=20)] = 200
    test_rows: Annotated[int, Field(ge=20)] = 1000
    fit: Settings = Settings()
    value: Value = Value()


def data(spec: Spec, bench: Workbench) -> None:
    """Write what is learnt from and tested on, a row a line, for people to look at; training draws the same anew."""
    for name, rows in _parts(spec, bench).items():
        with (bench.data / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for line in _lines(rows):
                file.write(json.dumps(line) + "\n")


def train(spec: Spec, bench: Workbench, seed: int) -> None:
    """Fit the adapter with one seed."""
    parts, mind = _parts(spec, bench), _mind(None)
    learnt, held = (lessons(mind, parts[name]) for name in ("train", "held"))
    del mind
    done = fit(
        learnt,
        spec.fit,
        bench.adapter(seed),
        seed=seed,
        held=held,
        checkpoint=bench.checkpoint(seed),
        say=bench.say,
        note=lambda step, **figures: bench.loss(seed, step, **figures),
    )
    bench.say(f"{done.num_examples} rows, {done.samples_per_s:.1f} a second, SHA-256 {done.sha256}")


def evaluate(spec: Spec, bench: Workbench) -> dict[str, float]:
    """Right beliefs by slice, of every training seed and of the baselines; how sure; what reading is worth."""
    parts = _parts(spec, bench)
    tfidf, minilm = (Learner(kind).learn(parts["train"]) for kind in ("tfidf", "minilm"))
    readers: dict[str, Callable[[Question], Answers]] = {
        "tfidf": tfidf.answers,
        "minilm": minilm.answers,
        "keywords": keywords,
        "untrained": lambda question: _mind(None, "reproducible").decide(question).answers,
    }
    figures: dict[str, float] = {}
    for name, read in readers.items():
        figures |= {f"{name}.{k}": v for k, v in scores(parts["test"], read(parts["test"].question)).items()}
    for seed in bench.seeds.train:
        folder = bench.adapter(seed)
        if folder.is_dir():
            name = f"{GRADE}-{seed}"
            mind = _mind(folder, "reproducible")
            decision = mind.decide(parts["test"].question)
            figures |= {f"{name}.{k}": v for k, v in scores(parts["test"], decision.answers).items()}
            figures |= {f"{name}.{k}": v for k, v in sureness(parts["test"], decision.trace).items()}
    arms = {GRADE: _mind(bench.adapter(bench.seeds.train[0]), "reproducible")}
    worth = reader_value.compare(
        spec.value.scenario, {**arms, "tfidf": _named("tfidf", tfidf), "keywords": "keywords"}, spec.value.seeds
    )
    for row in worth.to_dict("records"):
        figures |= {f"value.{row['arm']}.{k}": float(row[k]) for k in row if k != "arm"}
    return figures


def lessons(mind: LanguageMind, rows: Readings) -> list[Example]:
    """Rows as the mind would read them, with what is right; how sure it should be is a chance."""
    from ecosim.training.adapters.examples import examples

    sure = np.nan_to_num(rows.chance, nan=0.5)
    return examples(mind, rows.question, rows.answers, chances={"believe": np.stack([1.0 - sure, sure], axis=1)})


def scores(rows: Readings, answers: Mapping[str, Array]) -> dict[str, float]:
    """Share of rows right by field, and of whole beliefs by slice."""
    hits = right(rows, answers)
    found = {name: float(hit.mean()) for name, hit in hits.items()}
    return found | {f"belief.{s}": float(hits["belief"][rows.rows_of(s)].mean()) for s in SLICES}


def sureness(rows: Readings, trace: Any) -> dict[str, float]:
    """How well the chance that `believe` is given fits: Brier score against the planted chance, and that of a half.

    Only rows count that report something, and were taken so.
    """
    asked = trace["field"] == "believe"
    at = trace["row"][asked]
    logits = np.array([json.loads(line) for line in trace["scores"][asked]])
    chance = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    known = ~np.isnan(rows.chance[at])
    gap = (chance - rows.chance[at])[known]
    flat = (0.5 - rows.chance[at])[known]
    return {"sure.brier": float((gap**2).mean()), "sure.brier_of_half": float((flat**2).mean())}


def _parts(spec: Spec, bench: Workbench) -> dict[str, Readings]:
    def drawn(part: int, num: int) -> Readings:
        stock, names = (INTRICATE, TEST_NAMES) if part == _TEST else (TRAINING, TRAIN_NAMES)
        return readings(np.random.default_rng([bench.seeds.world, part]), num, stock, names, ROLE)

    return {
        "train": drawn(_TRAIN, spec.rows),
        "held": drawn(_HELD, spec.held_rows),
        "test": drawn(_TEST, spec.test_rows),
    }


def _mind(folder: Path | None, numerics: Literal["fast", "reproducible"] = "fast") -> LanguageMind:
    """The base model as a reader is asked, with an adapter or as it is."""
    from ecosim.minds.language import LanguageMind
    from ecosim.models import adapter
    from ecosim.models.load import load
    from ecosim.models.sources import BASE
    from ecosim.pool.engine import Engine

    engine = Engine(load(BASE, numerics))
    if folder is not None:
        engine.add_adapter(GRADE, adapter.read(folder))
    cards = {ROLE: catalog.card(ROLE).asking(GRADE)}
    return LanguageMind(cards, engine, name=GRADE, grade=GRADE, adapter=GRADE if folder is not None else None)


def _named(name: str, learner: Learner) -> Callable[[Question], Answers]:
    def read(question: Question) -> Answers:
        """A learner's answers."""
        return learner.answers(question)

    read.__name__ = name
    return read


def _lines(rows: Readings) -> list[dict[str, Any]]:
    question = rows.question
    return [
        {
            "text": question["text"][i],
            "firms": [name for name in question["firm_name"][i] if name],
            "week": int(question["this_week"][i]),
            "record": round(float(question["source_record"][i]), 3),
            "rival_record": round(float(question["rival_record"][i]), 3),
            "chance": None if np.isnan(rows.chance[i]) else round(float(rows.chance[i]), 3),
            **{name: int(answer[i]) for name, answer in rows.answers.items()},
        }
        for i in range(question.num_rows)
    ]
