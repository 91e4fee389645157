"""Running cases: which there are, what came of each, and all of it as one table."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from ecosim.errors import EcosimError, ScenarioError
from ecosim.validate.cases import KINDS, Case, Figure, Unavailable

if TYPE_CHECKING:
    import pandas as pd

_MODULES = {
    "manufacturing": ("manufacturing",),
    "community": (
        "community",
        "competition",
        "collapse",
        "diffusion",
        "opinions",
        "moderation",
        "collaboration",
        "homogenisation",
        "providers",
    ),
    "minds": ("minds",),
}
"""Where the cases of each part stand."""
PARTS = tuple(_MODULES)
Verdict = Literal["met", "missed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a case.

    Attributes:
        case: which.
        figures: what it found; none if it was skipped or could not go on.
        note: why there are none, else empty.
        verdict: `missed` if a figure lies outside its tolerance, or a run of the case failed.
        wall_s: seconds that it took.
    """

    case: Case
    figures: Sequence[Figure]
    note: str
    verdict: Verdict
    wall_s: float


def cases(part: str | None = None, names: Sequence[str] = ()) -> list[Case]:
    """The cases of a part, or of all; with names, only these.

    Raises:
        ScenarioError: an unknown part or case.
    """
    if part is not None and part not in PARTS:
        raise ScenarioError(f"validate: unknown part {part!r}; known: {', '.join(PARTS)}")
    found: list[Case] = []
    for module in [module for name in PARTS if part in (None, name) for module in _MODULES[name]]:
        found += importlib.import_module(f"ecosim.validate.{module}").CASES
    known = [case.name for case in found]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "`ecosim validate --list` names them"
            raise ScenarioError(f"validate: unknown case {name!r}; {hint}")
    return [case for case in found if not names or case.name in names]


def outcomes(chosen: Sequence[Case], begin: Callable[[Case], None] | None = None) -> Iterator[Outcome]:
    """Compute cases one after another; `begin` is told of each before."""
    for case in chosen:
        if begin is not None:
            begin(case)
        since = perf_counter()
        verdict, figures, note = _judged(case)
        yield Outcome(case=case, figures=figures, note=note, verdict=verdict, wall_s=perf_counter() - since)


def _judged(case: Case) -> tuple[Verdict, Sequence[Figure], str]:
    try:
        figures = case.compute()
    except Unavailable as reason:
        return "skipped", (), str(reason)
    except EcosimError as error:  # a mind or phase that fails is a miss of this case, and the others go on
        return "missed", (), f"the run failed: {error}"
    return ("met" if all(figure.is_met for figure in figures) else "missed"), figures, ""


def run(
    part: str | None = None, names: Sequence[str] = (), begin: Callable[[Case], None] | None = None
) -> pd.DataFrame:
    """Compute reference cases: a row a figure, or one for a case without any.

    Args:
        part: manufacturing, community or minds; all by default.
        names: only these cases.
        begin: told of each case before it is computed.

    Raises:
        ScenarioError: an unknown part or case.
    """
    import pandas as pd

    return pd.DataFrame([row for outcome in outcomes(cases(part, names), begin) for row in rows(outcome)])


def rows(outcome: Outcome) -> list[dict[str, Any]]:
    """An outcome as plain rows; numbers that do not exist are None."""
    case = outcome.case
    about = {
        "part": case.part,
        "case": case.name,
        "class": case.kind,
        "class_name": KINDS[case.kind],
        "is_validation": case.is_validation,
    }
    after = {"source": case.source, "shows": case.shows, "method": case.method, "wall_s": round(outcome.wall_s, 3)}
    if not outcome.figures:
        none = dict.fromkeys(("figure", "found", "target", "low", "high", "tolerance", "unit"))
        return [about | none | {"verdict": outcome.verdict, "note": outcome.note} | after]
    return [
        about
        | {
            "figure": figure.name,
            "found": _number(figure.found),
            "target": _number(figure.target),
            "low": _number(figure.low),
            "high": _number(figure.high),
            "tolerance": figure.tolerance,
            "unit": figure.unit,
            "verdict": "met" if figure.is_met else "missed",
            "note": "",
        }
        | after
        for figure in outcome.figures
    ]


def _number(value: float) -> float | None:
    """A number as JSON knows it: infinity and nan are none."""
    return float(value) if abs(value) < float("inf") else None
