"""Blocks of rows on several threads: NumPy lets go of the interpreter while it counts, so that two cores do twice.

A block's result depends on its own rows alone, so how many threads there are changes the time and no bit. Where BLAS
has threads of its own they would wait for each other: within a block it has one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from threadpoolctl import ThreadpoolController

_FEWEST = 2**16
"""Cells (rows × columns) below which another thread costs more than it saves."""


def num_threads() -> int:
    """As many as BLAS would take: `OMP_NUM_THREADS`, or a thread a core."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else os.cpu_count() or 1


def blocks(num_rows: int, num_columns: int, most_cells: int) -> list[slice]:
    """The rows in blocks of at most so many cells, and enough of them for all threads where there is much to do."""
    threads = num_threads() if num_rows * num_columns >= _FEWEST else 1
    size = max(1, min(most_cells // max(1, num_columns), -(-num_rows // threads)))
    return [slice(start, start + size) for start in range(0, num_rows, size)]


def side_by_side(work: Callable[[slice], None], parts: Sequence[slice]) -> None:
    """Work on all parts, on as many threads as there are cores; the first fault in the order of parts is raised."""
    threads = min(num_threads(), len(parts))
    if threads <= 1:
        for part in parts:
            work(part)
        return
    with _controller().limit(limits=1), ThreadPoolExecutor(threads, "ecosim-block") as pool:
        for done in [pool.submit(work, part) for part in parts]:
            done.result()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
