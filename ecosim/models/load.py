"""Loading a causal language model, and the numerics that decide whether its bits repeat.

* `reproducible` (default): float32, eager attention, and on Intel processors MKL's strict mode, which must be in the
  environment before the first matrix product of the process: set later it changes every row, silently. So
  `set_numerics_environment()` comes before torch is imported, and whether it did is recorded. Where torch came first (a
  notebook), `load` measures whether the switch took hold, and warns if it did not.
* `fast`: bfloat16 with fused attention where the machine has instructions for it (AMX or AVX512-BF16, CUDA), else
  float32 with fused attention. 3 to 4 times faster on such a machine; answers depend on the batch in the last bits.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ecosim.errors import CatalogError
from ecosim.models.sources import Record, record, resolve

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

Numerics = Literal["reproducible", "fast"]

_FLAG = "MKL_CBWR"
_SHAPES = ((576, 1536), (1536, 576), (576, 576))  # (in, out): the linear layers of the base model
_COUNTS = (2, 7, 33, 64, 133)  # rows in a product
_torch_came_first = False


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A causal language model in memory.

    Attributes:
        dtype: "float32" or "bfloat16".
        device: "cpu" or "cuda".
        num_core_parameters: without the embedding and the head: what a token passes through.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    record: Record
    numerics: Numerics
    dtype: str
    device: str
    num_core_parameters: int


def set_numerics_environment() -> None:
    """Ask MKL for sums in one order whatever the shapes; call before torch is imported, in every process.

    A value that the user set is left alone. Outside x86 there is no such switch: the start-up probe decides.
    """
    global _torch_came_first
    if _FLAG in os.environ or platform.machine().lower() not in ("x86_64", "amd64"):
        return
    _torch_came_first = "torch" in sys.modules
    os.environ[_FLAG] = _strictest()


def numerics_state() -> dict[str, Any]:
    """What the bits of a model depend on here, as plain data for a manifest.

    `torch_came_first`: torch was loaded before the switch was set; if it had multiplied by then, the switch is void.
    """
    import torch

    return {
        "mkl_cbwr": os.environ.get(_FLAG, ""),
        "torch_came_first": _torch_came_first,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
    }


def load(name: str, numerics: Numerics = "reproducible", device: str = "auto") -> LanguageModel:
    """A causal language model with its tokenizer, ready to read.

    Args:
        name: of the catalogue, or `hf:owner/name@revision`, or `path:/folder`.
        numerics: see the module's docstring.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".

    Raises:
        CatalogError: no such model, damaged weights, not a causal language model, or no such device.

    Warns:
        UserWarning: `reproducible` was asked for on the CPU, but torch was used before ecosim could set the switch.
    """
    set_numerics_environment()
    what = record(name)  # what a hash can tell is told before torch is imported
    folder = resolve(name)
    from transformers import AutoModelForCausalLM

    def model(**how: Any) -> PreTrainedModel:
        found, told = AutoModelForCausalLM.from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            **how,
        )
        missing = sorted(told["missing_keys"])
        if missing:  # transformers would go on with random numbers there
            raise ValueError(f"{len(missing)} of its weights are missing, {missing[0]!r} first")
        return found

    return assemble(model, folder, what, numerics, device)


def assemble(
    make: Callable[..., PreTrainedModel], folder: Path, what: Record, numerics: Numerics, device: str = "auto"
) -> LanguageModel:
    """A model and the tokenizer that lies in a folder, as `load` gives them.

    Args:
        make: makes the model, given `dtype` and `attn_implementation`.

    Raises:
        CatalogError: it does not load as a causal language model, or there is no such device.
    """
    import torch
    from transformers import AutoTokenizer

    place = _device(device)
    _warn_if_the_switch_came_late(numerics, place)
    dtype = torch.bfloat16 if numerics == "fast" and _has_bfloat16(place) else torch.float32
    try:
        with quiet():
            model = make(dtype=dtype, attn_implementation="eager" if numerics == "reproducible" else "sdpa")
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CatalogError(
            f"model {what.name!r}: {folder} is not a causal language model that loads: {first}"
        ) from error
    wild = next((n for n, p in model.named_parameters() if not bool(p.isfinite().all())), None)
    if wild is not None:
        raise CatalogError(f"model {what.name!r}: {wild} holds numbers that are not finite; fetch or save it again")
    model = model.eval().requires_grad_(False).to(place)
    core = sum(p.numel() for n, p in model.named_parameters() if "embed_tokens" not in n and "lm_head" not in n)
    return LanguageModel(
        model=model,
        tokenizer=tokenizer,
        record=what,
        numerics=numerics,
        dtype=str(dtype).removeprefix("torch."),
        device=place,
        num_core_parameters=core,
    )


def rows_have_their_bits() -> bool:
    """Whether a row of a matrix product has the same bits alone and among others, measured in milliseconds.

    Alone means beside one other: a single row takes another path through the product anyhow, and the pool sends none.
    """
    import torch

    draw = torch.Generator().manual_seed(1)
    for inputs, outputs in _SHAPES:
        x, weight = (torch.randn(n, inputs, generator=draw) for n in (max(_COUNTS), outputs))
        whole = torch.nn.functional.linear(x, weight)
        if any(not torch.equal(torch.nn.functional.linear(x[:n], weight), whole[:n]) for n in _COUNTS):
            return False
    return True


def _warn_if_the_switch_came_late(numerics: Numerics, device: str) -> None:
    """Say so where rows' bits depend on their batch because torch was used first."""
    if numerics == "reproducible" and device == "cpu" and _torch_came_first and not rows_have_their_bits():
        warnings.warn(
            f"torch was used before ecosim could set {_FLAG}={os.environ[_FLAG]}, and in this process the bits of a "
            f"language model's row depend on its batch: runs will not repeat. Restart the kernel and import ecosim "
            f"before using torch, or export {_FLAG} before starting Python.",
            UserWarning,
            stacklevel=3,
        )


def set_threads(threads: int) -> None:
    """How many threads the matrix products of this process may use."""
    import torch

    torch.set_num_threads(threads)


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars from transformers meanwhile."""
    from transformers.utils import logging

    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()


def _device(device: str) -> str:
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise CatalogError(f"device must be auto, cpu or cuda, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise CatalogError("device 'cuda' asked for, but torch sees no CUDA device; use device 'auto' or 'cpu'")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _has_bfloat16(device: str) -> bool:
    """Whether the machine multiplies bfloat16 in hardware; without it bfloat16 is far slower than float32."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in probes)


def _strictest() -> str:
    """The widest vector instructions for which MKL promises one order of sums, as this processor has them."""
    try:
        features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
    except (ImportError, AttributeError):  # a private name of NumPy's: it may move
        return "COMPATIBLE"
    if features.get("AVX512_SKX"):
        return "AVX512,STRICT"
    return "AVX2,STRICT" if features.get("AVX2") else "COMPATIBLE"
