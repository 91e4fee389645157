"""What can be told of weights without loading them: files, settings and headers; in milliseconds, without torch.

Weights are data. A header that does not fit its file, a folder that brings code, an adapter that was made for another
base are told here, before anything large is read; what only the numbers themselves show (a hash, a NaN) is told when
they are loaded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecosim.errors import CatalogError

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"
INDEX = "model.safetensors.index.json"
MAX_HEADER_BYTES = 10 * 2**20
"""A header of a 70-billion model takes about 0.1 MB."""
MAX_JSON_BYTES = 16 * 2**20
"""Settings of a tokenizer may list 250,000 tokens."""

_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
_BYTES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
FLOATS = ("F64", "F32", "F16", "BF16")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as a header describes it."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)


def header(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, from its header; each must lie where the header says.

    Raises:
        CatalogError: the file is missing, truncated, or no safetensors file.
    """
    try:
        num_bytes = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if num_bytes < 8 or length > num_bytes - 8:
                raise _not_safetensors(file, f"{num_bytes:,} bytes, and a header of {length:,} announced")
            if length > MAX_HEADER_BYTES:
                raise _not_safetensors(file, f"a header of {length:,} bytes; at most {MAX_HEADER_BYTES:,} are read")
            entries = json.loads(stream.read(length))
    except (OSError, ValueError, RecursionError) as error:
        raise _not_safetensors(file, _first_line(error)) from error
    if not isinstance(entries, dict):
        raise _not_safetensors(file, "its header is not a table of tensors")
    entries.pop("__metadata__", None)
    return _tensors(file, entries, num_bytes - 8 - length)


def _tensors(file: Path, entries: Mapping[str, Any], num_bytes: int) -> dict[str, Tensor]:
    """Header entries, checked against the bytes that follow."""
    found, spans = {}, []
    for name, entry in entries.items():
        try:
            tensor = Tensor(entry["dtype"], tuple(entry["shape"]))
            start, end = entry["data_offsets"]
            whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in (*tensor.shape, start, end))
            fits = whole and tensor.size * _BYTES[tensor.dtype] == end - start
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            raise _not_safetensors(file, f"tensor {name[:80]!r}: type, shape and place do not fit together")
        found[name] = tensor
        spans.append((start, end))
    spans.sort()
    ends = [0, *(end for _, end in spans)]
    if [start for start, _ in spans] != ends[:-1] or ends[-1] != num_bytes:
        raise _not_safetensors(file, f"its tensors take {ends[-1]:,} bytes, {num_bytes:,} are there: truncated?")
    return found


def base(folder: Path, name: str) -> dict[str, Tensor]:
    """The tensors of a base model's folder, after a look at everything that lies beside them.

    Raises:
        CatalogError: no model of ours: what is missing, what does not fit, or what would have to run.
    """
    if not folder.is_dir():
        raise CatalogError(f"model {name!r}: there is no folder {folder}")
    if (folder / ADAPTER_CONFIG).is_file() and not (folder / CONFIG).is_file():
        raise CatalogError(f"model {name!r}: {folder} holds an adapter, not a base model; name it under adapter:")
    if not (folder / CONFIG).is_file():
        raise CatalogError(f"model {name!r}: no {CONFIG} in {folder}; expected a folder that save_pretrained wrote")
    config = read_json(folder / CONFIG)
    for file in (CONFIG, "tokenizer_config.json"):
        if (folder / file).is_file() and read_json(folder / file).get("auto_map"):
            raise CatalogError(
                f"{folder / file}: auto_map: this model brings code of its own, and ecosim runs none; if transformers "
                "knows the architecture by itself, delete the key"
            )
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = [p.name for pattern in _PICKLES for p in sorted(folder.glob(pattern))]
        seen = f" (there is {pickles[0]})" if pickles else ""
        raise CatalogError(
            f"model {name!r}: no .safetensors file in {folder}{seen}; ecosim loads no pickle files: save as safetensors"
        )
    _check_shards(folder, {file.name for file in files})
    tensors = {key: tensor for file in files for key, tensor in header(file).items()}
    _check_sizes(folder, config, tensors)
    return tensors


def _check_shards(folder: Path, there: set[str]) -> None:
    if not (folder / INDEX).is_file():
        return
    shards = read_json(folder / INDEX).get("weight_map")
    if not isinstance(shards, dict):
        raise CatalogError(f"{folder / INDEX}: no weight_map in it")
    missing = sorted({str(file) for file in shards.values()} - there)
    if missing:
        raise CatalogError(f"{folder / INDEX}: names {missing[0][:80]!r}, which is not in the folder")


def _check_sizes(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """The embedding, of the size that the settings say."""
    table = tensors.get("model.embed_tokens.weight")
    said = (config.get("vocab_size"), config.get("hidden_size"))
    if table is not None and None not in said and table.shape != said:
        raise CatalogError(
            f"{folder}: the embedding is {table.shape}, {CONFIG} says (vocab_size, hidden_size) = {said}: weights and "
            "settings are not of one model"
        )


def read_json(file: Path) -> dict[str, Any]:
    """A small JSON file of a model.

    Raises:
        CatalogError: it cannot be read, is too large, or does not hold keys and values.
    """
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise CatalogError(f"{file}: {file.stat().st_size:,} bytes; at most {MAX_JSON_BYTES:,} are read")
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CatalogError(f"{file}: cannot be read as JSON: {_first_line(error)}") from error
    if not isinstance(found, dict):
        raise CatalogError(f"{file}: expected keys and values, got {type(found).__name__}")
    return found


def _not_safetensors(file: Path, fault: str) -> CatalogError:
    return CatalogError(f"{file}: not a safetensors file: {fault}")


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
