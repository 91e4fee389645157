"""A nano network at its lessons: cross-entropy to the teacher's chances, AdamW, a cosine, and an early stop.

A step takes rows of one question, questions in turn by a draw in proportion to their weights. The loss of a row is the
sum over its fields of −Σ chance · log p; of a number whose answer several bins come to, −log of what they have
together. Fields count alike, however often they are asked. All draws are keyed by seed and step, so training that was
broken off goes on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ecosim.fields import Array
from ecosim.models.nano.net import NEVER, Net
from ecosim.training.imitation.collect import Examples
from ecosim.training.schooling import Schooling

LOOK_EVERY = 200
"""Steps between two looks at the lessons that were kept back."""
_KEPT_BACK = 10
"""One row of so many, or fewer, is kept back for the early stop."""
_MOST_BACK = 500
"""Rows of a question that are enough for that."""
_SEVERAL = 2
"""Bins that must come to the same answer for any of them to be right; of one, its neighbour has its share."""


@dataclass(slots=True)
class State:
    """Where training stands.

    Attributes:
        step: steps taken.
        best, looks: the lowest loss so far on what was kept back, and looks since.
        weights: of then.
    """

    net: Net
    optimizer: torch.optim.AdamW
    step: int = 0
    best: float = math.inf
    looks: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def tensors(self) -> dict[str, Tensor]:
        """All that has to be kept to go on."""
        found = {f"net/{name}": tensor for name, tensor in self.net.state_dict().items()}
        found |= {f"best/{name}": tensor for name, tensor in self.weights.items()}
        for i, memory in self.optimizer.state_dict()["state"].items():
            found |= {f"optimizer/{i}/{name}": torch.as_tensor(value) for name, value in memory.items()}
        return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}

    def notes(self) -> dict[str, float]:
        """And the numbers."""
        return {"step": self.step, "best": self.best, "looks": self.looks}

    def go_on(self, tensors: Mapping[str, Tensor], notes: Mapping[str, float]) -> None:
        """Stand where `tensors` and `notes` were taken."""
        self.step, self.best, self.looks = int(notes["step"]), float(notes["best"]), int(notes["looks"])
        self.net.load_state_dict(_under("net/", tensors))
        self.weights = _under("best/", tensors)
        memory: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer/", tensors).items():
            i, _, what = name.partition("/")
            memory.setdefault(int(i), {})[what] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": memory})


Look = Callable[[State, float, float], None]
"""Told the state, the training loss since the last look, and the loss on what was kept back."""


def begin(net: Net, schooling: Schooling) -> State:
    """A network before its first lesson."""
    return State(net, torch.optim.AdamW(net.parameters(), lr=schooling.rate, weight_decay=schooling.decay))


def learn(
    state: State,
    lessons: Mapping[str, Examples],
    weights: Mapping[str, float],
    schooling: Schooling,
    seed: int,
    look: Look | None = None,
) -> None:
    """Teach a network until the steps are over or it learns nothing more; it has its best weights then.

    Args:
        state: where it stands; steps that were taken are not taken again.
        lessons, weights: by phase; phases without rows are left out.
        seed: of the order of rows.
        look: called every `LOOK_EVERY` steps, before anything else is learnt.
    """
    torch.set_num_threads(1)  # the same bits whatever the machine is doing
    phases = [phase for phase, found in lessons.items() if found.num_rows >= _KEPT_BACK and weights.get(phase, 0) > 0]
    chances = np.array([weights[phase] for phase in phases]) / sum(weights[phase] for phase in phases)
    kept = {phase: batch_of(lessons[phase].take(_fold(lessons[phase], back=True))) for phase in phases}
    shown = {phase: batch_of(lessons[phase].take(_fold(lessons[phase], back=False))) for phase in phases}
    sums, count = 0.0, 0
    while state.step < schooling.steps and state.looks < schooling.patience:
        draw = np.random.Generator(np.random.Philox(key=[seed, state.step]))
        phase = phases[int(draw.choice(len(phases), p=chances))]
        rows = torch.from_numpy(draw.integers(0, shown[phase].num_rows, schooling.batch))
        for group in state.optimizer.param_groups:
            group["lr"] = schooling.rate * _pace(state.step, schooling)
        state.net.train()
        loss = losses(state.net, phase, shown[phase].take(rows))
        total = torch.stack(list(loss.values())).sum()
        state.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        torch.nn.utils.clip_grad_norm_(state.net.parameters(), 1.0)
        state.optimizer.step()
        state.step += 1
        sums, count = sums + total.item(), count + 1
        if state.step % LOOK_EVERY == 0 or state.step == schooling.steps:
            _look(state, kept, dict(zip(phases, chances.tolist(), strict=True)), sums / count, look)
            sums, count = 0.0, 0
    if state.weights:
        state.net.load_state_dict(state.weights)


def losses(net: Net, phase: str, batch: Batch) -> dict[str, Tensor]:
    """The mean loss of each field over the rows that it is asked in; 0 where there is none."""
    found = net(phase, batch.x, batch.slots, batch.chosen)
    return {name: _loss(scores, batch, name) for name, scores in found.items()}


def _loss(scores: Tensor, batch: Batch, name: str) -> Tensor:
    logp = torch.log_softmax(scores.masked_fill(~batch.legal[name], NEVER), dim=1)
    shared = -(batch.targets[name] * logp).sum(dim=1)
    same = batch.same[name]
    any_of = -torch.logsumexp(logp.masked_fill(~same, NEVER), dim=1)
    is_asked = batch.chosen[name] >= 0
    each = torch.where(same.sum(dim=1) >= _SEVERAL, any_of, shared)
    return torch.where(is_asked, each, 0.0).sum() / is_asked.sum().clamp(min=1)


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples as tensors; `chosen` is the option that the teacher gave each row, −1 where it was not asked."""

    x: Tensor
    slots: dict[str, Tensor]
    legal: dict[str, Tensor]
    targets: dict[str, Tensor]
    same: dict[str, Tensor]
    chosen: dict[str, Tensor]

    @property
    def num_rows(self) -> int:
        """How many rows."""
        return len(self.x)

    def take(self, rows: Tensor | slice) -> Batch:
        """Some of the rows."""
        groups = (self.slots, self.legal, self.targets, self.same, self.chosen)
        return Batch(self.x[rows], *({name: column[rows] for name, column in group.items()} for group in groups))


