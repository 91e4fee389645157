"""A nano network in one safetensors file: its weights as float16, and what it reads and answers in the metadata."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ecosim.errors import CatalogError
from ecosim.models.nano.spec import NanoSpec
from ecosim.wheels import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

    from ecosim.models.nano.net import Net

_SPEC = "nano"


def save(net: Net, path: Path) -> str:
    """Write a network; gives the SHA-256 of the file. The same weights give the same bytes."""
    import torch
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in net.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file(tensors, part, metadata={_SPEC: net.spec.model_dump_json()})
    os.replace(part, path)
    return sha256_of(path)


def read(path: Path, sha256: str | None = None) -> tuple[NanoSpec, dict[str, Tensor]]:
    """What a file says of a network, and its weights as float32.

    Raises:
        CatalogError: no such file, another hash than the card's, or not a nano network.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CatalogError(f"{path}: no such file; make it with `ecosim models train`, or reinstall")
    if sha256 is not None and (found := sha256_of(path)) != sha256:
        raise CatalogError(f"{path}: SHA-256 is {found}, the card says {sha256}; fetch the file again")
    try:
        with safe_open(path, "pt") as file:
            spec = NanoSpec.model_validate_json((file.metadata() or {}).get(_SPEC, ""))
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  # no dict
    except (SafetensorError, OSError, ValidationError) as error:
        raise CatalogError(f"{path}: not a nano network: {str(error).splitlines()[0]}") from error
    wild = next((name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())), None)
    if wild is not None:
        raise CatalogError(f"{path}: {wild} holds numbers that are not finite; train it again")
    return spec, tensors


def load(path: Path, sha256: str | None = None) -> Net:
    """The network in a file, ready to read.

    Raises:
        CatalogError: as `read`, or its weights do not fit its description.
    """
    from ecosim.models.nano.net import Net

    spec, tensors = read(path, sha256)
    net = Net(spec)
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        raise CatalogError(f"{path}: the weights do not fit what the file says of them: {error}") from error
    return net.eval().requires_grad_(False)
