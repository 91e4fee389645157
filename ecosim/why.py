"""Why a member answered as it did, as far as that can be known from outside its mind.

The question as it saw it; the prompt and the scores, verbatim, of a language mind; what each column was worth and which
value would have flipped the answer (`ecosim.response` says how); and notes: what was checked, and what could not be.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from ecosim import catalog, rerun, response
from ecosim.catalog import FieldCard
from ecosim.errors import RunError
from ecosim.fields import Array, Bucket, Field
from ecosim.minds.prompts import asked_fields
from ecosim.moment import Asked, Moment
from ecosim.record.store import Store
from ecosim.response import Response, natural
from ecosim.variants import NOTHING
from ecosim.words import KEY, Mind, Question, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRIES = {"scripted": 32}
"""Replacements a column by grade; minds that cost more get `_TRIES`."""
_TRIES = 8

METHOD = (
    "This says what the mind responds to, one column at a time, not what would have been a good answer. A column is "
    "replaced by what others saw who were asked the same in this step (`peers`); where too few of them saw anything "
    "else, by its own value × 0, 0.5, 0.9, 1.1, 1.5, 2 (`scaled`). What may be answered stays as it was, and so does "
    "luck."
)


class Which(TypedDict, total=False):
    """Which question is meant, and how much is asked.

    Attributes:
        replica: 0 by default.
        phase: `negotiate` or `distributor.negotiate`.
        counterpart, item, round: of the question.
        tries: replacements a column; 32 for scripted minds, 8 for others by default.
        ask: False shows what was recorded, and asks nobody.
    """

    replica: int
    phase: str | None
    counterpart: int | None
    item: int | None
    round: int | None
    tries: int | None
    ask: bool


@dataclass(frozen=True, kw_only=True)
class Why:
    """An answer and what can be said about it.

    Attributes:
        about: step, member, role, phase, the rest of the question's key, mind and grade.
        saw: a row a column: `column`, `value` (a list for a column with slots; None where there is nothing), `unit`,
            and for language minds `in_prompt`.
        fields: a row a field: `field`, `legal` answers, the `answer` given ("" where it was not asked).
        scores: of a language mind, a row an option: `field`, `option`, `score`, `chance`, `taken`.
        prompt: what a language mind read, verbatim, up to its last answer; "" for others.
        worth: a row a column: `column`, `source`, `tried`, `changed` (share), `logp_change`, `<field>_change`.
        flips: a row a number that can flip the answer, nearest first: `column`, `seen`, `needed`, `unit`, `spreads`
            (standard deviations of what peers saw), `among_peers` (False: farther than any of them), `new_answer`
            (what is answered otherwise).
        notes: what was checked, and what could not be.
    """

    about: Mapping[str, Any]
    saw: pd.DataFrame
    fields: pd.DataFrame
    scores: pd.DataFrame
    prompt: str
    worth: pd.DataFrame
    flips: pd.DataFrame
    notes: Sequence[str]

    @property
    def title(self) -> str:
        """Who, when, what, in one line."""
        a = self.about
        rest = "".join(f", {name} {a[name]}" for name in ("counterpart", "item", "round") if a[name] is not None)
        arm = f" (arm {a['arm']})" if a["num_arms"] > 1 else ""
        where = f"{a['step_name']} {a['step']}, replica {a['replica']}{arm}"
        return f"{a['role']} {a['member']}, {where}: {a['phase']}{rest}"

    @property
    def answer(self) -> str:
        """What was answered, in words."""
        return str(self.about["answer"])

    def __repr__(self) -> str:
        return f"<Why {self.title} → {self.answer}>"

    def as_dict(self) -> dict[str, Any]:
        """Plain data; shares and chances are 0 … 1, log-chances natural."""
        frames = {name: getattr(self, name) for name in ("saw", "fields", "scores", "worth", "flips")}
        plain = {name: json.loads(frame.to_json(orient="records")) for name, frame in frames.items()}
        return {**self.about, "prompt": self.prompt, **plain, "notes": list(self.notes)}

    def _repr_html_(self) -> str:
        parts = [f"<h4>{html.escape(self.title)}</h4>", f"<p>{html.escape(self.answer)}</p>"]
        if self.prompt:
            parts.append(f"<pre style='white-space:pre-wrap'>{html.escape(self.prompt)}</pre>")
        for heading, frame in self.tables():
            parts.append(f"<h5>{heading}</h5>{frame.to_html(index=False, float_format='{:.4g}'.format, na_rep='–')}")
        return "".join([*parts, *(f"<p><small>{html.escape(note)}</small></p>" for note in self.notes)])

    def tables(self) -> list[tuple[str, pd.DataFrame]]:
        """The tables that hold anything, with their headings."""
        named = [
            ("What it saw", self.saw),
            ("What it might answer", self.fields),
            ("Scores", self.scores),
            ("What each column was worth", self.worth),
            ("Nearest values that give another answer", self.flips),
        ]
        return [(heading, frame) for heading, frame in named if len(frame)]

    def plot(self, ax: Axes | None = None) -> Axes:
        """The share of replacements that change the answer, a bar a column.

        Raises:
            RunError: nobody was asked.
        """
        import matplotlib.pyplot as plt

        tried = self.worth[self.worth["tried"] > 0] if len(self.worth) else self.worth
        if not len(tried):
            raise RunError("nothing to plot: nobody was asked again; the notes say why")
        ax = ax if ax is not None else plt.subplots(figsize=(7, 0.6 + 0.28 * len(tried)), layout="constrained")[1]
        bars = tried.iloc[::-1]
        ax.barh(bars["column"], 100 * bars["changed"])
        ax.set_xlim(0, 100)
        ax.set_xlabel("replacements that change the answer (%)")
        ax.set_title(self.title, fontsize="medium")
        return ax


def explain(
    store: Store,
    step: int,
    member: int,
    *,
    own: rerun.Own | None = None,
    replica: int = 0,
    phase: str | None = None,
    counterpart: int | None = None,
    item: int | None = None,
    round: int | None = None,
    tries: int | None = None,
    ask: bool = True,
) -> Why:
    """Why a member of a recorded run answered as it did in a step; the run is not touched.

    Args:
        own: the user's own functions and minds that sat in the run, by name.
        replica, phase, counterpart, item, round, tries, ask: as `Which` says.

    Raises:
        RunError: no such question, or several; the run can't be had again; the mind is no longer what it was.
        CatalogError, PoolError: the mind can't answer.
    """
    if tries is not None and tries < 1:
        raise RunError(f"tries: must be 1 or more, got {tries}")
    moment = rerun.until(store, step, own)
    asked = moment.one(member, replica, phase=phase, counterpart=counterpart, item=item, round=round)
    trace = recorded_trace(store, asked)
    mind = moment.mind(asked) if ask else None
    asks = _asks(mind, asked.question) if trace is not None else None
    found = None
    if mind is not None:
        most = tries or TRIES.get(mind.grade, _TRIES)
        found = response.respond(mind, asked.question, moment.peers(asked), most, asks)
    return Why(
        about=_about(moment, asked),
        saw=_saw(asked.question, trace is not None),
        fields=_fields(asked),
        scores=_scores(trace, asks),
        prompt=_prompt(trace),
        worth=_worth(found),
        flips=_flips(found, asked.question),
        notes=[*_checks(moment, asked, trace, found, ask), *_limits(found, asked.question)],
    )


def recorded_trace(store: Store, asked: Asked) -> Table | None:
    """What a language mind saw and scored, as recorded: `field`, `prompt`, `answer`, `options`, `scores`; else None."""
    wanted = {"step": asked.question.step, **asked.key}
    rows = []
    for piece in store.pieces("events/answers"):
        here = pc.equal(piece["question"], asked.question.name)
        for name, value in wanted.items():
            here = pc.and_(here, pc.equal(piece[name], value))
        rows += piece.filter(here).select(["field", "prompt", "answer", "options", "scores"]).to_pylist()
    if not rows:
        return None
    return Table({name: np.array([row[name] for row in rows], object) for name in rows[0]})


def shown(question: Question, name: str) -> tuple[Any, str]:
    """A column of a row in natural units: a plain value, or a list with None in empty slots; and its unit."""
    column, unit = question.columns[name][0], question.units.get(name, "")
    if not np.ndim(column):
        if isinstance(column, str):
            return column, ""
        value, unit = natural(column, unit)
        is_nothing = column.dtype.kind == "i" and column == NOTHING
        return None if is_nothing else value.item(), unit
    mask = question.masks.get(name, np.ones((1, len(column)), bool))[0]
    values, unit = natural(column, unit) if column.dtype != object else (column, "")
    return [value if ok else None for value, ok in zip(values.tolist(), mask, strict=True)], unit


# ---- the parts ------------------------------------------------------------------------------------------------------


def _about(moment: Moment, asked: Asked) -> dict[str, Any]:
    facts, document = moment.facts(asked), moment.document
    replica = asked.key["replica"]
    key = {name: asked.key[name] if asked.key[name] >= 0 else None for name in KEY[1:]}
    return {
        "run": document["scenario"]["title"],
        "step": moment.step,
        "step_name": moment.world.side.step_name,
        "replica": replica,
        "arm": document["arms"][document["replicas"]["arm"][replica]]["name"],
        "num_arms": len(document["arms"]),
        "member": asked.key["subject"],
        "role": asked.question.role,
        "phase": asked.question.phase,
        **key,
        "mind": facts["name"],
        "grade": facts["grade"],
        "answer": response.answer(asked.question, asked.decision),
        "logp": float(asked.decision.logp[0]),
    }


def _saw(question: Question, is_language: bool) -> pd.DataFrame:
    reads = _reads(question) if is_language else {}
    rows = []
    for name in question.columns:
        value, unit = shown(question, name)
        rows.append({"column": name, "value": value, "unit": unit, **({"in_prompt": name in reads} if reads else {})})
    return pd.DataFrame(rows)


def _reads(question: Question) -> Mapping[str, str]:
    if question.role not in catalog.roles():
        return {}
    card = catalog.card(question.role)
    if question.phase not in card.questions:
        return {}
    entry = card.questions[question.phase]
    return {**entry.reads, **{name: unit for name, unit in entry.may_read.items() if name in question.columns}}


def _fields(asked: Asked) -> pd.DataFrame:
    answers = asked.decision.answers
    return pd.DataFrame(
        [
            {"field": spec.name, "legal": _legal(spec), "answer": response.in_words(spec, answers[spec.name][0])}
            for spec in asked.question.fields
        ]
    )


def _legal(spec: Field) -> str:
    if not isinstance(spec, Bucket):
        return spec.describe(0)
    (low, unit), (high, _), (step, _) = (natural(int(n[0]), spec.unit) for n in (spec.low, spec.high, spec.step))
    return f"{low:.12g} to {high:.12g} {unit} in steps of {step:g}".replace("  ", " ")


def _asks(mind: Mind | None, question: Question) -> Mapping[str, FieldCard] | None:
    """How a language mind is asked: by its own cards, or by the catalogue's where it is not at hand."""
    cards = getattr(mind, "cards", None)
    if cards is None:
        if not _reads(question):
            return None
        cards = {question.role: catalog.card(question.role)}
    return asked_fields(cards, question, getattr(mind, "name", "recorded"))


