"""How long a language model takes for so many rows at once, from the forwards that a pilot saw.

A forward takes a time of its own and a time for each token, so few rows at once are slow and many are not; how many
fit is the pool's rule (`Engine`). Fitted by least squares over the forwards of all sips: texts and
options apart from the steps of writing, which read one token a row. What a sip took beside its forwards (prompts,
tokens, scripts) goes by rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.estimation.stand_ins import Sip
from ecosim.fields import Array
from ecosim.words import concat

_STEP_WIDTH = 1  # of a forward that reads what was written last


@dataclass(frozen=True, slots=True)
class _Load:
    """What a row brings to one kind of forward.

    Attributes:
        a_call: forwards in a call, where few rows are asked.
        fill: forwards that a row fills where many are.
        tokens: padded.
        seconds: of a forward, and of a token.
    """

    a_call: float
    fill: float
    tokens: float
    seconds: tuple[float, float]

    def at(self, rows: Array) -> Array:
        """Seconds of calls of so many rows."""
        forwards = np.maximum(np.minimum(self.a_call, rows), rows * self.fill)
        return np.asarray(self.seconds[0] * forwards + self.seconds[1] * rows * self.tokens)


class Pace:
    """Seconds of one question's calls.

    Args:
        sips: of this question, at least one; all of the same mind tell how long a forward takes.
        token_budget, batch_limit: the engine's.
    """

    def __init__(
        self, sips: Sequence[Sip], everything: Sequence[Sip], token_budget: int, batch_limit: int | None
    ) -> None:
        self._token_budget, self._batch_limit = token_budget, batch_limit or token_budget
        self._rows = sum(sip.rows for sip in sips)
        self._loads = [load for is_step in (False, True) if (load := self._load(sips, everything, is_step)) is not None]
        forwards_s = sum(float(sip.batches["seconds"].sum()) for sip in sips)
        self._beside_s = max(sum(sip.seconds for sip in sips) - forwards_s, 0.0) / self._rows
        self.scatter = _scatter(sips)

    def seconds(self, rows: Array) -> Array:
        """Seconds of calls of so many rows each."""
        return np.asarray(sum((load.at(rows) for load in self._loads), self._beside_s * rows))

    def _load(self, sips: Sequence[Sip], everything: Sequence[Sip], is_step: bool) -> _Load | None:
        mine, all_seen = _forwards(sips, is_step), _forwards(everything, is_step)
        if not len(mine):
            return None
        rows, width, padded, _ = mine.T
        full = width if not is_step else np.full(len(mine), _text_width(sips))
        limits = np.minimum(np.maximum(self._token_budget // full, 1), self._batch_limit)
        a_forward, a_token = _fit(all_seen)
        fill = float((rows / limits).sum()) / self._rows
        return _Load(len(mine) / len(sips), fill, float(padded.sum()) / self._rows, (a_forward, a_token))


def _forwards(sips: Sequence[Sip], is_step: bool) -> Array:
    """Rows, width, padded tokens and seconds of each forward, float64 (forwards, 4); prefixes left out."""
    table = concat([sip.batches for sip in sips])
    is_read = ~np.isin(table["kind"], ("memo", "prefix"))
    mine = is_read & ((table["kind"] == "write") & (table["width"] == _STEP_WIDTH) == is_step)
    columns = [table[name][mine] for name in ("rows", "width", "padded_tokens", "seconds")]
    return np.stack(columns, axis=1).astype(float)


def _text_width(sips: Sequence[Sip]) -> float:
    """How wide the texts are behind which is written: so many rows write together as were read together."""
    table = concat([sip.batches for sip in sips])
    texts = table["width"][(table["kind"] == "write") & (table["width"] > _STEP_WIDTH)]
    return float(texts.mean()) if len(texts) else 1.0


def _fit(forwards: Array) -> tuple[float, float]:
    """Seconds of a forward and of a padded token, none below 0; together they give what all forwards took."""
    padded, taken = forwards[:, 2], forwards[:, 3]
    a_token = np.cov(padded, taken)[0, 1] / padded.var(ddof=1) if len(padded) > 2 and padded.std() else 0.0
    most = taken.sum() / padded.sum()  # a forward of no tokens would take no time
    a_token = min(max(float(a_token), 0.0), float(most))
    return float(taken.mean() - a_token * padded.mean()), a_token


def _scatter(sips: Sequence[Sip]) -> float:
    """Twice the standard error of the seconds a row, as a share of their mean; 1 for a single sip."""
    a_row = np.array([sip.seconds / sip.rows for sip in sips])
    if len(a_row) < 2:
        return 1.0
    return float(2 * a_row.std(ddof=1) / np.sqrt(len(a_row)) / a_row.mean())
