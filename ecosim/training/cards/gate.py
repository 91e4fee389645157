"""The gate: which questions of a role a product answers by default, decided by figures that were declared before.

A question passes if every training seed of the recipe was measured, if every bound of its `gate` holds, if every KPI of
every arena in which it is asked came out as the arena wants (and there is one), and, of a language model, if it agrees
more often than gradient boosting on the same columns (lower end of the 95 % interval over worlds above 0): what
boosting can do needs no language model. The product becomes the card's `default` for the questions that pass, and
ceases to be for those that do not. Every criterion names its figure, which stands in `agents/<role>/report.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecosim import catalog
from ecosim.errors import CatalogError
from ecosim.training import recipes
from ecosim.training.cards.file import set_default
from ecosim.training.cards.grading import Bound, Gate, bounds
from ecosim.training.cards.report_card import NAME, Report, read, write

ON_COLUMNS = ("scripted", "nano", "boosted")
"""Grades that are no language models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One demand of the gate, and whether it holds.

    Attributes:
        question: of the role, a phase.
        figure: its name in the report.
        value: as it stands there; None where it does not.
        wanted: in words.
    """

    question: str
    figure: str
    value: float | None
    wanted: str
    holds: bool

    @property
    def told(self) -> str:
        """A line for people."""
        value = "not in the report" if self.value is None else f"{self.value:.4g}"
        return f"{'pass' if self.holds else 'FAIL'}  {self.question}: {self.figure} = {value}, wanted {self.wanted}"

    def as_dict(self) -> dict[str, Any]:
        """For a file."""
        return {name: getattr(self, name) for name in self.__slots__}


def judge(report: Report, gate: Gate, trainings: int = 1) -> list[Criterion]:
    """Every criterion of every question of a report; at least so many trainings must have been measured."""
    found = []
    for phase, figures in report["questions"].items():
        count = report["trainings"]
        wanted = f"≥ {trainings}: a training for each seed of the recipe"
        is_enough = count >= trainings
        found.append(Criterion(question=phase, figure="trainings", value=count, wanted=wanted, holds=is_enough))
        for name, bound in bounds(gate, phase).items():
            found.append(_bound(phase, name, figures.get(name, report.get(name)), bound))
        if report["grade"] not in ON_COLUMNS:
            lead = figures.get("over_boosted_low")
            wanted = "> 0: more than gradient boosting on the same columns"
            is_better = lead is not None and lead > 0
            found.append(
                Criterion(question=phase, figure="over_boosted_low", value=lead, wanted=wanted, holds=is_better)
            )
        found += _arenas(phase, report)
    return found


def passed(criteria: list[Criterion]) -> dict[str, bool]:
    """Whether each question passes: all its criteria hold."""
    return {name: all(c.holds for c in criteria if c.question == name) for name in {c.question: 0 for c in criteria}}


def gate(which: str) -> dict[str, list[Criterion]]:
    """Hold the reports of a role's products (`role` or `role/product`) against their gates, and write the defaults.

    Gives the criteria by product; they are written into the report too.

    Raises:
        CatalogError: there is no recipe, no gate, no report, or the report is of other weights.
    """
    role, products = recipes.split(which)
    recipe, card = recipes.read(role), catalog.card(role)
    reports = read(card.folder)
    wanted = [name for name in products if name in recipe.gates] if "/" not in which else list(products)
    if not wanted:
        raise CatalogError(f"{recipe.path}: gate: no product of {role} has one; known: {', '.join(recipe.products)}")
    found = {}
    for name in wanted:
        if name not in recipe.gates:
            raise CatalogError(f"{recipe.path}: gate.{name}: missing: there is nothing to pass; name its criteria")
        report = _fresh(role, name, reports, card)
        criteria = judge(report, recipe.gates[name], len(recipe.seeds.train))
        default = dict(catalog.read_card(card.folder / "card.yaml").default)
        for phase, is_good in passed(criteria).items():
            if is_good:
                default[phase] = name
            elif default.get(phase) == name:
                del default[phase]
        set_default(card.folder / "card.yaml", default)
        write(card.folder, {**report, "gate": [one.as_dict() for one in criteria]})
        found[name] = criteria
    return found


def _bound(phase: str, name: str, value: Any, bound: Bound) -> Criterion:
    number = float(value) if isinstance(value, int | float) else None
    holds = number is not None and bound.holds(number)
    return Criterion(question=phase, figure=name, value=number, wanted=bound.told, holds=holds)


def _arenas(phase: str, report: Report) -> list[Criterion]:
    """A criterion for each KPI of each arena in which the question is asked."""
    found = []
    for arena in report["arenas"]:
        if phase not in arena["questions"]:
            continue
        for kpi, holds in arena["passes"].items():
            result = arena["arms"]["all seats"][kpi]
            wanted = _wanted(arena, kpi, result)
            name = f"{arena['scenario']}.{kpi}"
            value = result["difference"]
            found.append(Criterion(question=phase, figure=name, value=value, wanted=wanted, holds=bool(holds)))
    if not found:
        wanted = "an arena: an ecosystem in which it was asked"
        found.append(Criterion(question=phase, figure="arenas", value=None, wanted=wanted, holds=False))
    return found


def _wanted(arena: Mapping[str, Any], kpi: str, result: Mapping[str, Any]) -> str:
    inside = f"90 % interval [{_short(result['low'])} … {_short(result['high'])}]"
    if arena["want"] == "equivalent":
        return f"within ±{_short(result['margin'])} of the teacher, {inside} (p = {_short(result['p'])})"
    way = "less" if arena["better"][kpi] == "lower" else "more"
    if arena["want"] == "better":
        return f"{way} than the teacher, {inside} (p = {_short(result[f'p_{way}'])})"
    p = result["p_above" if way == "less" else "p_below"]
    return f"no worse than the teacher by {_short(result['margin'])}, {inside} (p = {_short(p)})"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _fresh(role: str, name: str, reports: Mapping[str, Report], card: catalog.Card) -> Report:
    again = f"run `ecosim models card {role}/{name}`"
    if name not in reports:
        raise CatalogError(f"{card.folder / NAME}: no report of {name!r}; {again}")
    if name not in card.weights:
        raise CatalogError(f"{card.folder / 'card.yaml'}: weights: no {name!r}: only what ships can be a default")
    if reports[name].get("sha256") != card.weights[name].sha256:
        raise CatalogError(f"{card.folder / NAME}: the report of {name!r} is of other weights than the card's; {again}")
    return reports[name]
