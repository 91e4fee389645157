"""How near a mind's answers are to its teacher's, row by row, and what the rest costs.

A row agrees if all its fields do: a Choice or Text by being equal, a Bucket by lying within a tolerance of the
teacher's value (a share of it; 0: equal). A field that only one of the two was asked is a disagreement of the field
that it hangs on, and is not counted twice.

*Regret* is what disagreement costs by the recipe's `value` (`cards.grading`): mean loss a row in EUR, and
`regret_share`, the loss as a share of what the majority answer would lose on the same rows (0 perfect, 1 no better).

*Calibration* holds the chance that a mind gave to its own answers (exp of `logp`) against how often they agree: the
expected calibration error is the mean distance between the two over ten equal bins, weighed by rows. The *Brier score*
is the squared distance between the chances of all answers and the teacher's, which is certain. A mind tells the chance
p of the answers that it gave, not of the others, so the score is taken at its worst: 2·(1 − p)² where it agrees, p² + 1
where not. *Skill* = 1 − Brier ÷ Brier of the majority answer at its own base rate. KL is not to be had from p alone.

Sources: Guo et al. (2017), On calibration of modern neural networks; Brier (1950), Verification of forecasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.errors import CatalogError
from ecosim.exact import MILLION
from ecosim.fields import Array, Bucket, Text, asked
from ecosim.training.cards.grading import Factor, Judging
from ecosim.words import Decision, Question

NUM_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Rows of one question, judged.

    Attributes:
        agrees: with the tolerances, bool (rows,).
        equals: to the last digit, bool (rows,).
        by_field: agreement of each field where both were asked; nan elsewhere, float64 (rows,).
        chance: that the mind gave to its answers, float64 (rows,).
        loss: by the recipe's value, float64 (rows,), EUR or errors.
        world: world seed of each row, which rows share their luck within.
    """

    agrees: Array
    equals: Array
    by_field: Mapping[str, Array]
    chance: Array
    loss: Array
    world: Array


def judge(question: Question, decision: Decision, teacher: Decision, how: Judging) -> Judged:
    """A mind's answers beside the teacher's.

    Raises:
        CatalogError: the recipe names a field or column that the question does not have.
    """
    _check(question, how)
    n = question.num_rows
    agrees, equals, loss = np.ones(n, bool), np.ones(n, bool), np.zeros(n)
    by_field = {}
    for spec in question.fields:
        mine, theirs = decision.answers[spec.name], teacher.answers[spec.name]
        both = asked(spec, decision.answers, n) & asked(spec, teacher.answers, n)
        is_equal = np.asarray(mine == theirs, bool)
        is_near, gap = is_equal, (~is_equal).astype(np.float64)
        if isinstance(spec, Bucket):
            gap = np.abs(mine - theirs).astype(np.float64)
            is_near = gap <= how.tolerance.get(spec.name, 0.0) * np.abs(theirs)
            gap *= scale(spec.unit)
        if not isinstance(spec, Text):  # free texts are judged by what they do, not by their letters
            agrees &= is_near | ~both
            equals &= is_equal | ~both
            by_field[spec.name] = np.where(both, is_near, np.nan)
        if spec.name in how.value:
            loss += np.where(both, gap * weight(question, how.value[spec.name]), 0.0)
    if not how.value:
        loss = (~agrees).astype(np.float64)
    chance = np.exp(np.minimum(decision.logp, 0.0))
    return Judged(agrees=agrees, equals=equals, by_field=by_field, chance=chance, loss=loss, world=question.seed)


