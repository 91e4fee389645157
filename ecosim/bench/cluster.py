"""What hosts and workers cost and give: Ray on this machine against one process, and what that says of more machines.

Measured, in one run:

* `round_ms_two_hosts`: a round of 2,000 rows × 16 columns to two hosts whose mind does next to nothing, and back;
  median of many. `round_ms_here`: the same in this process. The difference is what Ray costs a round.
* `call_ms`: a call of one row to one host and back, which is what a call costs whatever is in it; `submit_ms`: the
  part of it that the driver is busy with, so that calls to many nodes queue for it; `row_us`: what a row adds to it.
* `ratio_of_one_worker`, `ratio_of_two_workers`: decisions/s of a model in Ray workers ÷ in this process, on the
  same cores and rows; interleaved, the median of paired ratios. Rows differ from repeat to repeat, for the memo's sake;
* `floor_ms_two_hosts`: what Ray takes for two calls that carry and do nothing;
* memory of each place that no other process shares.

From these the model of `predict`: the driver sends N calls of a round one after another and takes the replies, nodes
work at once. A prediction for machines that were not measured is a calculation, and called so.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from ecosim.bench.pool import ROLE, negotiation
from ecosim.cluster.crew import Crew, crew, inline
from ecosim.cluster.layout import Layout
from ecosim.fields import Bucket
from ecosim.minds.host import Job
from ecosim.minds.recipe import Recipe
from ecosim.minds.scripted import Scripted
from ecosim.models.sources import BASE
from ecosim.words import Answers, Question, Table

NODES = (1, 2, 4, 8, 16, 32, 64)
ROUND_ROWS = 2_000
"""Rows of a round for which predictions are made: twenty replicas of a market of a hundred firms."""
_COLUMNS = 16


def run(rounds: int = 200, rows: int = 24, repeats: int = 5, model: str = BASE) -> dict[str, Any]:
    """The measurements as plain data; about four minutes on two cores.

    Args:
        rounds: of column minds.
        rows: of a language model's question; its repeats are as many times that.

    Raises:
        PoolError: Ray can't be started.
        CatalogError: the model can't be had.
    """
    columns = _columns(rounds)
    language = _language(rows, repeats, model)
    figures = {**columns, **language}
    figures["predicted_decisions_per_s"] = {
        nodes: round(
            predict(
                nodes,
                rate=language["one_worker_decisions_per_s"],
                call_s=columns["call_ms"] / 1e3,
                submit_s=columns["submit_ms"] / 1e3,
                row_s=columns["row_us"] / 1e6,
            ),
            1,
        )
        for nodes in NODES
    }
    figures["method"] = " ".join(str(__doc__).split())
    return figures


def predict(nodes: int, *, rate: float, call_s: float, submit_s: float, row_s: float, rows: int = ROUND_ROWS) -> float:
    """Decisions/s of a round that is spread over some nodes with one worker each.

    Args:
        rate: decisions/s of one worker.
        call_s, submit_s: a call there and back, and the part of it that keeps the driver busy.
        row_s: what the driver does for a row: split, pack, unpack, put together.
        rows: of the round.

    >>> round(predict(1, rate=100.0, call_s=0.0, submit_s=0.0, row_s=0.0))
    100
    >>> round(predict(10, rate=100.0, call_s=0.0, submit_s=0.0, row_s=0.0))
    1000
    """
    driver = rows * row_s + nodes * submit_s
    return rows / (driver + (call_s - submit_s) + rows / nodes / rate)


# ---- column minds -----------------------------------------------------------------------------------------------


def _columns(rounds: int) -> dict[str, Any]:
    mind = Scripted("first", _first)
    full, empty = _question(ROUND_ROWS), _question(1)
    here = _round_s(inline([mind]), full, rounds)
    with crew([mind], Layout(hosts=2)) as people:
        two = _round_s(people, full, rounds)
        memory = [facts.memory_bytes for facts in people.away.facts] if people.away else []
        floor = median(_seconds(people.away.greet) for _ in range(rounds)) if people.away else 0.0
    with crew([mind], Layout(hosts=1)) as people:
        one = _round_s(people, full, rounds)
        call = _round_s(people, empty, rounds)
        submit = _submit_s(people, empty, rounds)
        row = max(0.0, one - call) / ROUND_ROWS
    return {
        "rows": ROUND_ROWS,
        "columns": _COLUMNS,
        "round_ms_here": here * 1e3,
        "round_ms_one_host": one * 1e3,
        "round_ms_two_hosts": two * 1e3,
        "cost_ms_of_two_hosts": (two - here) * 1e3,
        "floor_ms_two_hosts": floor * 1e3,
        "call_ms": call * 1e3,
        "submit_ms": submit * 1e3,
        "row_us": row * 1e6,
        "host_memory_mb": [round(size / 1e6) for size in memory],
    }


def _first(question: Question) -> Answers:
    (bucket,) = question.fields
    assert isinstance(bucket, Bucket)
    return {"quantity": bucket.snap(question["column_0"])}


def _question(rows: int) -> Question:
    """A question as wide as those of a market: amounts in millionths, small counts, and one field."""
    draw = np.random.default_rng(1)
    columns = {f"column_{i}": draw.integers(0, 10**8 if i % 2 else 50, rows) for i in range(_COLUMNS)}
    names = ("replica", "subject", "counterpart", "item", "round")
    key = {name: np.arange(rows) if name == "subject" else np.zeros(rows, np.int64) for name in names}
    zeros = np.zeros(rows, np.int64)
    bucket = Bucket(name="quantity", low=zeros, high=zeros + 10**8, step=zeros + 1, unit="units/1e6")
    return Question(
        role=ROLE, phase="replenish", step=1, key=Table(key), seed=np.ones(rows, np.uint64), mind=zeros,
        columns=columns, fields=(bucket,),
    )  # fmt: skip


def _round_s(people: Crew, question: Question, rounds: int) -> float:
    """Median wall seconds of a round."""
    job = [Job(0, question)]
    people.dispatcher.answer(job)
    return median(_seconds(lambda: people.dispatcher.answer(job)) for _ in range(rounds))


def _submit_s(people: Crew, question: Question, rounds: int) -> float:
    """Median wall seconds of sending a call, until the driver is free for the next."""
    assert people.away is not None
    site, found = people.away, []
    for ticket in range(rounds):
        found.append(_seconds(lambda ticket=ticket: site.submit(0, -1 - ticket, [Job(0, question)])))  # type: ignore[misc]
        site.wait(site.now() + 60.0)
    return median(found)


# ---- a language model -------------------------------------------------------------------------------------------


def _language(rows: int, repeats: int, model: str) -> dict[str, Any]:
    recipe = Recipe(roles=(ROLE,), base=model)
    here = inline([recipe])
    figures: dict[str, Any] = {"model": model, "language_rows": rows, "repeats": repeats}
    for workers, name in ((1, "one_worker"), (2, "two_workers")):
        with crew([recipe], Layout(workers=workers)) as people:
            pairs, decisions = _interleaved(here, people, rows, repeats, first_seed=1000 * workers)
            memory = [facts.memory_bytes for facts in people.away.facts] if people.away else []
        seconds_here, seconds_there = (sum(column) for column in zip(*pairs, strict=True))
        figures |= {
            f"here_decisions_per_s_beside_{name}": decisions / seconds_here,
            f"{name}_decisions_per_s": decisions / seconds_there,
            f"ratio_of_{name}": median(a / b for a, b in pairs),
            f"{name}_memory_mb": [round(size / 1e6) for size in memory],
        }
    return figures


def _interleaved(
    here: Crew, there: Crew, rows: int, repeats: int, first_seed: int
) -> tuple[list[tuple[float, float]], int]:
    """Seconds here and there for the same rows, repeat by repeat, and how many decisions each made."""
    pairs, decisions = [], 0
    for people in (here, there):
        people.dispatcher.answer([Job(0, negotiation(8, seed=0))])  # warm: threads, the prefix
    for repeat in range(repeats):
        job, seconds = [Job(0, negotiation(rows, seed=first_seed + repeat))], {}
        for people in (here, there) if repeat % 2 else (there, here):  # by turns: who comes second finds it warm
            start = perf_counter()
            [(decision, _)] = people.dispatcher.answer(job)
            seconds[id(people)] = perf_counter() - start
        assert decision.trace is not None
        decisions += decision.trace.num_rows
        pairs.append((seconds[id(here)], seconds[id(there)]))
    return pairs, decisions


def _seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start