def batch_of(found: Examples) -> Batch:
    """Examples as tensors."""
    targets = {name: torch.from_numpy(np.ascontiguousarray(found.targets[name])) for name in found.encoded.asked}
    chosen = {name: torch.from_numpy(np.ascontiguousarray(found.chosen[name])) for name in targets}
    return Batch(
        torch.from_numpy(np.ascontiguousarray(found.encoded.x)),
        {name: torch.from_numpy(column) for name, column in found.encoded.slots.items()},
        {name: torch.from_numpy(np.ascontiguousarray(found.encoded.legal[name])) for name in targets},
        targets,
        {name: torch.from_numpy(np.ascontiguousarray(found.same[name])) for name in targets},
        chosen,
    )


def _look(
    state: State, kept: Mapping[str, Batch], chances: Mapping[str, float], trained: float, look: Look | None
) -> None:
    """Measure on what was kept back, and remember the weights if they are the best."""
    state.net.eval()
    loss = 0.0
    with torch.inference_mode():
        for phase, batch in kept.items():
            loss += chances[phase] * sum(one.item() for one in losses(state.net, phase, batch).values())
    state.looks += 1
    if loss < state.best:
        state.best, state.looks = loss, 0
        state.weights = {name: tensor.detach().clone() for name, tensor in state.net.state_dict().items()}
    if look is not None:
        look(state, trained, loss)


def _pace(step: int, schooling: Schooling) -> float:
    """The share of the learning rate: up evenly, then down along a cosine."""
    if step < schooling.warmup:
        return (step + 1) / schooling.warmup
    done = (step - schooling.warmup) / max(schooling.steps - schooling.warmup, 1)
    return 0.5 * (1 + math.cos(math.pi * done))


def _fold(found: Examples, *, back: bool) -> Array:
    """The rows that are kept back, or the others."""
    every = max(_KEPT_BACK, -(-found.num_rows // _MOST_BACK))
    return np.flatnonzero((np.arange(found.num_rows) % every == 0) == back)


def _under(start: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
