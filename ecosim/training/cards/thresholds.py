"""A cascade's dial: for each threshold, how many rows are asked twice, what that costs, and what it buys.

Both minds are asked every row once; a threshold then only says whose answer stands. So the curve costs as much as its
two ends, and every point of it is exact on these rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecosim.fields import Array
from ecosim.training.cards.asking import Asked
from ecosim.training.cards.fidelity import judge, together
from ecosim.training.cards.grading import Judging
from ecosim.words import Mind

NUM_POINTS = 11


def curve(
    first: Mind, second: Mind, asked: Asked, how: Judging, thresholds: Sequence[float] | None = None
) -> list[dict[str, float]]:
    """What each threshold gives.

    Args:
        asked: rows, with the answers of whoever is the yardstick.
        thresholds: margins under which the second mind is asked; by default so that the share that is asked goes from
            none to all who can be in doubt, in equal parts.

    Returns:
        By threshold, ascending: `threshold`, `asked` (share of rows that the second mind gets), `flops` (nominal, mean
        of a row), `agreement`, `loss` (mean of a row, by the recipe's value).
    """
    cheap = [first.decide(question) for question in asked.questions]
    dear = [second.decide(question) for question in asked.questions]
    triples = list(zip(asked.questions, asked.teacher, strict=True))
    of_cheap = together([judge(q, d, t, how) for (q, t), d in zip(triples, cheap, strict=True)])
    of_dear = together([judge(q, d, t, how) for (q, t), d in zip(triples, dear, strict=True)])
    margin = np.concatenate([d.margin for d in cheap])
    flops = np.concatenate([d.flops for d in cheap]), np.concatenate([d.flops for d in dear])
    points = _spread(margin) if thresholds is None else sorted(thresholds)
    return [_point(t, margin < t, flops, of_cheap.agrees, of_dear.agrees, of_cheap.loss, of_dear.loss) for t in points]


def plot(rows: Sequence[dict[str, float]], path: Path) -> Path:
    """Agreement and cost against the share that is asked, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    share = [row["asked"] for row in rows]
    axes[0].plot(share, [row["agreement"] for row in rows], marker="o", markersize=3)
    axes[0].set(xlabel="share of rows that the second mind is asked", ylabel="agreement")
    axes[1].plot(share, [row["flops"] for row in rows], marker="o", markersize=3)
    axes[1].set(xlabel="share of rows that the second mind is asked", ylabel="nominal FLOPs a decision")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _spread(margin: Array) -> list[float]:
    """Thresholds at equal steps of the share that is asked."""
    doubted = np.sort(margin[np.isfinite(margin)])
    if len(doubted) == 0:
        return [0.0]
    inner = doubted[np.linspace(0, len(doubted) - 1, NUM_POINTS).astype(np.int64)[1:]]
    return [0.0, *np.unique(np.nextafter(inner, np.inf)).tolist()]


def _point(
    threshold: float, in_doubt: Array, flops: tuple[Array, Array], cheap: Array, dear: Array, lost: Array, loses: Array
) -> dict[str, float]:
    return {
        "threshold": float(threshold),
        "asked": float(in_doubt.mean()),
        "flops": float((flops[0] + np.where(in_doubt, flops[1], 0)).mean()),
        "agreement": float(np.where(in_doubt, dear, cheap).mean()),
        "loss": float(np.where(in_doubt, loses, lost).mean()),
    }
