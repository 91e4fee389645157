"""The tables of a run as CSV files, for spreadsheets and other tools.

A text that a spreadsheet would take for a formula (it begins with =, +, −, @) gets an apostrophe before it, so that
what a model wrote is shown and not run. Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ecosim.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.explore import Run

_FORMULA = re.compile(r"\s*[=+\-@\t\r]")


def write(run: Run, folder: Path) -> list[Path]:
    """A file a table (`metrics.csv`, `kpis.csv`, `events-contracts.csv`, …), with names and natural units.

    Raises:
        RunError: the folder is there already, or cannot be written.
    """
    frames = {"metrics": run.metrics}
    frames |= {"kpis": run.kpis} if run.manifest["status"] == "done" else {}
    written = []
    try:
        folder.mkdir(parents=True)
        for name in [*frames, *(f"events-{table}" for table in run.tables)]:
            frame = frames[name] if name in frames else run.events(name.removeprefix("events-"), names=True)
            written.append(folder / f"{name}.csv")
            harmless(frame).to_csv(written[-1], index=False)
    except FileExistsError:
        raise RunError(f"{folder}: exists already; name another folder") from None
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}; name another folder") from error
    return written


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table, its texts such that no spreadsheet runs them."""
    texts = [name for name in frame if not _is_number(frame[name])]
    return frame.assign(**{str(name): frame[name].map(_quoted) for name in texts})


def _is_number(column: pd.Series[float]) -> bool:
    return column.dtype.kind in "iufb"


def _quoted(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
