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

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ecosim import catalog, docstrings, simulate
from ecosim.arms import Arm
from ecosim.explain.dictionary import columns_of, dictionary, fields_of, rule_of
from ecosim.explain.look import Seen, look, members
from ecosim.explain.resolved import Changes, walk
from ecosim.explain.seats import seats_of
from ecosim.explain.told import Asked, PhaseTold, SeatTold, Told
from ecosim.minds.seats import Wishes
from ecosim.scenario import Scenario
from ecosim.side import Phase, Side

if TYPE_CHECKING:
    import pandas as pd

Source = str | Path | Scenario


# ---- tables for notebooks -------------------------------------------------------------------------------------------


def settings(source: Source, changes: Changes | None = None) -> pd.DataFrame:
    """Every key of the scenario: its value, unit, origin (the file's, a default, or changed), and meaning."""
    import pandas as pd

    facts = simulate.load_scenario(source, changes)
    return pd.DataFrame([asdict(row) for row in walk(facts, changes or {})])


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
    simulate.check(
        facts, [Arm(name="all", minds=minds or {})], str(source) if isinstance(source, str | Path) else "scenario"
    )
    side = simulate.side(facts.world)
    seen = look(side, facts)
    seats = seats_of(side, facts, minds or {})
    phases = tuple(_phase(side, phase, seen, seats) for phase in seen.world.phases)
    return Told(
        scenario=facts,
        side=side,
        settings=tuple(walk(facts, changes or {})),
        phases=phases,
        columns=dictionary(side, facts, seen),
    )


def _phase(side: Side, phase: Phase, seen: Seen, seats: Mapping[str, tuple[SeatTold, ...]]) -> PhaseTold:
    asks = tuple(
        _asked(side, phase, role, seen, seats)
        for role, phases in side.roles.items()
        if phase.name in phases and members(side, seen.world, role)
    )
    writes = tuple(getattr(phase, "writes", ())) or seen.events.get(phase.name, ())
    about = docstrings.read(type(phase)).summary
    return PhaseTold(name=phase.name, about=about, repeats=phase.repeats, asks=asks, writes=writes)


def _asked(side: Side, phase: Phase, role: str, seen: Seen, seats: Mapping[str, tuple[SeatTold, ...]]) -> Asked:
    name = f"{role}.{phase.name}"
    question = seen.questions.get((phase.name, role))
    card = catalog.card(role).questions.get(phase.name) if role in catalog.roles() else None
    return Asked(
        question=name,
        members=members(side, seen.world, role),
        rows=question.num_rows if question else 0,
        minds=seats[name],
        sees=tuple(columns_of(phase, question)) if question else (),
        answers=tuple(fields_of(phase, question, rule_of)) if question else (),
        card_reads=(*card.reads, *(n for n in card.may_read if question and n in question.columns)) if card else (),
    )