def together(parts: Sequence[Judged]) -> Judged:
    """Several judgements as one; a field that a part was not asked for is nan there."""
    names = dict.fromkeys(name for part in parts for name in part.by_field)
    missing = [np.full(len(part.agrees), np.nan) for part in parts]

    def joined(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    fields = {
        name: np.concatenate([part.by_field.get(name, empty) for part, empty in zip(parts, missing, strict=True)])
        for name in names
    }
    return Judged(
        agrees=joined("agrees"),
        equals=joined("equals"),
        by_field=fields,
        chance=joined("chance"),
        loss=joined("loss"),
        world=joined("world"),
    )


def figures(judged: Judged, majority: Judged) -> dict[str, float]:
    """The figures of some rows, beside those of the majority answer on the same rows.

    Returns:
        `rows`, `agreement`, `exact`, `agreement_se` (over worlds), `agreement.<field>`, `skill`, `brier`, `ece`,
        `regret`, `regret_share`.
    """
    brier, worst = _brier(judged), _brier(majority)
    lost = float(majority.loss.mean())
    found = {
        "rows": float(len(judged.agrees)),
        "agreement": float(judged.agrees.mean()),
        "agreement_se": error_over_worlds(judged.agrees, judged.world),
        "exact": float(judged.equals.mean()),
        "brier": brier,
        "skill": 1 - brier / worst if worst > 0 else float(brier == 0),
        "ece": ece(judged.chance, judged.agrees),
        "regret": float(judged.loss.mean()),
        "regret_share": float(judged.loss.mean()) / lost if lost > 0 else float(judged.loss.any()),
    }
    for name, column in judged.by_field.items():
        if np.isfinite(column).any():
            found[f"agreement.{name}"] = float(np.nanmean(column))
    return found


def reliability(chance: Array, hit: Array, bins: int = NUM_BINS) -> list[tuple[float, int, float, float]]:
    """How often answers are right, by the chance that was given to them.

    Returns:
        Of each bin that has rows: its lower end, rows, mean chance, share of hits.
    """
    place = np.minimum((chance * bins).astype(np.int64), bins - 1)
    found = []
    for b in np.unique(place).tolist():
        mine = place == b
        found.append((b / bins, int(mine.sum()), float(chance[mine].mean()), float(hit[mine].mean())))
    return found


def ece(chance: Array, hit: Array, bins: int = NUM_BINS) -> float:
    """Expected calibration error.

    >>> ece(np.array([0.95, 0.95, 0.55, 0.15]), np.array([True, False, True, False]))  # (2·.45 + .45 + .15) / 4
    0.375
    """
    table = reliability(chance, hit, bins)
    return float(round(sum(n * abs(mean - share) for _, n, mean, share in table) / len(chance), 12))


def error_over_worlds(hit: Array, world: Array) -> float:
    """Standard error of a mean over rows, whose worlds are drawn by lot and whose rows within a world are not.

    Source: the ratio estimator for clusters (Cochran 1977, section 2.11); nan of one world.
    """
    _, place = np.unique(world, return_inverse=True)
    count = np.bincount(place).astype(np.float64)
    if len(count) < 2:
        return float("nan")
    rest = np.bincount(place, hit) - hit.mean() * count
    return float(np.sqrt((rest**2).sum() * len(count) / (len(count) - 1)) / count.sum())


def weight(question: Question, factors: Sequence[Factor]) -> Array:
    """The product of factors in each row, float64 (rows,)."""
    found = np.ones(question.num_rows)
    for factor in factors:
        if not isinstance(factor, str):
            found *= factor
        elif " - " in factor:
            one, other = factor.split(" - ")
            found *= np.abs(_natural(question, one) - _natural(question, other))
        else:
            found *= np.abs(_natural(question, factor))
    return found


def scale(unit: str) -> float:
    """From a column's integers to natural units."""
    return 1 / MILLION if unit.endswith("/1e6") or unit.startswith("1e-6") else 1.0


def _natural(question: Question, column: str) -> Array:
    return question[column] * scale(question.units.get(column, ""))


def _brier(judged: Judged) -> float:
    p = judged.chance
    return float(np.where(judged.agrees, 2 * (1 - p) ** 2, p**2 + 1).mean())


def _check(question: Question, how: Judging) -> None:
    names = {spec.name for spec in question.fields}
    for key, given in (("tolerance", how.tolerance), ("value", how.value)):
        if given and not set(given) & names:  # some of them may be asked for in other scenarios only
            raise CatalogError(
                f"recipe.yaml: card.questions.{question.phase}.{key}: no field {min(given)!r}; {question.name} asks "
                f"for {', '.join(sorted(names))}"
            )
    columns = {name for factors in how.value.values() for f in factors if isinstance(f, str) for name in f.split(" - ")}
    for column in sorted(columns):
        if column not in question.columns or question[column].ndim != 1 or question[column].dtype == object:
            raise CatalogError(
                f"recipe.yaml: card.questions.{question.phase}.value: {column!r} is no column of one number a row of "
                f"{question.name}; it has {', '.join(sorted(question.columns))}"
            )