def _scores(trace: Table | None, asks: Mapping[str, FieldCard] | None) -> pd.DataFrame:
    """An option a row, with its chance under the card's own rule."""
    rows = []
    for i in range(trace.num_rows if trace is not None else 0):
        assert trace is not None
        field, options, scores = trace["field"][i], json.loads(trace["options"][i]), json.loads(trace["scores"][i])
        if len(scores) != len(options) or not scores:
            continue  # a text, or a server that scores nothing
        chances: Sequence[float | None] | Array = [None] * len(scores)
        if asks is not None:
            chances = np.exp(response.log_chances(scores, asks[field]))
        rows += [
            {"field": field, "option": o, "score": s, "chance": c, "taken": o == trace["answer"][i]}
            for o, s, c in zip(options, scores, chances, strict=True)
        ]
    return pd.DataFrame(rows)


def _prompt(trace: Table | None) -> str:
    """The last prompt holds all before it."""
    return "" if trace is None else f"{trace['prompt'][-1]} {trace['answer'][-1]}"


def _worth(found: Response | None) -> pd.DataFrame:
    rows = []
    for worth in found.worth if found else ():
        row = {name: getattr(worth, name) for name in ("column", "source", "tried", "changed", "logp_change")}
        row["source"] = worth.source if worth.tried else "–"
        rows.append({**row, **{f"{name}_change": move for name, move in worth.moves.items()}})
    frame = pd.DataFrame(rows)
    return frame.drop(columns=["logp_change"]) if found and not found.scored else frame


