"""Fitting an adapter (LoRA) to examples, and writing it as a standard PEFT folder.

AdamW on A and B of the linear layers, a cosine schedule behind a warm-up, a held-out part that says when to stop and
which weights were best. The base is never changed; it is read in bfloat16 where the machine multiplies that in
hardware. Order of examples, start of A and schedule come from the seed: the same seed on the same machine with the same
number of threads gives the same file, to the bit, also when it was stopped and went on in between.
Source: Hu et al. (2021), LoRA: Low-Rank Adaptation of Large Language Models.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import Field

from ecosim.catalog import Entry
from ecosim.errors import TrainingError
from ecosim.models import adapter
from ecosim.models.examine import ADAPTER_CONFIG
from ecosim.models.load import load, quiet
from ecosim.models.sources import BASE
from ecosim.training.adapters.examples import Example
from ecosim.training.adapters.learner import CHUNK, Figures, Learner, chunks
from ecosim.training.workbench import State, no_room
from ecosim.wheels import sha256_of

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]

_CLIP = 1.0  # largest norm of a step's gradient


class Settings(Entry):
    """How an adapter is fitted.

    Attributes:
        base: the model under it.
        rank, alpha: of every layer; a layer's correction is scaled by alpha / rank.
        targets: the linear layers that are corrected, by the end of their names.
        blocks: in how many of the last blocks; all if not said. Blocks below them are read without gradient.
        rate: highest learning rate.
        warmup: share of the steps in which the rate rises to it; then it falls to 0 along a cosine.
        epochs: how often each example is read.
        batch: examples a step, read in chunks of one prefix.
        check_every: steps between looks at the held-out part; a checkpoint is kept at each.
        patience: looks without a better loss before it stops.
        held: share of the examples held out where none are given.
        dtype: of the numbers in the file.
    """

    base: str = BASE
    rank: Annotated[int, Field(ge=1, le=adapter.MAX_RANK)] = 8
    alpha: Annotated[float, Field(gt=0)] = 16.0
    targets: Annotated[list[str], Field(min_length=1)] = Field(default_factory=lambda: list(adapter.TARGETS))
    blocks: Annotated[int, Field(ge=1)] | None = None
    rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    epochs: Annotated[float, Field(gt=0)] = 1.0
    batch: Annotated[int, Field(ge=1)] = 32
    check_every: Annotated[int, Field(ge=1)] = 25
    patience: Annotated[int, Field(ge=1)] = 6
    held: Annotated[float, Field(gt=0, lt=1)] = 0.1
    dtype: Literal["float16", "bfloat16", "float32"] = "float16"


class Checkpoint(Protocol):
    """Where states are kept, as `workbench.Checkpoint` does; `save` replaces the last one all at once, or leaves it."""

    def load(self) -> State | None:
        """The last state, or None at the start."""

    def save(self, step: int, tensors: Mapping[str, torch.Tensor], notes: Mapping[str, Any]) -> None:
        """Keep a state."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of it.

    Attributes:
        folder: in PEFT's format.
        sha256: of its weights.
        num_steps, num_examples: steps done, examples read in them.
        held: how well the held-out examples are answered by the weights that were kept.
        samples_per_s: examples a second while learning, in this process.
    """

    folder: Path
    sha256: str
    num_steps: int
    num_examples: int
    held: Figures
    samples_per_s: float


def fit(
    examples: Sequence[Example],
    settings: Settings,
    folder: Path,
    *,
    seed: int,
    held: Sequence[Example] = (),
    checkpoint: Checkpoint | None = None,
    say: Callable[[str], None] = lambda _: None,
    note: Callable[..., None] = lambda *_, **__: None,
) -> Fitted:
    """An adapter that answers as the examples do.

    Args:
        folder: where it goes; what was there is replaced at the end.
        seed: of the start and of the order.
        held: examples to stop by; a share of `examples` if none are given. Give other worlds' where you can.
        checkpoint: where to keep states, and whence to go on; None starts anew and keeps none.
        say: told about progress, a line at a time.
        note: told the figures of each look: step, then loss, held_loss and held_agreement by name.

    Raises:
        TrainingError: too few examples, a loss that is not finite, a checkpoint of another training, a full disk.
        CatalogError: the base can't be had, or has no such layers.
    """
    train, held = _parts(examples, held, settings, seed)
    learner, model = _learner(settings, seed)
    run = _Run(learner, settings, seed, train, chunks(held), checkpoint, say, note)
    run.resume()
    start, before = perf_counter(), run.num_examples
    run.learn()
    seconds = perf_counter() - start
    run.keep_best()
    done = learner.figures(run.held)
    write(folder, learner, model, settings)
    return Fitted(
        folder,
        sha256_of(folder / adapter.WEIGHTS),
        run.step,
        run.num_examples,
        done,
        (run.num_examples - before) / seconds if run.num_examples > before else 0.0,
    )


def _parts(
    examples: Sequence[Example], held: Sequence[Example], settings: Settings, seed: int
) -> tuple[list[Example], list[Example]]:
    """What is learnt from, and what is held out."""
    examples = list(examples)
    if not held and len(examples) > 1:
        order = np.random.default_rng([seed, 2]).permutation(len(examples))
        num_held = max(1, int(settings.held * len(examples)))
        held, examples = [examples[i] for i in order[:num_held]], [examples[i] for i in sorted(order[num_held:])]
    if not examples or not held:
        raise TrainingError(f"{len(examples) + len(held)} examples are too few to learn from and to hold some out")
    return examples, list(held)


def _learner(settings: Settings, seed: int) -> tuple[Learner, Any]:
    """The base with a fresh adapter, B = 0, and PEFT's model around it."""
    import torch
    from peft import LoraConfig, get_peft_model

    language = load(settings.base, "fast")
    if language.device == "cpu":  # fused attention in bfloat16 takes most of a step on its way back there
        language.model.set_attn_implementation("eager")
    known = {name.rpartition(".")[2] for name in adapter.linear_sizes(language.model)}
    if unknown := [name for name in settings.targets if name not in known]:
        raise TrainingError(f"targets: {unknown[0]!r} is no linear layer of {settings.base}; it has {sorted(known)}")
    blocks = _blocks(settings, language.model.config.num_hidden_layers)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=list(settings.targets),
        task_type="CAUSAL_LM",
        **({"layers_to_transform": blocks, "layers_pattern": "layers"} if blocks else {}),
    )
    with torch.random.fork_rng(devices=[]), hushed():
        torch.manual_seed(seed)
        model = get_peft_model(language.model, config)
    return Learner(language, model), model


