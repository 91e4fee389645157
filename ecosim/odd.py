"""The ODD+D page of a scenario: the protocol by which agent-based models are described, filled in from the code.

Everything on it is read: the scenario's title, `about`, settings and first comments; the docstrings of the ecosystem's
package, phases and minds; the declared tables, columns, events and figures. What no code can know says so in one line,
for the modeller to write.

Source: Grimm et al. (2020), The ODD protocol: a second update, JASSS 23(2) 7; Müller et al. (2013), Describing human
decisions in agent-based models – ODD+D, Environmental Modelling & Software 48.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import ecosim
from ecosim import catalog, docstrings, explain, seeds
from ecosim.docstrings import Docstring
from ecosim.explain import Source
from ecosim.explain.look import without_models
from ecosim.explain.resolved import Changes
from ecosim.explain.told import Asked, Column, PhaseTold, SeatTold, Told
from ecosim.minds.seats import Wishes
from ecosim.reading import SIDES
from ecosim.words import Expert
from ecosim.world import World

REFERENCES = (
    "Grimm, V., et al. (2020). The ODD protocol for describing agent-based and other simulation models: a second "
    "update to improve clarity, replication, and structural realism. *Journal of Artificial Societies and Social "
    "Simulation* 23(2) 7.",
    "Müller, B., et al. (2013). Describing human decisions in agent-based models: ODD+D, an extension of the ODD "
    "protocol. *Environmental Modelling & Software* 48, 37–48.",
)

Lines = Iterator[str]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a page is about: the scenario explained, what its ecosystem says of itself, and how files call it."""

    told: Told
    package: Docstring
    name: str
    notes: str


def page(source: Source, changes: Changes | None = None, minds: Wishes | None = None) -> str:
    """The ODD+D page, in Markdown; as for `explain.tell`.

    Raises:
        ScenarioError: there is no such scenario, or it has faults.
    """
    told = explain.tell(source, changes, minds)
    package = sys.modules[SIDES[told.scenario.world].rpartition(".")[0]]
    name = str(source) if isinstance(source, str | Path) else told.scenario.title
    subject = _Subject(told, docstrings.read(package), name, _notes(source))
    lines = [
        f"# {_safe(told.scenario.title)}: ODD+D",
        f"Written by `ecosim odd {_safe(name)}` (ecosim {ecosim.__version__}) from the code and the scenario's own "
        "text, in the order of ODD+D (Müller et al. 2013), with the elements of ODD (Grimm et al. 2020). Lines that "
        "begin with *To be written* are what code cannot know.",
        *_overview(subject),
        *_concepts(subject),
        *_details(subject),
        "## References",
        *(f"- {reference}" for reference in REFERENCES),
    ]
    return "\n\n".join(_packed(lines)) + "\n"


# ---- I overview -----------------------------------------------------------------------------------------------------


def _overview(subject: _Subject) -> Lines:
    facts = subject.told.scenario
    yield "## 1 Overview"
    yield "### 1.1 Purpose and patterns"
    yield _safe(facts.about) or _to_write("what this scenario is for; give it `about: …`")
    if subject.notes:
        yield "The scenario's file says of itself:"
        yield _quote(subject.notes)
    yield from _section(subject, "Purpose", "the purpose of this ecosystem")
    yield _to_write("for whom the model is made, and which observed patterns it has to reproduce to be of use")
    yield "### 1.2 Entities, state variables and scales"
    yield from _entities(subject.told)
    step = subject.told.side.step_name
    yield f"**Scales.** A run takes {facts.steps} {step}s. {' '.join(_paragraphs(subject, 'Scales'))}"
    yield "### 1.3 Process overview and scheduling"
    yield (
        f"In each {step} these phases run in this order. In a phase that asks, all members that are due answer at the "
        "same time, each from its own row; only then does the phase act on the answers and write its events. Section "
        "3.4 has the submodels."
    )
    yield _numbered(subject.told)


