"""What a report card measures, and what its gate demands: the sections `card` and `gate` of a role's recipe.

```yaml
card:
  nano:                                      # a product of the recipe
    teacher: scripted                        # whom it stands for
    questions:                               # what it stands for it in
      replenish:
        tolerance: {quantity: 0.05}          # answers so near to the teacher's agree (a share of the teacher's)
        value: {quantity: [price]}           # what a wrong one costs, in EUR: see below
      negotiate:
        value: {act: [need, reservation - market_price], price: [need]}
    train: [{scenario: smart_manufacturing}] # where it was trained; other world seeds of these are held out
    families: [{scenario: supplier_outage}]  # never seen in training
    arenas:                                  # ecosystems in which it takes the teacher's seats
      - {scenario: smart_manufacturing, questions: [replenish], kpis: [fill_rate, profit_eur.distributor], margin: 0.05}
gate:
  nano:
    all: {agreement: {at_least: 0.9}, regret_share: {at_most: 0.2}, ece: {at_most: 0.1}}
    negotiate: {agreement: {at_least: 0.8}}  # for this question in place of what `all` says
```

A gate may bound any figure of the product's report (`agents/<role>/report.json`, under `questions`). Whatever it says,
every KPI of the arenas in which a question is asked must come out as the arena wants, a question needs an arena, and a
language model must agree more often than gradient boosting on the same columns.

**Value.** A wrong answer costs its difference from the teacher's, times the factors listed: of a number the difference
in natural units (units, EUR, weeks), of a choice 1 where it is another. A factor is a number, a column (natural units,
absolute), or `a - b`, the distance between two columns. So a quantity weighs `price × |quantity difference|`, and to
accept, counter or reject wrongly weighs what is at stake in the talk: `need × |own limit − offer|`. Losses of several
fields add up. A field without factors weighs nothing; without any `value`, each wrong answer weighs 1.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ecosim.catalog import Entry

Factor = str | float | int

_FACTOR = re.compile(r"[a-z_]\w*( - [a-z_]\w*)?")

Count = Annotated[int, Field(ge=1, le=10**6)]
Tolerance = Annotated[float, Field(ge=0, le=1)]


class Sample(Entry):
    """Questions to be answered: those of some seeds of a scenario, while teachers sit in all seats.

    Attributes:
        scenario: of the catalogue.
        seeds, steps: how many; None: all steps of the scenario.
        changes: keys of the scenario, dotted.
    """

    scenario: str
    seeds: Count = 3
    steps: Count | None = None
    changes: dict[str, Any] = Field(default_factory=dict)


class Arena(Entry):
    """An ecosystem in which a product takes its teacher's seats, in paired worlds.

    Attributes:
        scenario, steps, changes: as in a `Sample`.
        seeds: worlds; the issue's rule is 20.
        questions: phases that the product answers here; none given: all that the card has and the scenario asks.
        kpis: by name, or `name.group`.
        margin: that would matter, as a share of the teacher's mean.
        want: the product has to be as good as the teacher (within the margin), no worse, or better.
        is_swapped_alone: there is an arm more with the product in one seat only.
    """

    scenario: str
    steps: Count | None = None
    changes: dict[str, Any] = Field(default_factory=dict)
    seeds: Annotated[int, Field(ge=2, le=1000)] = 20
    questions: list[str] = Field(default_factory=list)
    kpis: Annotated[list[str], Field(min_length=1)]
    margin: Annotated[float, Field(gt=0, le=1)] = 0.05
    want: Literal["equivalent", "no_worse", "better"] = "equivalent"
    is_swapped_alone: bool = True


class Judging(Entry):
    """How answers to one question are judged: near enough, and what they cost; see the module's docstring.

    Attributes:
        teacher: for whom the product stands here, if not as the card says.
        tolerance: by field, of a number: a share of the teacher's answer.
        value: by field, the factors of what a wrong answer costs.
    """

    teacher: str | None = None
    tolerance: dict[str, Tolerance] = Field(default_factory=dict)
    value: dict[str, list[Factor]] = Field(default_factory=dict)

    @field_validator("value")
    @classmethod
    def _factors_are_columns_or_numbers(cls, value: dict[str, list[Factor]]) -> dict[str, list[Factor]]:
        for name, factors in value.items():
            for factor in factors:
                if isinstance(factor, str) and not _FACTOR.fullmatch(factor):
                    raise ValueError(f"{name}: a factor is a number, a column, or `a - b`, got {factor!r}")
        return value


class Grading(Entry):
    """The section `card` of a recipe.

    Attributes:
        teacher: the mind that products stand for, as scenarios name it.
        questions: by phase.
        train, families: where questions are taken from; of `train` with seeds that no training saw.
        arenas: where ecosystems are compared.
        world_seed: the first held-out seed; training uses lower ones.
        rows: most rows of a question that are judged, evenly spread over what was asked.
        control_rows: most rows that the controls learn from, of training seeds.
    """

    teacher: str = "scripted"
    questions: Annotated[dict[str, Judging], Field(min_length=1)]
    train: Annotated[list[Sample], Field(min_length=1)]
    families: list[Sample] = Field(default_factory=list)
    arenas: list[Arena] = Field(default_factory=list)
    world_seed: Annotated[int, Field(ge=2, le=2**31)] = 500_001
    rows: Count = 4000
    control_rows: Count = 20_000

    @model_validator(mode="after")
    def _arenas_ask_what_the_card_has(self) -> Grading:
        for i, arena in enumerate(self.arenas):
            unknown = [name for name in arena.questions if name not in self.questions]
            if unknown:
                raise ValueError(f"arenas[{i}].questions: no {unknown[0]!r}; the card has {', '.join(self.questions)}")
        seen = {sample.scenario for sample in self.train} & {sample.scenario for sample in self.families}
        if seen:
            raise ValueError(f"families: {min(seen)!r} is under `train` too, so it is not held out")
        return self


class Bound(Entry):
    """What a figure of the report must keep to.

    Attributes:
        at_least, at_most: give one, or both.
    """

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Bound:
        if self.at_least is None and self.at_most is None:
            raise ValueError("needs at_least or at_most")
        return self

    def holds(self, value: float) -> bool:
        """Whether a figure keeps to it; nan does not."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    @property
    def told(self) -> str:
        """In words."""
        parts = [("≥", self.at_least), ("≤", self.at_most)]
        return " and ".join(f"{sign} {value:g}" for sign, value in parts if value is not None)


Gate = dict[str, dict[str, Bound]]
"""The section `gate` of a recipe: bounds by figure, under a question's name or `all`."""


def bounds(gate: Gate, phase: str) -> dict[str, Bound]:
    """The bounds of one question."""
    return {**gate.get("all", {}), **gate.get(phase, {})}
