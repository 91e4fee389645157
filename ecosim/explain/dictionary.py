"""What columns are: of questions and answers, events, figures, tables of the world, and levers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ecosim.explain.look import Seen
from ecosim.explain.told import Column
from ecosim.fields import Array, Bucket, Choice, Field, Text
from ecosim.interventions import panel_of
from ecosim.meanings import Meaning
from ecosim.scenario import Scenario
from ecosim.side import Phase, Side
from ecosim.words import Question
from ecosim.world import World

Rule = Callable[[Field, Question], str]

_MILLIONTHS = "/1e6"


def dictionary(side: Side, facts: Scenario, seen: Seen) -> tuple[Column, ...]:
    """Every column that the scenario can have, table by table."""
    own = side.within(facts)
    return (
        *_asked_columns(seen),
        *_event_columns(own),
        *_figures(own),
        *_state(side, seen.world),
        *_levers(side, facts),
    )


def columns_of(phase: Phase, question: Question) -> Iterator[Column]:
    """The columns of a question, with what its phase declares of them."""
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


def fields_of(phase: Phase, question: Question, rule: Rule) -> Iterator[Column]:
    """The fields of a question, with what its phase declares of them."""
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


def rule_of(spec: Field, question: Question) -> str:
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


def _asked_columns(seen: Seen) -> Iterator[Column]:
    """Columns and fields of every phase that asks, once for all of its roles."""
    for phase in seen.world.phases:
        asked = [question for (name, _), question in seen.questions.items() if name == phase.name]
        rows = [column for question in asked for column in columns_of(phase, question)]
        rows += [column for question in asked for column in fields_of(phase, question, _general_rule)]
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
    """What interventions may change, who answers among it, table by table."""
    panel = panel_of(side, facts)
    for lever in sorted(panel.levers, key=lambda lever: panel.tables.index(lever.table)):
        shape = "a mind by name" if lever.is_mind else f"{lever.low:,g} … {lever.high:,g}"
        unit = lever.unit or "–"
        yield Column(kind="lever", table=lever.table, name=lever.name, unit=unit, shape=shape, about=lever.about)