def _entities(told: Told) -> Lines:
    asked = {a.question.rpartition(".")[0]: a.members for phase in told.phases for a in phase.asks}
    yield "Members, in each replica: " + ", ".join(f"{role} {num:,}" for role, num in asked.items()) + "."
    unasked = {f"mind.{name}" for names in told.side.roles.values() for name in names} - {
        f"mind.{phase.name}" for phase in told.phases
    }
    empty = {home for role, home in told.side.populations.items() if role not in asked}
    for table, state in told.side.state.items():
        rows = [column for column in told.columns if (column.kind, column.table) == ("table", table)]
        columns = [column for column in rows if table not in empty and column.name not in unasked]
        if columns:
            yield f"**`{table}`**: a row is {state.about}."
            yield _column_table(columns, "State variable")
    yield "Money (EUR/1e6) and goods (units/1e6) are whole millionths: 12400000 EUR/1e6 are 12.40 EUR."


def _numbered(told: Told) -> str:
    lines = []
    for number, phase in enumerate(told.phases, start=1):
        roles = ", ".join(asked.question.rpartition(".")[0] for asked in phase.asks)
        who = f"Asks {roles}{', until nobody is due' if phase.repeats else ''}." if roles else "Asks nobody."
        events = f" Writes {', '.join(f'`{name}`' for name in phase.writes)}." if phase.writes else ""
        lines.append(f"{number}. **{phase.name}**: {phase.about} {who}{events}")
    return "\n".join(lines)


# ---- II design concepts ---------------------------------------------------------------------------------------------


def _concepts(subject: _Subject) -> Lines:
    told = subject.told
    yield "## 2 Design concepts"
    yield "### 2.1 Theoretical and empirical background"
    yield from _section(subject, "Theory", "the theory behind the model")
    yield "Sources that the code names for its rules and minds:"
    yield "\n".join(f"- {source}" for source in _sources(told)) or "- none"
    yield _to_write("on which data the figures of section 3.2 rest, and why its assumptions were chosen")
    yield "### 2.2 Individual decision making"
    yield from _section(subject, "Decisions", "who decides on what, and what they pursue")
    for phase in told.phases:
        if phase.asks:
            yield from _decisions(told, phase)
    yield "### 2.3 Learning"
    yield from _section(subject, "Learning", "whether and how individuals learn")
    yield "### 2.4 Individual sensing"
    yield from _section(subject, "Sensing", "what individuals know, and with which errors")
    for phase in told.phases:
        if phase.asks:
            yield f"In **{phase.name}** a member sees:"
            yield _column_table([c for c in told.columns if (c.kind, c.table) == ("question", phase.name)], "Column")
    yield "### 2.5 Individual prediction"
    yield from _section(subject, "Prediction", "what individuals expect, and how")
    yield "### 2.6 Interaction"
    yield from _section(subject, "Interaction", "who affects whom")
    yield "### 2.7 Collectives"
    yield from _section(subject, "Collectives", "groups that act or are acted on")
    yield "### 2.8 Heterogeneity"
    yield from _section(subject, "Heterogeneity", "in what individuals differ")
    yield "### 2.9 Stochasticity"
    yield from _stochasticity(subject)
    yield "### 2.10 Observation and emergence"
    yield from _observation(told)


def _decisions(told: Told, phase: PhaseTold) -> Lines:
    """What is answered in a phase, by whom, and how the minds in the seats come to it, each once."""
    asked = ", ".join(f"{a.question.rpartition('.')[0]} ({a.members:,})" for a in phase.asks)
    yield f"In **{phase.name}**, {asked} answer:"
    fields = [column for column in told.columns if (column.kind, column.table) == ("answer", phase.name)]
    if fields:
        yield _table(
            ("Answer", "Unit", "Allowed", "Meaning"), [(f"`{c.name}`", c.unit, c.shape, c.about) for c in fields]
        )
    whose: dict[tuple[str, str], list[str]] = {}
    for a in phase.asks:
        for seat in a.minds:
            role = a.question.rpartition(".")[0]
            whose.setdefault((f"`{seat.name}` ({seat.grade})", _mind(told, a, seat)), []).append(role)
    for (name, text), roles in whose.items():
        yield f"{name} answers for {', '.join(roles)}: {text}"


