"""A model's folder as columns of bytes, to be sent to other processes and loaded there without a copy of the weights.

All processes of a machine that load the same parcel out of shared memory share its weights (on a CPU): a second pool
worker costs its caches, not another model. Packing reads files and needs no torch.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.models import load as loading
from ecosim.models.sources import Record, record, resolve

if TYPE_CHECKING:
    import torch

_WEIGHTS = ".safetensors"
_MAX_SIDE_FILE = 64 * 2**20  # settings and tokenizer are smaller; anything else in a model's folder is not needed


@dataclass(frozen=True, slots=True)
class Parcel:
    """The files of a model.

    Attributes:
        name: as `models.load.load` takes it.
        record: what it is.
        files: bytes by file name, uint8 (bytes,).
    """

    name: str
    record: Record
    files: dict[str, Array]

    @property
    def num_bytes(self) -> int:
        """Size of all files."""
        return sum(len(content) for content in self.files.values())


def pack(name: str) -> Parcel:
    """The parcel of a model, its weights checked against their recorded hash.

    Raises:
        CatalogError: as `models.sources.record`.
    """
    return Parcel(name, record(name), files_of(resolve(name)))


def files_of(folder: Path) -> dict[str, Array]:
    """The bytes of the files in a folder of weights by name, uint8 (bytes,): weights, settings, tokenizer."""
    paths = [p for p in sorted(folder.iterdir()) if p.suffix == _WEIGHTS or (p.is_file() and _is_small(p))]
    return {path.name: np.fromfile(path, np.uint8) for path in paths}


def unpack(parcel: Parcel, numerics: loading.Numerics = "reproducible", device: str = "auto") -> loading.LanguageModel:
    """The model of a parcel, ready to read; on a CPU its weights stay where the parcel's bytes are.

    Raises:
        CatalogError: not a causal language model.
    """
    loading.set_numerics_environment()
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig

    weights: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in parcel.files.items():
            if name.endswith(_WEIGHTS):
                weights |= tensors(content)
            else:
                content.tofile(Path(folder) / name)
        try:
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
            kind = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
        except (OSError, ValueError, KeyError) as error:
            raise CatalogError(f"model {parcel.name!r}: not a causal language model: {error}") from error

        def model(**how: Any) -> Any:
            return kind.from_pretrained(None, config=config, state_dict=weights, **how)

        return loading.assemble(model, Path(folder), parcel.record, numerics, device)


def tensors(content: Array) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file as views of its bytes.

    Source: https://github.com/huggingface/safetensors#format (8 bytes of length, a JSON header, then the data).
    """
    import torch

    kinds = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    kinds |= {"I64": torch.int64, "I32": torch.int32, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}
    length = int.from_bytes(content[:8].tobytes(), "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length].tobytes())
    data, found = content[8 + length :], {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # nobody writes to weights
        for name, entry in header.items():
            if name != "__metadata__":
                start, end = entry["data_offsets"]
                found[name] = torch.from_numpy(data[start:end]).view(kinds[entry["dtype"]]).reshape(entry["shape"])
    return found


def _is_small(path: Path) -> bool:
    return path.suffix in (".json", ".txt", ".model") and path.stat().st_size <= _MAX_SIDE_FILE
