"""Texts in which two sources disagree: who claims, who denies, and what each was worth so far.

A row of texts has a `rival` where another source is told to say the opposite, and `is_refuted` where it is that rival
who claims and the bringer who denies. Exactly one of the two is right; both get that on their record once it is known.
"""

from __future__ import annotations

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing.state import NOBODY
from ecosim.words import Table

RIVALS = ("rival", "is_refuted")
"""Columns of texts where sources may disagree."""


def with_rivals(texts: Table, like: Table) -> Table:
    """Texts in which no source disagrees, with the columns of those in which one may."""
    none = {"rival": NOBODY, "is_refuted": 0}
    return Table({**texts, **{name: np.full(texts.num_rows, none[name]) for name in RIVALS if name in like}})


def claimant(said: Table) -> Array:
    """Who says that it will happen: who brings it, or the source that it refutes."""
    if "rival" not in said:
        return said["source"]
    return np.where(said["is_refuted"] == 1, said["rival"], said["source"])


def record(sources: Table, row: Array) -> Array:
    """Of what sources said, the share that proved so; a half before they said anything."""
    return np.asarray((sources["proved"][row] + 1) / (sources["told"][row] + 2))


def tally(sources: Table, num_sources: int, past: Table) -> None:
    """Put what is known by now on the records of who claimed, and of who denied."""
    _add(sources, past["replica"] * num_sources + claimant(past), past["is_true"])
    if "rival" in past:
        disputed = past.take(past["rival"] != NOBODY)
        denier = np.where(disputed["is_refuted"] == 1, disputed["source"], disputed["rival"])
        _add(sources, disputed["replica"] * num_sources + denier, 1 - disputed["is_true"])


def shown(sources: Table, names: Array, replica: Array, rival: Array) -> dict[str, Array]:
    """What a row shows of the source that says the opposite: its name and record."""
    is_told = rival != NOBODY
    so_far = record(sources, replica * len(names) + rival)
    return {"rival": np.where(is_told, names[rival], ""), "rival_record": np.where(is_told, so_far, 0.0)}


def _add(sources: Table, row: Array, is_so: Array) -> None:
    np.add.at(sources["told"], row, 1)
    np.add.at(sources["proved"], row, is_so)
