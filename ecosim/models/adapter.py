"""Adapters: low-rank corrections (LoRA) to the linear layers of a base model, in the standard PEFT folder.

A folder holds `adapter_config.json` and `adapter_model.safetensors`. With A (rank, in) and B (out, rank) a layer gives
`W x + (alpha / rank) B A x`. What goes beyond that (DoRA, biases, whole modules saved, initialisations that change the
base) is refused: applied in part, an adapter would answer as another mind under its own name. Source: Hu et al. (2021),
LoRA: Low-Rank Adaptation of Large Language Models.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.errors import CatalogError
from ecosim.models.examine import ADAPTER_CONFIG as CONFIG
from ecosim.models.examine import FLOATS, Tensor, header, read_json
from ecosim.wheels import sha256_of

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

WEIGHTS = "adapter_model.safetensors"
MAX_RANK = 1024
"""What is wider is not low rank."""

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear layers of a Llama block."""

_TENSOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<half>[AB])\.weight")
_EXTRAS = (
    "use_dora",
    "use_qalora",
    "lora_bias",
    "fan_in_fan_out",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
)
"""Settings of PEFT that change what is computed; they must be absent, empty or false."""
_PLAIN_STARTS = (True, False, None, "gaussian", "orthogonal", "eva")
"""Initialisations that leave the base as it is; the others (pissa, olora, corda, loftq) rewrite it."""


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """An adapter as read.

    Attributes:
        source: its folder.
        sha256: of its weights file.
        rank, scaling: of every layer; scaling is alpha / rank (alpha / √rank for rank-stabilised LoRA).
        layers: A (rank, in) and B (out, rank) by the name of the linear layer in the model.
    """

    source: str
    sha256: str
    rank: int
    scaling: float
    layers: Mapping[str, tuple[torch.Tensor, torch.Tensor]]

    @property
    def num_parameters(self) -> int:
        """Numbers in A and B of all layers; twice that are its operations a token."""
        return sum(a.numel() + b.numel() for a, b in self.layers.values())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that its answers depend on: weights and scaling."""
        return hashlib.sha256(f"{self.sha256} {self.scaling!r}".encode()).hexdigest()

    def as_dict(self) -> dict[str, str | int | float]:
        """Plain data, for a manifest."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "rank": self.rank,
            "scaling": self.scaling,
            "num_parameters": self.num_parameters,
        }


def examine(folder: Path, over: Mapping[str, Tensor] | None = None) -> None:
    """Refuse, from settings and headers alone, an adapter that we can't apply; torch is not needed.

    Args:
        over: the tensors of the base model that it is for, where they are at hand.

    Raises:
        CatalogError: a file is missing or damaged, it is of a kind that we can't apply, or made for another base.
    """
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            pickle = "; ecosim loads no pickle files" if (folder / "adapter_model.bin").is_file() else ""
            raise CatalogError(f"{folder}: no {name}; expected a PEFT folder with {CONFIG} and {WEIGHTS}{pickle}")
    rank, _ = _settings(folder / CONFIG)
    path = folder / WEIGHTS
    modules: dict[str, dict[str, Tensor]] = {}
    for name, tensor in header(path).items():
        match = _TENSOR.fullmatch(name)
        if match is None:
            raise CatalogError(f"{path}: {name[:80]}: not the A or B of a linear layer; ecosim applies plain LoRA only")
        modules.setdefault(match["module"], {})[match["half"]] = tensor
    if not modules:
        raise CatalogError(f"{path}: holds no tensors")
    for module, halves in modules.items():
        _check_pair(path, module, halves, rank)
        if over is not None:
            _check_layer(folder, module, halves, over)


def read(folder: Path) -> Adapter:
    """The adapter in a PEFT folder.

    Raises:
        CatalogError: a file is missing or damaged, or the adapter is of a kind that we can't apply.
    """
    examine(folder)
    rank, scaling = _settings(folder / CONFIG)
    layers = _layers(folder / WEIGHTS)
    return Adapter(str(folder), sha256_of(folder / WEIGHTS), rank, scaling, layers)


