"""What a scenario is: its settings, who is asked what in which phase, and what every column means.

Everything is read off the code and the file: settings off the scenario's class, questions off a world of one replica
that takes a few steps with scripted minds, meanings off the declarations beside the phases (`sees`, `answers`,
`writes`), of events, figures and tables of the world. No model is loaded and nothing is written.

```python
from ecosim import explain

explain.settings("smart_manufacturing")  # a DataFrame: key, value, unit, origin, about
explain.questions("smart_manufacturing")  # a row a question: who is asked, who answers
explain.columns("smart_manufacturing")  # the dictionary of all columns
explain.tell("smart_manufacturing")  # all of it as plain data
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ecosim import catalog, docstrings, keys, simulate
from ecosim.fields import Array, Bucket, Choice, Field, Text
from ecosim.minds.seats import UNTRAINED, Seat, Seats, Wishes
from ecosim.models.sources import BASE
from ecosim.opening import Arm
from ecosim.scenario import Facts, Scenario
from ecosim.words import Question
from ecosim.world import Events, Meaning, Phase, Side, World

if TYPE_CHECKING:
    import pandas as pd

Source = str | Path | Scenario
Changes = Mapping[str, object]
Origin = Literal["file", "default", "--set"]

LOOK_STEPS = 6
"""Steps that a world is looked at for; nearly all questions are asked in the first two."""

Rule = Callable[[Field, Question], str]

_MILLIONTHS = "/1e6"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A key of the scenario as it stands; `key` is what `--set` takes."""

    key: str
    value: Any
    unit: str
    origin: Origin
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, a field or a figure.

    Attributes:
        kind: `question`, `answer`, `event`, `metric`, `kpi`, `table` of the world, or `lever`, a column of such a table
            that interventions may change.
        table: the phase, the event table, or the table of the world; "" for figures.
        name: of the column.
        unit: "–" for pure numbers, codes, and yes or no.
        shape: its type, how many slots a row has, or what may be answered.
        about: what it means.
        better: of a figure, `higher` or `lower`; "" where neither is.
    """

    kind: str
    table: str
    name: str
    unit: str
    shape: str
    about: str
    better: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTold:
    """Who answers: its name, other names of the same mind, its grade, and what it does."""

    name: str
    grade: str
    about: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to the members of one role.

    Attributes:
        question: `role.phase`.
        members: how many members of the role a replica has.
        rows: how many rows the question had when it was first asked; 0 if it was not asked in the steps looked at.
        minds: who answers; several are dealt out to the members in turn.
        sees: the columns, in order.
        answers: the fields, in order.
        card_reads: the columns that a language mind is shown; empty if the catalogue has no card for the question.
    """

    question: str
    members: int
    rows: int
    minds: tuple[SeatTold, ...]
    sees: tuple[Column, ...]
    answers: tuple[Column, ...]
    card_reads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTold:
    """A phase of a step: what it does, whether it asks until nobody is due, whom, and the event tables it writes."""

    name: str
    about: str
    repeats: bool
    asks: tuple[Asked, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that there is to tell; `as_dict` is plain data for JSON."""

    scenario: Scenario
    side: Side
    settings: tuple[Setting, ...]
    phases: tuple[PhaseTold, ...]
    columns: tuple[Column, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data; the scenario as its settings."""
        facts = self.scenario
        head = {"world": facts.world, "title": facts.title, "about": facts.about.strip(), "step": self.side.step_name}
        rows = {name: [asdict(row) for row in getattr(self, name)] for name in ("settings", "phases", "columns")}
        return {**head, **rows}


# ---- tables for notebooks -------------------------------------------------------------------------------------------


def settings(source: Source, changes: Changes | None = None) -> pd.DataFrame:
    """Every key of the scenario: its value, unit, origin (the file's, a default, or changed), and meaning."""
    import pandas as pd

    facts = simulate.load_scenario(source, changes)
    return pd.DataFrame([asdict(row) for row in _settings(facts, "", True, changes or {})])


def questions(source: Source, changes: Changes | None = None, minds: Wishes | None = None) -> pd.DataFrame:
    """A row a phase and role that is asked: members, rows when first asked, minds and grades, columns, fields."""
    import pandas as pd

    told = tell(source, changes, minds)
    return pd.DataFrame(
        [
            {
                "phase": phase.name,
                "question": asked.question,
                "members": asked.members,
                "rows": asked.rows,
                "minds": [seat.name for seat in asked.minds],
                "grades": [seat.grade for seat in asked.minds],
                "sees": [column.name for column in asked.sees],
                "answers": [column.name for column in asked.answers],
                "writes": list(phase.writes),
            }
            for phase in told.phases
            for asked in phase.asks
        ]
    )


def columns(source: Source, changes: Changes | None = None) -> pd.DataFrame:
    """The dictionary: every column of questions, answers, events and tables, every metric and KPI, with its unit."""
    import pandas as pd

    return pd.DataFrame([asdict(row) for row in tell(source, changes).columns])


# ---- all of it ------------------------------------------------------------------------------------------------------


def tell(source: Source, changes: Changes | None = None, minds: Wishes | None = None) -> Told:
    """What a scenario is, as plain data.

    Args:
        source: a scenario by catalogue name, path, or as an object.
        changes: values by dotted key, as for `ecosim.run`.
        minds: who answers, before the scenario's own minds; as for `ecosim.run`.

    Raises:
        ScenarioError: there is none, or it has faults.
    """
    facts = simulate.load_scenario(source, changes)
    simulate.check(facts, [Arm(name="all", minds=minds or {})], str(source) if isinstance(source, str | Path) else "")
    side = simulate.side(facts.world)
    seen = _look(side, facts)
    seats = _seats(side, facts, minds or {})
    phases = tuple(_phase(side, phase, seen, seats) for phase in seen.world.phases)
    return Told(
        scenario=facts,
        side=side,
        settings=tuple(_settings(facts, "", True, changes or {})),
        phases=phases,
        columns=(
            *_asked_columns(seen),
            *_event_columns(side),
            *_figures(side),
            *_state(side, seen.world),
            *_levers(side, facts),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A world of one replica after a few steps, and what was asked and written in them."""

    world: World
    questions: dict[tuple[str, str], Question]
    events: dict[str, tuple[str, ...]]


def _look(side: Side, facts: Scenario) -> _Seen:
    """Let one replica live, with scripted minds, until every role that can be asked was asked."""
    facts = without_models(facts).with_changes(seeds=1)
    wishes = dict.fromkeys(side.roles, "scripted")
    made, router, _ = simulate.prepare(facts, [Arm(name="look", minds=wishes)])
    asked: dict[tuple[str, str], Question] = {}
    written: dict[str, tuple[str, ...]] = {}

    def decide(due: Any) -> Any:
        asked.update({(q.phase, q.role): q for q in due if (q.phase, q.role) not in asked})
        return router.decide(due)

    def record(phase: str, events: Events) -> None:
        written[phase] = tuple(dict.fromkeys([*written.get(phase, ()), *events]))

    world = World(made.side, made.scenario, made.tables, decide, record)
    names = {phase.name for phase in world.phases}
    due = {(p, role) for role, ps in side.roles.items() for p in ps if p in names and _members(side, world, role)}
    for _ in range(min(facts.steps, LOOK_STEPS)):
        world.step()
        if due <= set(asked):
            break
    return _Seen(world, asked, written)


def without_models(facts: Scenario) -> Scenario:
    """The same scenario without what could need a model: interventions that change minds, the encoder of titles."""
    if getattr(facts, "interventions", None):
        facts = facts.with_changes(interventions=[])
    publishing = getattr(facts, "publishing", None)
    if publishing is None or publishing.title_vectors != "minilm":
        return facts
    return facts.with_changes(publishing={**publishing.model_dump(), "title_vectors": "words"})


def _members(side: Side, world: World, role: str) -> int:
    return int(side.has_role(world.tables[side.home(role)], role).sum())


# ---- settings -------------------------------------------------------------------------------------------------------


def _settings(group: Facts, path: str, is_given: bool, changes: Changes) -> Iterator[Setting]:
    for key in keys.of(type(group)).values():
        value, name = getattr(group, key.name), path + key.name
        given = is_given and key.name in group.model_fields_set
        inside = dict(_groups(value, name))
        for place, item in inside.items():
            yield from _settings(item, place, given, changes)
        if not inside:
            is_set = any(name == change or name.startswith(f"{change}.") for change in changes)
            origin: Origin = "--set" if is_set else "file" if given else "default"
            yield Setting(key=name, value=keys.plain(value), unit=key.unit, origin=origin, about=key.says())


def _groups(value: Any, name: str) -> Iterator[tuple[str, Facts]]:
    """The groups of keys in a value, each with what stands before its keys."""
    if isinstance(value, Facts):
        yield f"{name}.", value
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for part, item in items:
        if isinstance(item, Facts):
            yield f"{name}.{part}.", item


# ---- phases ---------------------------------------------------------------------------------------------------------


def _phase(side: Side, phase: Phase, seen: _Seen, seats: Mapping[str, tuple[SeatTold, ...]]) -> PhaseTold:
    asks = tuple(
        _asked(side, phase, role, seen, seats)
        for role, phases in side.roles.items()
        if phase.name in phases and _members(side, seen.world, role)
    )
    writes = tuple(getattr(phase, "writes", ())) or seen.events.get(phase.name, ())
    about = docstrings.read(type(phase)).summary
    return PhaseTold(name=phase.name, about=about, repeats=phase.repeats, asks=asks, writes=writes)


def _asked(side: Side, phase: Phase, role: str, seen: _Seen, seats: Mapping[str, tuple[SeatTold, ...]]) -> Asked:
    name = f"{role}.{phase.name}"
    question = seen.questions.get((phase.name, role))
    card = catalog.card(role).questions.get(phase.name) if role in catalog.roles() else None
    return Asked(
        question=name,
        members=_members(side, seen.world, role),
        rows=question.num_rows if question else 0,
        minds=seats[name],
        sees=tuple(_columns(phase, question)) if question else (),
        answers=tuple(_fields(phase, question, _rule)) if question else (),
        card_reads=tuple(card.reads) if card else (),
    )


def _columns(phase: Phase, question: Question) -> Iterator[Column]:
    meanings: Mapping[str, Meaning] = getattr(phase, "sees", {})
    for name, column in question.columns.items():
        yield Column(
            kind="question",
            table=phase.name,
            name=name,
            unit=_unit(question.units.get(name, ""), column),
            shape=_shape(column),
            about=meanings[name].about if name in meanings else "",
        )


def _fields(phase: Phase, question: Question, rule: Rule) -> Iterator[Column]:
    meanings: Mapping[str, Meaning] = getattr(phase, "answers", {})
    for spec in question.fields:
        unit = spec.unit if isinstance(spec, Bucket) else "text" if isinstance(spec, Text) else "–"
        about = meanings[spec.name].about if spec.name in meanings else ""
        yield Column(
            kind="answer", table=phase.name, name=spec.name, unit=unit, shape=rule(spec, question), about=about
        )


def _unit(unit: str, column: Array) -> str:
    return "text" if column.dtype == object else unit or "–"


def _shape(column: Array) -> str:
    kinds = {"b": "yes or no", "O": "text", "f": "number"}
    kind = kinds.get(column.dtype.kind, "whole number")
    return f"{kind} × {column.shape[1]}" if column.ndim > 1 else kind


def _rule(spec: Field, question: Question) -> str:
    """What may be answered, in words; limits that differ from row to row as the range over the rows."""
    if isinstance(spec, Bucket):
        scale, unit = (10**6, spec.unit.removesuffix(_MILLIONTHS)) if _MILLIONTHS in spec.unit else (1, spec.unit)
        low, high, step = (int(end) / scale for end in (spec.low.min(), spec.high.max(), spec.step.min()))
        own = (
            ""
            if len(set(spec.high.tolist())) == len(set(spec.low.tolist())) == 1
            else ", each row within its own limits"
        )
        return f"{low:,g} … {high:,g} {unit} in steps of {step:g}{own}{_condition(spec, question)}"
    return _general_rule(spec, question)


def _general_rule(spec: Field, question: Question) -> str:
    """What may be answered in any row of any role, in words."""
    if isinstance(spec, Choice):
        rule = "one of " + ", ".join(spec.options)
    elif isinstance(spec, Bucket):
        rule = "whole number on the grid of the row"
    else:
        rule = f"one line of at most {spec.max_tokens} tokens"
    return rule + _condition(spec, question)


def _condition(spec: Field, question: Question) -> str:
    """Under which earlier answer a field is asked."""
    if spec.only_if is None:
        return ""
    earlier = question.field(spec.only_if[0])
    assert isinstance(earlier, Choice)
    return f"; only if {earlier.name} is {earlier.options[spec.only_if[1]]}"


# ---- seats ----------------------------------------------------------------------------------------------------------


def _seats(side: Side, facts: Scenario, wishes: Wishes) -> dict[str, tuple[SeatTold, ...]]:
    """Who answers each question of the side."""
    seats = Seats(side, _no_model, [UNTRAINED, *facts.models])
    plan = seats.plan(facts.minds, wishes, "scenario")
    return {
        f"{role}.{phase}": tuple(_seat(side, facts, f"{role}.{phase}", seat) for seat in found)
        for (role, phase), found in plan.items()
    }


def _no_model(name: str) -> Any:
    raise AssertionError(f"explaining makes no minds, {name} was asked for")


def _seat(side: Side, facts: Scenario, question: str, seat: Seat) -> SeatTold:
    if not isinstance(seat, str):
        name = str(getattr(seat, "name", getattr(seat, "__name__", type(seat).__name__)))
        return SeatTold(name=name, grade=str(getattr(seat, "grade", "scripted")), about=docstrings.read(seat).summary)
    if seat == UNTRAINED:
        return SeatTold(name=seat, grade=UNTRAINED, about=f"the base model {BASE} as it comes")
    if seat in facts.models:
        spec = facts.models[seat]
        base = f"{spec.model} at {spec.url}" if spec.url else spec.base or BASE
        return SeatTold(
            name=seat, grade=spec.grade, about=f"{base} with adapter {spec.adapter}" if spec.adapter else base
        )
    experts = side.experts[question]
    also = tuple(name for name, expert in experts.items() if expert is experts[seat] and name != seat)
    return SeatTold(name=seat, grade="scripted", about=docstrings.read(experts[seat]).summary, also=also)


# ---- the dictionary -------------------------------------------------------------------------------------------------


def _asked_columns(seen: _Seen) -> Iterator[Column]:
    """Columns and fields of every phase that asks, once for all of its roles."""
    for phase in seen.world.phases:
        asked = [question for (name, _), question in seen.questions.items() if name == phase.name]
        rows = [column for question in asked for column in _columns(phase, question)]
        rows += [column for question in asked for column in _fields(phase, question, _general_rule)]
        yield from {(row.kind, row.name): row for row in rows}.values()


def _event_columns(side: Side) -> Iterator[Column]:
    words = {"i8": "whole number", "f8": "number", "str": "text"}
    for table, schema in side.events.items():
        for column in schema.columns:
            unit = "text" if column.kind == "str" else column.unit or "–"
            shape = words[column.kind]
            yield Column(kind="event", table=table, name=column.name, unit=unit, shape=shape, about=column.about)


def _figures(side: Side) -> Iterator[Column]:
    for kind, figures in (("metric", side.metrics), ("kpi", side.kpis)):
        for name, figure in figures.items():
            yield Column(
                kind=kind,
                table="",
                name=name,
                unit=figure.unit or "–",
                shape="number",
                about=figure.about,
                better=figure.better,
            )


def _state(side: Side, world: World) -> Iterator[Column]:
    """The world's tables as they are, with what is declared of their columns."""
    for table, rows in world.tables.items():
        declared = side.state[table].columns if table in side.state else {}
        for name, column in rows.items():
            meaning = declared.get(name, Meaning("", ""))
            unit = _unit(meaning.unit, column)
            yield Column(kind="table", table=table, name=name, unit=unit, shape=_shape(column), about=meaning.about)


def _levers(side: Side, facts: Scenario) -> Iterator[Column]:
    """What interventions may change, where a side declares it."""
    panel = getattr(side, "panel", None)
    for lever in panel(facts).levers if panel else ():
        shape = "a mind by name" if lever.is_mind else f"{lever.low:,g} … {lever.high:,g}"
        unit = lever.unit or "–"
        yield Column(kind="lever", table=lever.table, name=lever.name, unit=unit, shape=shape, about=lever.about)
