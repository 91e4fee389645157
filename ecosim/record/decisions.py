"""Decisions kept row by row, so that a run can be had again without its minds: table `decisions/<role>.<phase>`.

A row has replica, step, the key, the mind's code, `answer.<field>`, logp, margin, flops and `memory.<name>`: all of a
Decision but its trace. A memory column that a row's mind did not give is 0 when it is read, as where a Router puts the
answers of several minds together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ecosim.fields import Text
from ecosim.record.store import Store
from ecosim.words import KEY, Decision, Question, Table

FOLDER = "decisions/"
ORDER = ("replica", *KEY)
"""How the rows of a step are ordered."""


def kept(question: Question, decision: Decision, minds: Sequence[int]) -> pa.Table:
    """The rows that some minds answered, as they are stored."""
    rows = np.flatnonzero(np.isin(question.mind, minds))
    columns = {
        "replica": pa.array(question.key["replica"][rows]),
        "step": pa.array(np.full(len(rows), question.step)),
        **{name: pa.array(question.key[name][rows]) for name in KEY},
        "mind": pa.array(question.mind[rows]),
    }
    for spec in question.fields:
        kind = pa.string() if isinstance(spec, Text) else pa.int64()
        columns[f"answer.{spec.name}"] = pa.array(decision.answers[spec.name][rows], kind)
    columns |= {name: pa.array(getattr(decision, name)[rows]) for name in ("logp", "margin", "flops")}
    columns |= {f"memory.{name}": pa.array(column[rows]) for name, column in decision.memory.items()}
    return pa.table(columns)


def ordered(pieces: Sequence[pa.Table]) -> pa.Table:
    """The rows of one question and step, in the order of their keys."""
    whole = pa.concat_tables(pieces, promote_options="default")
    return whole.take(pa.array(np.lexsort([whole[name].to_numpy() for name in reversed(ORDER)])))


def recorded(store: Store, question: str) -> Table:
    """The decisions kept of a question (`role.phase`), ordered by step and key; no columns if there are none."""
    if FOLDER + question not in store.names():
        return Table({})
    columns = {}
    rows = store.read(FOLDER + question)
    for name in rows.column_names:
        column = rows[name]
        if name.startswith("memory."):
            column = column.fill_null(0)
        columns[name] = column.to_numpy()
    return Table(columns)
