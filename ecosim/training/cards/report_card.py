"""The report card of a product: what it costs, how near it is to its teacher, what that means for an ecosystem.

`examine` measures, on held-out seeds and held-out scenario families, with the controls that make figures mean something
(`ecosim.training.cards.controls`), and in the arenas of the recipe. What it gives is plain data: it goes into
`agents/<role>/report.json`, from which the page, the README's section, the card's scores and the gate are made. A
figure that stands anywhere stands there first.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecosim import __version__
from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.training.cards import slices
from ecosim.training.cards.arenas import Outcome, meet
from ecosim.training.cards.asking import TRAIN_SEED, Asked, ask
from ecosim.training.cards.boosting import Boosted
from ecosim.training.cards.controls import Majority, Noisy, epsilon_for
from ecosim.training.cards.costs import cost
from ecosim.training.cards.fidelity import Judged, error_over_worlds, figures, judge, reliability, together
from ecosim.training.cards.grading import Grading, Judging
from ecosim.words import Decision, Mind

NAME = "report.json"
DIGITS = 5
"""Significant digits of a figure in the report: more would change with the weather."""
TWO_SIGMA = 1.96

Say = Callable[[str], None]
Report = dict[str, Any]
"""A product's entry in `report.json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A mind that stands for a role's teacher.

    Attributes:
        role, name, grade: whose, what the recipe calls it, and its rung on the ladder.
        minds: by training seed; the first is the one that ships.
        teacher: for whom it stands.
        parameters, num_bytes: of the weights that ship.
        phases: that it answers.
        sha256: of the weights that ship, as the card has it.
    """

    role: str
    name: str
    grade: str
    minds: Mapping[int, Mind]
    teacher: Mind
    parameters: int
    num_bytes: int
    phases: tuple[str, ...]
    sha256: str | None = None

    @property
    def shipped(self) -> Mind:
        """The mind whose weights are in the catalogue."""
        return next(iter(self.minds.values()))


def examine(product: Product, grading: Grading, say: Say = lambda line: None, train_seed: int = TRAIN_SEED) -> Report:
    """Measure a product.

    Args:
        train_seed: the first world seed that it was trained on, from which the controls learn.
        say: takes a line about each part as it begins.

    Raises:
        CatalogError: the recipe asks for what there is not.
    """
    phases = [phase for phase in grading.questions if phase in product.phases]
    if not phases:
        raise CatalogError(
            f"recipe.yaml: card.questions: {product.role}/{product.name} answers {', '.join(product.phases)}, and the "
            f"card has {', '.join(grading.questions)}"
        )

    def rows(what: str, samples: Any, seed: int, most: int) -> dict[str, Asked]:
        say(f"{product.role}/{product.name}: questions of {what}")
        found = ask(product.role, phases, samples, product.teacher, seed)
        return {phase: asked.most(most) for phase, asked in found.items()}

    train = rows("training seeds", grading.train, train_seed, grading.control_rows)
    held = rows("held-out seeds", grading.train, grading.world_seed, grading.rows)
    families = rows("held-out families", grading.families, grading.world_seed, grading.rows) if grading.families else {}
    phases = [phase for phase in phases if phase in held and phase in train]
    say(f"{product.role}/{product.name}: controls")
    controls = _Controls(product.teacher, train)
    questions, tables = {}, {}
    for phase in phases:
        say(f"{product.role}.{phase}: fidelity and cost")
        how = grading.questions[phase]
        questions[phase], tables[phase] = _question(product, phase, how, held[phase], families.get(phase), controls)
    epsilon = {phase: table["epsilon"] for phase, table in tables.items()}
    arms: dict[str, Mind] = {
        "noisy": Noisy(product.teacher, epsilon),
        "boosted": controls.boosted,
        "majority": controls.majority,
    }
    outcomes = []
    for arena in grading.arenas:
        num_arms = len(product.minds) + 5
        say(f"{product.role}/{product.name}: arena {arena.scenario}, {arena.seeds} worlds × {num_arms} arms")
        minds = list(product.minds.values())
        met = meet(product.role, arena, phases, grading.world_seed, product.teacher, minds, arms)
        outcomes += [met] if met is not None else []
    return _rounded(
        {
            "role": product.role,
            "product": product.name,
            "grade": product.grade,
            "mind": product.shipped.name,
            "fingerprint": product.shipped.fingerprint,
            "sha256": product.sha256,
            "teacher": product.teacher.name,
            "train_seeds": list(product.minds),
            "trainings": len(product.minds),
            "parameters": product.parameters,
            "bytes": product.num_bytes,
            "questions": questions,
            "tables": tables,
            "arenas": [_outcome(outcome) for outcome in outcomes],
            "ecosim": __version__,
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
        }
    )


def read(folder: Path) -> dict[str, Report]:
    """The reports of a role, by product; none where there is no file.

    Raises:
        CatalogError: the file is not a report.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): dict(report) for name, report in found.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise CatalogError(f"{path}: not a report: {error}; `ecosim models card` writes a new one") from error