def _flips(found: Response | None, question: Question) -> pd.DataFrame:
    rows = []
    for flip in found.flips if found else ():
        unit = question.units.get(flip.column, "")
        seen, needed = (natural(value, unit)[0] for value in (flip.seen, flip.needed))
        rows.append(
            {
                "column": _place(flip.column, flip.slot),
                "seen": seen,
                "needed": needed,
                "unit": unit.removesuffix("/1e6"),
                "spreads": flip.distance if np.isfinite(flip.distance) else None,
                "among_peers": flip.is_among_peers,
                "new_answer": flip.answer,
            }
        )
    return pd.DataFrame(rows)


def _place(column: str, slot: int) -> str:
    return column if slot < 0 else f"{column}[{slot}]"


# ---- notes ----------------------------------------------------------------------------------------------------------


def _checks(moment: Moment, asked: Asked, trace: Table | None, found: Response | None, wants: bool) -> list[str]:
    """What was compared with the record, and who could not be asked."""
    name = moment.facts(asked)["name"]
    notes = []
    if int(asked.question.mind[0]) < 0:
        notes.append(f"The mind of this seat failed on this question; {name!r} answered as its substitute.")
    if found is None:
        why = f"; from Python, pass own={{{name!r}: …}}" if wants else ", as was wished"
        return [*notes, f"{name!r} was not asked again{why}: what is above is the record."]
    same = all(found.base.answers[f.name][0] == asked.decision.answers[f.name][0] for f in asked.question.fields)
    if not same:
        again = response.answer(asked.question, found.base)
        return [*notes, f"Asked again, alone, it answers otherwise: {again}. It depends on more than its own row."]
    if trace is None:
        return [*notes, f"Asked again, it gave the recorded answer; {found.asked} questions in all."]
    names = ("field", "prompt", "answer", "options", "scores")
    again_trace = found.base.trace
    parts = [n for n in names if again_trace is None or again_trace[n].tolist() != trace[n].tolist()]
    told = (
        f"other {', '.join(parts)} than recorded" if parts else "the recorded answer, prompt and scores, word for word"
    )
    return [*notes, f"Asked again, it gave {told}; {found.asked} questions in all."]