def _mind(told: Told, asked: Asked, seat: SeatTold) -> str:
    """A mind in full, where it is a rule of the ecosystem's own."""
    expert = _expert(told, asked, seat)
    if expert is None:
        shown = f" It reads, in words: {', '.join(asked.card_reads)}." if asked.card_reads else ""
        return f"{seat.about or 'a function of the modeller'}.{shown}"
    text = docstrings.read(expert)
    source = f" Source: {text.sections['Source']}" if "Source" in text.sections else ""
    return " ".join(text.paragraphs) + source


def _expert(told: Told, asked: Asked, seat: SeatTold) -> Expert | None:
    return told.side.experts[asked.question].get(seat.name) if seat.grade == "scripted" else None


def _stochasticity(subject: _Subject) -> Lines:
    facts, told = subject.told.scenario, subject.told
    yield (
        f"There are {facts.seeds} replicas, with world seeds from {facts.world_seed} up and mind seeds from "
        f"{facts.mind_seed} up. The world seed keys what no member decides; the mind seed keys what minds draw. Arms "
        "of a comparison share both, so that they differ in nothing but their minds."
    )
    yield from docstrings.read(seeds).paragraphs[1:]
    rows = [("initialisation", _draws(docstrings.read(told.side.build)))]
    rows += [(phase.name, _draws(text)) for phase, text in _submodels(told)]
    yield _table(("Where", "What is drawn"), [row for row in rows if row[1]])
    events = told.side.within(facts).events
    exogenous = [f"`{name}`" for name, schema in events.items() if schema.is_exogenous]
    if exogenous:
        yield f"Exogenous events, equal bit for bit in all arms: {', '.join(exogenous)}."


def _draws(text: Docstring) -> str:
    return " ".join(text.sections.get("Draws", "").split())


def _observation(told: Told) -> Lines:
    yield "All figures are taken from outside, of every replica; none of them is put in."
    for kind, what in (("metric", f"Measured after each {told.side.step_name}"), ("kpi", "Concluded at the end")):
        yield f"{what}:"
        rows = [(f"`{c.name}`", c.unit, c.about, c.better or "–") for c in told.columns if c.kind == kind]
        yield _table(("Figure", "Unit", "Definition", "Better"), rows)
    yield "Recorded events, each with replica and step:"
    tables = told.side.within(told.scenario).events.items()
    rows_of_events = [(f"`{n}`", s.about.rstrip("."), ", ".join(c.name for c in s.columns)) for n, s in tables]
    yield _table(("Table", "What", "Columns"), rows_of_events)
    yield _to_write("which of these answer the question of the study, and what counts as emergence")


# ---- III details ----------------------------------------------------------------------------------------------------


def _details(subject: _Subject) -> Lines:
    told = subject.told
    about, name = metadata.metadata("ecosim"), _safe(subject.name)
    yield "## 3 Details"
    yield "### 3.1 Implementation details"
    yield (
        f"ecosim {ecosim.__version__}, in Python ({about['Requires-Python']}), licence {about['License-Expression']}; "
        f"the world is a Mesa model. `ecosim run {name}` runs it, `ecosim explain {name}` tells more of it. A run's "
        "manifest records versions, seeds, minds, machine, and a digest of all events; the same scenario and seeds "
        "give the same digest."
    )
    yield from docstrings.read(sys.modules[World.__module__]).paragraphs[1:]
    yield "### 3.2 Initialisation"
    build = docstrings.read(told.side.build)
    yield from build.paragraphs
    yield "All settings; those not given are defaults:"
    settings = [s for s in told.settings if s.key not in ("title", "about")]
    told_before: set[str] = set()
    rows = []
    for s in settings:
        rows.append((f"`{s.key}`", _value(s.value), s.origin, "" if s.about in told_before else s.about))
        told_before.add(s.about)
    yield _table(("Setting", "Value", "From", "Meaning, where it stands first"), rows)
    yield "### 3.3 Input data"
    yield from _section(subject, "Input", "which time series or other data come from outside")
    yield "### 3.4 Submodels"
    for phase, text in _submodels(told):
        yield f"#### {phase.name}"
        yield from text.paragraphs
    for module, text in _mind_modules(told):
        yield f"#### Scripted minds: {module}"
        yield from text.paragraphs