def check(folder: Path, sha256: str | None) -> None:
    """Refuse a folder whose weights are not those of a card.

    Raises:
        CatalogError: they are missing, or have another SHA-256.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise CatalogError(f"{folder}: no {WEIGHTS}; expected a PEFT folder with {CONFIG} and {WEIGHTS}")
    found = sha256_of(path)
    if sha256 is not None and found != sha256:
        raise CatalogError(
            f"{path}: SHA-256 is {found[:12]}…, the card says {sha256[:12]}…: other weights, or a damaged file; "
            f"get the file again, or train it: ecosim models train"
        )


def fit(adapter: Adapter, model: PreTrainedModel) -> None:
    """Refuse an adapter that was made for another model.

    Raises:
        CatalogError: it names a linear layer that the model has not, or one of another size.
    """
    sizes = linear_sizes(model)
    for name, (a, b) in adapter.layers.items():
        if name not in sizes:
            raise CatalogError(
                f"{adapter.source}: targets {name!r}, which is no linear layer inside the model's blocks; "
                f"layers like {', '.join(list(sizes)[:2])} can be adapted"
            )
        if (a.shape[1], b.shape[0]) != sizes[name]:
            raise CatalogError(
                f"{adapter.source}: {name}: made for a layer of (in, out) = {(a.shape[1], b.shape[0])}, "
                f"the model's is {sizes[name]}; was it trained on another base?"
            )


def linear_sizes(model: PreTrainedModel) -> dict[str, tuple[int, int]]:
    """Inputs and outputs of every linear layer that can be adapted, by name; the head is not among them."""
    import torch

    return {
        f"model.{name}": (layer.in_features, layer.out_features)
        for name, layer in model.model.named_modules()
        if isinstance(layer, torch.nn.Linear)
    }


def write_random(
    folder: Path,
    model: PreTrainedModel,
    *,
    seed: int,
    rank: int = 8,
    alpha: float = 16.0,
    targets: Sequence[str] = TARGETS,
    size: float = 0.02,
) -> Path:
    """An adapter of random numbers for a model, in the standard format: for tests and benchmarks; gives the folder.

    Args:
        size: standard deviation of both A and B (a real adapter starts with B = 0).

    Raises:
        ValueError: no linear layer of the model has a name that ends in one of `targets`.
    """
    import torch
    from safetensors.torch import save_file

    draw = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, (inputs, outputs) in linear_sizes(model).items():
        if name.rpartition(".")[2] in targets:
            tensors[f"base_model.model.{name}.lora_A.weight"] = torch.randn(rank, inputs, generator=draw) * size
            tensors[f"base_model.model.{name}.lora_B.weight"] = torch.randn(outputs, rank, generator=draw) * size
    if not tensors:
        raise ValueError(f"no linear layer of the model ends in one of {list(targets)}")
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS)
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "bias": "none", "target_modules": list(targets)}
    (folder / CONFIG).write_text(json.dumps({**settings, "task_type": "CAUSAL_LM"}, indent=2) + "\n", encoding="utf-8")
    return folder


def _settings(path: Path) -> tuple[int, float]:
    """Rank and scaling."""
    config = read_json(path)
    fault = _fault(config)
    if fault:
        raise CatalogError(f"{path}: {fault}; ecosim applies plain LoRA on linear layers only")
    rank, alpha = int(config["r"]), float(config["lora_alpha"])
    return rank, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _fault(config: Mapping[str, Any]) -> str:
    """What we could not apply, or nothing."""
    if config.get("peft_type") != "LORA":
        return f"peft_type is {config.get('peft_type')!r}, expected 'LORA'"
    if config.get("bias", "none") != "none":
        return f"bias is {config['bias']!r}, expected 'none'"
    for name in _EXTRAS:
        if config.get(name):
            return f"{name} is {config[name]!r}, expected none"
    if config.get("init_lora_weights", True) not in _PLAIN_STARTS:
        return f"init_lora_weights is {config['init_lora_weights']!r}, which changes the base model"
    for name in ("r", "lora_alpha"):
        value = config.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0 or (name == "r" and value % 1):
            return f"{name} is {value!r}, expected a number above 0"
    if config["r"] > MAX_RANK:
        return f"r is {config['r']:,}, at most {MAX_RANK:,} is low rank"
    if not math.isfinite(config["lora_alpha"]):
        return f"lora_alpha is {config['lora_alpha']!r}, expected a number above 0"
    return ""


def _layers(path: Path) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """A and B by layer, in order of name, of a file that was examined."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CatalogError(f"{path}: not a safetensors file: {error}") from error
    modules = [
        match["module"] for name in sorted(tensors) if (match := _TENSOR.fullmatch(name)) and match["half"] == "A"
    ]
    start = "base_model.model."
    layers = {m: (tensors[f"{start}{m}.lora_A.weight"], tensors[f"{start}{m}.lora_B.weight"]) for m in modules}
    for module, (a, b) in layers.items():
        if not (a.isfinite().all() and b.isfinite().all()):
            raise CatalogError(f"{path}: {module}: holds numbers that are not finite")
    return layers


def _check_pair(path: Path, module: str, halves: Mapping[str, Tensor], rank: int) -> None:
    if set(halves) != {"A", "B"}:
        raise CatalogError(f"{path}: {module}: has only lora_{next(iter(halves))}; A and B belong together")
    a, b = halves["A"], halves["B"]
    if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != rank or b.shape[1] != rank:
        raise CatalogError(
            f"{path}: {module}: A is {a.shape} and B is {b.shape}, expected ({rank}, in) and (out, {rank}): r is {rank}"
        )
    if a.dtype not in FLOATS or b.dtype not in FLOATS:
        raise CatalogError(f"{path}: {module}: numbers of type {a.dtype} and {b.dtype}; known: {', '.join(FLOATS)}")


def _check_layer(folder: Path, module: str, halves: Mapping[str, Tensor], over: Mapping[str, Tensor]) -> None:
    """An adapter's layer against the layer of the base that it is for; weights are stored (out, in)."""
    layer = over.get(f"{module}.weight")
    sizes = (halves["A"].shape[1], halves["B"].shape[0])
    if layer is None or layer.shape != sizes[::-1]:
        found = "which the base model does not have" if layer is None else f"and the model's is {layer.shape[::-1]}"
        raise CatalogError(
            f"{folder}: {module}: made for a layer of (in, out) = {sizes}, {found}; was it trained on another base?"
        )