def _limits(found: Response | None, question: Question) -> list[str]:
    """What the figures mean, and where they end."""
    if found is None:
        return []
    notes = [METHOD]
    if found.scored:
        notes.append(
            f"logp_change: mean change of the natural log of the chance of its answer to {found.scored!r}, by the card."
        )
    if found.steady:
        notes.append(f"No value tried gives another answer: {', '.join(_steady(found, question))}.")
    return [*notes, *(f"On {count} variants it failed: {reason}" for reason, count in found.fails.items())]


def _steady(found: Response, question: Question) -> list[str]:
    """Columns and the range that was tried, slots of a column together."""
    ranges: dict[str, tuple[list[int], Any, Any]] = {}
    for column, slot, low, high in found.steady:
        places, least, most = ranges.get(column, ([], low, high))
        ranges[column] = [*places, *([slot] if slot >= 0 else [])], min(least, low), max(most, high)
    said = []
    for column, (places, low, high) in ranges.items():
        (least, unit), (most, _) = (natural(value, question.units.get(column, "")) for value in (low, high))
        where = f"{column}[{_run(places)}]" if places else column
        said.append(f"{where} ({least:.6g} … {most:.6g}{f' {unit}' if unit else ''})")
    return said


def _run(slots: Sequence[int]) -> str:
    """Slots in few words: `0…4`, or one by one where some are left out."""
    is_whole = len(slots) > 1 and list(slots) == list(range(slots[0], slots[-1] + 1))
    return f"{slots[0]}…{slots[-1]}" if is_whole else ", ".join(map(str, slots))
