"""Where a product is made: a folder a product, checkpoints, the curve of the loss, and what is told meanwhile.

    <cache>/training/<role>/<product>/data/…                 what is learnt from
                                     /seed-1/<product>…      weights; beside them checkpoint, curve.csv, loss.png

A checkpoint replaces the last one all at once: whatever stops a training, the last whole state is there to go on from.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.errors import TrainingError
from ecosim.training.recipes import Seeds
from ecosim.wheels import cache_dir

if TYPE_CHECKING:
    from torch import Tensor

_NOTES = "notes"


def default_folder(role: str, product: str) -> Path:
    """Where a product is made if nothing else is said: below the user's cache."""
    return cache_dir() / "training" / role / product


@dataclass(frozen=True, slots=True)
class State:
    """Where a training stood."""

    step: int
    tensors: Mapping[str, Tensor]
    notes: Mapping[str, Any]


class Checkpoint:
    """The last whole state of a training, in one safetensors file.

    Args:
        path: the file.
        key: a hash of all that the training depends on; a state of another training is refused.
    """

    def __init__(self, path: Path, key: str = "") -> None:
        self.path, self.key = path, key

    def load(self) -> State | None:
        """The last state; None where there is none.

        Raises:
            TrainingError: the file is damaged, or belongs to a training with other settings or data.
        """
        from safetensors import SafetensorError, safe_open

        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                told = json.loads((file.metadata() or {})[_NOTES])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dict
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise TrainingError(f"{self.path}: a damaged checkpoint ({error}); delete it to start again") from error
        if told["key"] != self.key:
            raise TrainingError(
                f"{self.path}: a checkpoint of another training (other recipe, data or code); delete it to start again"
            )
        return State(told["step"], tensors, told["notes"])

    def save(self, step: int, tensors: Mapping[str, Tensor], notes: Mapping[str, Any]) -> None:
        """Keep a state in the place of the last.

        Raises:
            TrainingError: the disk is full; the last state stays.
        """
        from safetensors.torch import save_file

        told = json.dumps({"key": self.key, "step": step, "notes": notes})
        with no_room(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part = self.path.with_name(self.path.name + ".part")
            try:
                save_file({name: t.detach().contiguous() for name, t in tensors.items()}, part, {_NOTES: told})
                os.replace(part, self.path)
            finally:
                part.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget the state: the training is done."""
        self.path.unlink(missing_ok=True)


class no_room:  # reads as a word: `with no_room(path):`
    """Turns a full disk into one line; what was there before stays."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or (type(error).__name__ == "SafetensorError" and "No space left" in str(error)):
            raise TrainingError(
                f"{self.path}: the disk is full; make room and run the same command again, it goes on from the last "
                "checkpoint"
            ) from error


Say = Callable[[str], None]
Tick = Callable[[int, int, str], None]
"""Told how many steps are done, of how many, and a few words."""


def silent(*words: object) -> None:
    """Say nothing."""


@dataclass(slots=True)
class Workbench:
    """What a method works with.

    Attributes:
        role, product: what is made.
        seeds: the recipe's.
        folder: everything lies below it.
        agent: the folder of the catalogue where card, prompts and shipped weights lie.
        say: takes a line for people.
        tick: takes progress.
    """

    role: str
    product: str
    seeds: Seeds
    folder: Path
    agent: Path
    say: Say = silent
    tick: Tick = silent
    _curves: dict[Path, list[dict[str, float]]] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The folder of what is learnt from."""
        return self.folder / "data"

    def seed_folder(self, seed: int) -> Path:
        """The folder of what was trained with a seed."""
        return self.folder / f"seed-{seed}"

    def network(self, seed: int) -> Path:
        """The file of a network that was trained with a seed."""
        return self.seed_folder(seed) / f"{self.product}.safetensors"

    def adapter(self, seed: int) -> Path:
        """The folder of an adapter that was trained with a seed."""
        return self.seed_folder(seed) / self.product

    def checkpoint(self, seed: int, key: str = "", name: str = "checkpoint") -> Checkpoint:
        """The checkpoint of a seed's training."""
        return Checkpoint(self.seed_folder(seed) / f"{name}.safetensors", key)

    def loss(self, seed: int, step: int, **figures: float) -> None:
        """Note figures of a step; `finish_curve` writes them.

        Raises:
            TrainingError: one of them is no finite number.
        """
        check_finite(step, **figures)
        self._curves.setdefault(self.seed_folder(seed), []).append({"step": float(step), **figures})

    def finish_curve(self, seed: int) -> Path | None:
        """Write `curve.csv` and `loss.png` of a seed's training; gives the picture, None if nothing was noted."""
        import pandas as pd

        folder = self.seed_folder(seed)
        rows = self._curves.pop(folder, [])
        if not rows:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "curve.csv"
        table = pd.DataFrame(rows)
        if path.is_file():  # what was noted before it was stopped
            before = pd.read_csv(path)
            table = pd.concat([before[before["step"] < table["step"].min()], table])
        table.to_csv(path, index=False)
        return _picture(table, folder / "loss.png", f"{self.role}/{self.product}, seed {seed}")


def check_finite(step: int, **figures: float) -> None:
    """Refuse to go on with numbers that are none.

    Raises:
        TrainingError: a figure is NaN or infinite.
    """
    for name, value in figures.items():
        if not abs(value) < float("inf"):
            raise TrainingError(
                f"step {step}: {name} is {value}; lower the learning rate in the recipe, or look at the data; the last "
                "checkpoint is whole"
            )


def _picture(table: Any, path: Path, title: str) -> Path:
    """The curves of a training."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for name in table.columns:
        if name != "step":
            known = table[["step", name]].dropna()
            axes.plot(known["step"], known[name], label=name)
    axes.set(xlabel="step", ylabel="loss (nats)", title=title)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