def write(folder: Path, report: Report) -> Path:
    """Put a product's report beside the card, in place of an older one; others stay."""
    path = folder / NAME
    found = {**read(folder), report["product"]: report}
    text = json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False)
    beside = path.with_suffix(".new")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)
    return path


class _Controls:
    """The controls, taught on training seeds."""

    def __init__(self, teacher: Mind, train: Mapping[str, Asked]) -> None:
        asked = [question for held in train.values() for question in held.questions]
        answered = [decision for held in train.values() for decision in held.teacher]
        self.teacher = teacher
        self.majority = Majority(asked, answered)
        self.boosted = Boosted(asked, answered)
        self._train = train

    def base_rate(self, phase: str, how: Judging) -> None:
        """Let the majority answer know how often it is right on training seeds: its own honest chance."""
        held = self._train[phase]
        found = _judged(self.majority, held, how)
        self.majority.chance[phase] = float(found.agrees.mean())


def _question(
    product: Product, phase: str, how: Judging, held: Asked, families: Asked | None, controls: _Controls
) -> tuple[dict[str, float], dict[str, Any]]:
    """The figures of one question, and the tables behind them."""
    controls.base_rate(phase, how)
    mine = _judged(product.shipped, held, how)
    majority = _judged(controls.majority, held, how)
    boosted = _judged(controls.boosted, held, how)
    wild = _judged(Noisy(controls.teacher, 1.0), held, how)
    epsilon = epsilon_for(1 - float(mine.agrees.mean()), 1 - float(wild.agrees.mean()))
    noisy = _judged(Noisy(controls.teacher, epsilon), held, how)
    found = figures(mine, majority)
    others = [float(_judged(mind, held, how).agrees.mean()) for mind in list(product.minds.values())[1:]]
    found["agreement_sd_over_trainings"] = float(np.std([found["agreement"], *others], ddof=1)) if others else 0.0
    more, low = _lead(mine, boosted)
    found |= {"over_boosted": more, "over_boosted_low": low, "over_majority": _lead(mine, majority)[0]}
    found |= {"noisy_regret_share": figures(noisy, majority)["regret_share"]}
    tables: dict[str, Any] = {"epsilon": epsilon, "controls": {}}
    for name, judged in (("noisy", noisy), ("boosted", boosted), ("majority", majority)):
        tables["controls"][name] = figures(judged, majority)
    tables["reliability"] = [list(line) for line in reliability(mine.chance, mine.agrees)]
    tables["slices"] = _slices(held, mine.agrees)
    if families is not None:
        far, rest = _judged(product.shipped, families, how), _judged(controls.majority, families, how)
        found |= {f"families.{name}": value for name, value in figures(far, rest).items()}
        tables["controls_families"] = {"boosted": figures(_judged(controls.boosted, families, how), rest)}
        tables["slices_families"] = _slices(families, far.agrees)
    found |= {f"cost.{name}": value for name, value in cost(product.shipped, held.questions).items()}
    return found, tables


def _judged(mind: Mind, asked: Asked, how: Judging) -> Judged:
    parts = []
    for question, teacher in zip(asked.questions, asked.teacher, strict=True):
        decision: Decision = mind.decide(question)
        parts.append(judge(question, decision, teacher, how))
    return together(parts)


def _lead(one: Judged, other: Judged) -> tuple[float, float]:
    """How much more often one agrees than another on the same rows, and the lower end of its 95 % interval."""
    gap: Array = one.agrees.astype(np.float64) - other.agrees
    error = error_over_worlds(gap, one.world)
    return float(gap.mean()), float(gap.mean() - TWO_SIGMA * error)


def _slices(asked: Asked, agrees: Array) -> list[dict[str, Any]]:
    found = slices.worst(asked.questions, asked.scenarios, agrees)
    return [{"name": one.name, "rows": one.rows, "agreement": one.agreement} for one in found]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    arena = outcome.arena
    return {
        "scenario": arena.scenario,
        "seeds": arena.seeds,
        "want": arena.want,
        "margin": arena.margin,
        "questions": list(outcome.phases),
        "passes": {kpi: outcome.passes(kpi) for kpi in arena.kpis},
        "units": dict(outcome.units),
        "better": dict(outcome.better),
        "arms": {arm: {k: e.as_dict() for k, e in found.items()} for arm, found in outcome.by_arm.items()},
    }


def _rounded(value: Any) -> Any:
    """Plain data with few digits; what is no number becomes null."""
    if isinstance(value, dict):
        return {str(key): _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    number = float(value)
    return float(f"{number:.{DIGITS}g}") if np.isfinite(number) else None