def _submodels(told: Told) -> Iterator[tuple[PhaseTold, Docstring]]:
    """Each phase with what its code says of it: class, module (if it has no other phase), `ask` and `apply`."""
    made = {phase.name: type(phase) for phase in told.side.phases(without_models(told.scenario))}
    homes = [kind.__module__ for kind in made.values()]
    for phase in told.phases:
        kind = made[phase.name]
        module = docstrings.read(sys.modules[kind.__module__])
        own = docstrings.read(kind)
        around = module if homes.count(kind.__module__) == 1 else Docstring((), {})
        asks, then = (docstrings.read(method).summary for method in (kind.ask, kind.apply))
        parts = [*own.paragraphs, *around.paragraphs[1:], f"*Asked*: {asks}", f"*Then*: {then}"]
        yield phase, Docstring(tuple(parts), {**around.sections, **own.sections})


def _mind_modules(told: Told) -> Iterator[tuple[str, Docstring]]:
    """What the modules of the scripted minds that sit in seats say, each once."""
    found = [_expert(told, asked, seat) for asked in _asked(told) for seat in asked.minds]
    for name in dict.fromkeys(expert.__module__ for expert in found if expert is not None):
        yield name, docstrings.read(sys.modules[name])


def _sources(told: Told) -> list[str]:
    """The sources that phases, and minds in seats, name."""
    texts = [(phase.name, text) for phase, text in _submodels(told)]
    for asked in _asked(told):
        experts = ((seat.name, _expert(told, asked, seat)) for seat in asked.minds)
        phase = asked.question.rpartition(".")[2]
        texts += [(f"`{name}` in {phase}", docstrings.read(expert)) for name, expert in experts if expert]
    found: dict[str, dict[str, None]] = {}
    for where, text in texts:
        if "Source" in text.sections:
            found.setdefault(text.sections["Source"], {})[where] = None
    return [f"{source.rstrip('.')} ({', '.join(where)})" for source, where in found.items()]


def _asked(told: Told) -> list[Asked]:
    return [asked for phase in told.phases for asked in phase.asks]


# ---- words and tables -----------------------------------------------------------------------------------------------


def _section(subject: _Subject, name: str, missing: str) -> Lines:
    yield from _paragraphs(subject, name) or [_to_write(missing)]


def _paragraphs(subject: _Subject, name: str) -> list[str]:
    return [" ".join(block.split()) for block in subject.package.sections.get(name, "").split("\n\n") if block]


def _to_write(what: str) -> str:
    return f"*To be written by the modeller: {what}.*"


def _notes(source: Source) -> str:
    """The comments at the head of a scenario's file."""
    if not isinstance(source, str | Path):
        return ""
    path = Path(source)
    path = path if path.suffix or len(path.parts) > 1 else catalog.scenario_path(str(source))
    head: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        head.append(line.lstrip("# ").rstrip())
    return " ".join(line for line in head if not line.startswith("yaml-language-server"))


def _column_table(columns: Sequence[Column], head: str) -> str:
    rows = [(f"`{c.name}`", c.unit, c.shape, c.about or "not described") for c in columns]
    return _table((head, "Unit", "Type", "Meaning"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|").replace("\n", " ") for cell in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value(item)}" for name, item in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "–"
    return "–" if value in (None, "") else _safe(str(value))


def _safe(text: str) -> str:
    """A scenario's own words on one line, so that no markup of theirs is markup here."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quote(text: str) -> str:
    return f"> {_safe(text)}"


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """The blocks of a page, without empty ones; a docstring's own lines lose their common indent."""
    yield from (inspect.cleandoc(line) for line in lines if line.strip())