def _blocks(settings: Settings, num_blocks: int) -> list[int]:
    """The blocks that are corrected, by number; none said: all."""
    return [] if settings.blocks is None else list(range(max(0, num_blocks - settings.blocks), num_blocks))


@contextmanager
def hushed() -> Iterator[None]:
    """No bars of transformers, and none of the warnings that peft makes there, meanwhile."""
    with quiet(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # peft asks transformers for what it will rename
        yield


class _Run:
    """A training under way.

    Attributes:
        step, num_examples: done so far.
        best, best_loss, num_stale: the best weights so far, their held-out loss, and looks since.
    """

    def __init__(
        self,
        learner: Learner,
        settings: Settings,
        seed: int,
        train: Sequence[Example],
        held: Sequence[Sequence[Example]],
        checkpoint: Checkpoint | None,
        say: Callable[[str], None],
        note: Callable[..., None],
    ) -> None:
        import torch

        self.learner, self.settings, self.seed, self.train, self.held = learner, settings, seed, train, held
        self.checkpoint, self.say, self.note = checkpoint, say, note
        self.per_step = max(1, settings.batch // CHUNK)
        self.rows = min(settings.batch, CHUNK)
        self.per_epoch = math.ceil(len(self._epoch(0)) / self.per_step)
        self.num_steps = max(1, math.ceil(settings.epochs * self.per_epoch))
        self.optimiser = torch.optim.AdamW(learner.trained.values(), lr=settings.rate, weight_decay=0.0)
        self.step = self.num_examples = self.num_stale = 0
        self.best_loss, self.best = math.inf, self._weights()
        self._order: tuple[int, list[list[Example]]] = (0, self._epoch(0))

    def learn(self) -> None:
        """Steps until the schedule ends or the held-out part has not got better for long."""
        since, mean = 0, 0.0
        while self.step < self.num_steps and self.num_stale < self.settings.patience:
            mean += self._learn_a_step()
            since += 1
            if self.step % self.settings.check_every == 0 or self.step == self.num_steps:
                self._look(mean / since)
                since, mean = 0, 0.0

    def keep_best(self) -> None:
        """Put the best weights in place."""
        import torch

        with torch.no_grad():
            for name, weight in self.learner.trained.items():
                weight.copy_(self.best[name])

    def resume(self) -> None:
        """Go on where a checkpoint stopped, if there is one."""
        import torch

        state = self.checkpoint.load() if self.checkpoint else None
        if state is None:
            return
        if state.notes.get("key") != self._key():
            raise TrainingError(
                "the checkpoint is of another training (settings, seed or data have changed); delete it to start anew"
            )
        self.step, self.num_examples = state.step, state.notes["num_examples"]
        self.num_stale, self.best_loss = state.notes["num_stale"], state.notes["best_loss"]
        self.best = {name: state.tensors[f"best.{name}"].clone() for name in self.best}
        with torch.no_grad():
            for name, weight in self.learner.trained.items():
                weight.copy_(state.tensors[f"now.{name}"])
                self.optimiser.state[weight] = {
                    "step": torch.tensor(float(self.step)),
                    "exp_avg": state.tensors[f"mean.{name}"].clone().to(weight),
                    "exp_avg_sq": state.tensors[f"square.{name}"].clone().to(weight),
                }
        self.say(f"goes on at step {self.step} of {self.num_steps}")

    def _learn_a_step(self) -> float:
        """One step; its loss, nats a target."""
        import torch

        parts = self._chunks()
        mass = sum(e.weight * len(e.targets) for part in parts for e in part)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * self._pace()
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for part in parts:
            loss = self.learner.loss(part) / mass
            total += float(loss.detach())
            loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.learner.trained.values(), _CLIP)
        if not (math.isfinite(total) and math.isfinite(float(norm))):
            raise TrainingError(
                f"step {self.step + 1}: the loss is {total}, its gradient {float(norm)}: not finite; the last "
                f"checkpoint is as it was; try a rate below {self.settings.rate:g}"
            )
        self.optimiser.step()
        self.step += 1
        self.num_examples += sum(map(len, parts))
        return total

    def _look(self, loss: float) -> None:
        """Measure the held-out part, remember the best, keep a state."""
        seen = self.learner.figures(self.held)
        if not math.isfinite(seen.loss):
            raise TrainingError(f"step {self.step}: the held-out loss is {seen.loss}; the last checkpoint is as it was")
        self.num_stale += 1
        if seen.loss < self.best_loss:
            self.best_loss, self.best, self.num_stale = seen.loss, self._weights(), 0
        self.note(self.step, loss=loss, held_loss=seen.loss, held_agreement=seen.agreement[""])
        self.say(
            f"step {self.step} of {self.num_steps}: loss {loss:.4f}, held out {seen.loss:.4f}, "
            f"agreement {seen.agreement['']:.3f}"
        )
        if self.checkpoint is not None:
            self.checkpoint.save(self.step, self._tensors(), self._notes())

    def _tensors(self) -> Tensors:
        found: Tensors = {f"best.{name}": weight for name, weight in self.best.items()}
        for name, weight in self.learner.trained.items():
            moments = self.optimiser.state[weight]
            found[f"now.{name}"] = weight.detach().cpu().contiguous()
            found[f"mean.{name}"] = moments["exp_avg"].cpu().contiguous()
            found[f"square.{name}"] = moments["exp_avg_sq"].cpu().contiguous()
        return found

    def _notes(self) -> dict[str, Any]:
        numbers = {"num_examples": self.num_examples, "num_stale": self.num_stale, "best_loss": self.best_loss}
        return {**numbers, "key": self._key()}

    def _key(self) -> str:
        """What a checkpoint must agree on: settings, seed, how much there is to learn."""
        sizes = [len(self.train), sum(len(e.ids) for e in self.train), sum(map(len, self.held)), self.num_steps]
        return json.dumps([self.settings.model_dump(mode="json"), self.seed, sizes])

    def _weights(self) -> Tensors:
        return {name: weight.detach().clone().cpu() for name, weight in self.learner.trained.items()}

    def _pace(self) -> float:
        """Share of the highest rate at this step: a straight rise, then half a cosine."""
        rise = self.settings.warmup * self.num_steps
        if self.step < rise:
            return (self.step + 1) / (rise + 1)
        return 0.5 * (1 + math.cos(math.pi * (self.step - rise) / max(1.0, self.num_steps - rise)))

    def _chunks(self) -> list[list[Example]]:
        """The chunks of this step."""
        epoch, k = divmod(self.step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = (epoch, self._epoch(epoch))
        return self._order[1][k * self.per_step : (k + 1) * self.per_step]

    def _epoch(self, epoch: int) -> list[list[Example]]:
        return chunks(self.train, self.rows, (self.seed, 1, epoch))


def write(folder: Path, learner: Learner, model: Any, settings: Settings) -> Path:
    """The adapter as it is now, as a PEFT folder; it appears whole or not at all.

    Raises:
        TrainingError: the disk is full.
    """
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import save

    kind = getattr(torch, settings.dtype)
    tensors = {name: t.detach().to(kind).cpu().contiguous() for name, t in get_peft_model_state_dict(model).items()}
    if not all(bool(t.isfinite().all()) for t in tensors.values()):
        raise TrainingError(f"{folder}: the adapter holds numbers that do not fit into {settings.dtype}; use bfloat16")
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": settings.base.removeprefix("path:").rpartition("/")[2],
        "r": settings.rank,
        "lora_alpha": settings.alpha,
        "bias": "none",
        "target_modules": sorted(settings.targets),
    }
    if blocks := _blocks(settings, learner.language.model.config.num_hidden_layers):
        config |= {"layers_to_transform": blocks, "layers_pattern": "layers"}
    new = folder.with_name(folder.name + ".new")
    with no_room(folder):
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        (new / adapter.WEIGHTS).write_bytes(save(tensors))
        (new / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(new, folder)
    return folder
