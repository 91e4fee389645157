"""Nano minds: small transformers over the columns of a question, one network a role; thousands of decisions a second.

A row is encoded, goes once through its role's network, and is answered field by field (`ecosim.models.nano`). Draws are
keyed by the row, rows never see each other, and a batch is cut into blocks of one size, so a decision depends on its
row alone. `logp` is the chance of the answers under the network (temperature included), `margin` the log-odds of the
best option over the next in the first field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import exact, seeds
from ecosim.errors import CatalogError, DecisionError
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, Field, Text, asked
from ecosim.models.nano import encode as encoding
from ecosim.models.nano.encode import Encoded, encode
from ecosim.models.nano.spec import FieldSpec, NanoSpec
from ecosim.words import KEY, Decision, Mind, Question

if TYPE_CHECKING:
    from torch import Tensor

    from ecosim.models.nano.net import Net

_VERSION = 1
"""Part of the fingerprint; goes up when the way of answering changes."""

BLOCK = 1024
"""Most rows of one forward."""
_FEWEST = 2
"""A lone row takes another path through a matrix product than a row among others; it gets a twin."""


class NanoMind:
    """Nano networks in the seats of some roles.

    Args:
        files: the file of each role's network, with its SHA-256 (None: unchecked).
        name: how scenarios call it.
        writer: who writes the texts that a question asks for behind the fields that the network settles, such as a
            post's title; it sees them settled. None: such a question is refused.

    Raises:
        CatalogError: a file is missing, damaged, another than the card says, or of another role.
    """

    grade = "nano"

    def __init__(
        self, files: Mapping[str, tuple[Path, str | None]], name: str = "nano", writer: Mind | None = None
    ) -> None:
        from ecosim.models.nano.files import read

        self.name, self.writer = name, writer
        found = {role: read(path, sha256) for role, (path, sha256) in files.items()}
        for role, (spec, _) in found.items():
            if spec.role != role:
                raise CatalogError(f"{files[role][0]}: a network for {spec.role}, not for {role}")
        self._take({role: spec for role, (spec, _) in found.items()}, {role: w for role, (_, w) in found.items()})

    @classmethod
    def of(cls, nets: Mapping[str, Net], name: str = "nano", writer: Mind | None = None) -> NanoMind:
        """A mind of networks at hand, by role; later changes to their weights don't reach it."""
        mind = cls({}, name, writer)
        weights = {
            role: {n: t.detach().half().float() for n, t in net.state_dict().items()} for role, net in nets.items()
        }
        mind._take({role: net.spec for role, net in nets.items()}, weights)
        return mind

    def _take(self, specs: Mapping[str, NanoSpec], weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        self.specs = dict(specs)
        self.weights = {role: {name: t.numpy() for name, t in tensors.items()} for role, tensors in weights.items()}
        self._nets: dict[str, Net] = {}
        digest = hashlib.sha256(f"nano {_VERSION}".encode())
        for role in sorted(self.specs):
            digest.update(json.dumps(self.specs[role].model_dump(mode="json"), sort_keys=True).encode())
            for name in sorted(self.weights[role]):
                digest.update(name.encode() + np.ascontiguousarray(self.weights[role][name]).tobytes())
        if self.writer is not None:
            digest.update(self.writer.fingerprint.encode())
        self.fingerprint = digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_nets": {}}  # other processes make their own

    def describe(self) -> dict[str, Any]:
        """Parameters by role, for a manifest."""
        return {"parameters": {role: self.net(role).num_parameters for role in self.specs}}

    def answers(self) -> list[str]:
        """The questions that it knows, `role.phase`."""
        return [f"{role}.{phase}" for role, spec in self.specs.items() for phase in spec.questions]

    def net(self, role: str) -> Net:
        """The network of a role, made when it is first asked for.

        Raises:
            CatalogError: it has none for the role, or the weights do not fit.
        """
        if role not in self.specs:
            raise CatalogError(f"mind {self.name!r} has no network for {role}, it has {', '.join(self.specs)}")
        if role not in self._nets:
            from ecosim.models.load import set_numerics_environment

            set_numerics_environment()
            import torch

            from ecosim.models.nano.net import Net

            net = Net(self.specs[role])
            try:
                net.load_state_dict({name: torch.from_numpy(w) for name, w in self.weights[role].items()})
            except RuntimeError as error:
                raise CatalogError(f"mind {self.name!r}: weights of {role} do not fit: {error}") from error
            self._nets[role] = net.eval().requires_grad_(False)
        return self._nets[role]

    def decide(self, question: Question) -> Decision:
        """The answers to every row.

        Raises:
            CatalogError: there is no network for the question, or it does not know a field.
            DecisionError: a row allows no answer.
        """
        if self.writer is not None and any(isinstance(item, Text) for item in question.fields):
            return self._with_texts(question, self.writer)
        net = self.net(question.role)
        rows = question.num_rows
        parts = [
            self._block(net, question if rows <= BLOCK else question.take(slice(at, min(at + BLOCK, rows))))
            for at in range(0, max(rows, 1), BLOCK)
        ]
        return Decision(
            answers={f.name: np.concatenate([p.answers[f.name] for p in parts]) for f in question.fields},
            logp=np.concatenate([p.logp for p in parts]),
            margin=np.concatenate([p.margin for p in parts]),
            flops=np.full(rows, net.flops(question.phase)),
        )

    def _with_texts(self, question: Question, writer: Mind) -> Decision:
        """The network's answers, and the texts that go with them; a text tells the network nothing."""
        numbers = tuple(item for item in question.fields if not isinstance(item, Text))
        settled = self.decide(replace(question, fields=numbers, whole=None, rows=None))
        fields = tuple(_settled(item, settled.answers) for item in question.fields)
        written = writer.decide(replace(question, fields=fields, whole=None, rows=None))
        answers = {item.name: settled.answers.get(item.name, written.answers[item.name]) for item in question.fields}
        return replace(settled, answers=answers, flops=settled.flops + written.flops, trace=written.trace)

    def _block(self, net: Net, question: Question) -> Decision:
        import torch

        rows = question.num_rows
        encoded = encode(net.spec, question)
        twice = np.zeros(max(_FEWEST - rows, 0), np.int64)
        shown = encoded.take(np.concatenate([np.arange(rows), twice])) if len(twice) else encoded
        turn = _Turn(net.spec, question, encoded)
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(shown.x))
            slots = {name: torch.from_numpy(values) for name, values in shown.slots.items()}
            net.walk(question.phase, x, slots, encoded.asked, turn.pick)
        return Decision(answers=turn.answers, logp=turn.logp, margin=turn.margin, flops=np.zeros(rows, np.int64))


def _settled(item: Field, answers: Mapping[str, Array]) -> Field:
    """A field with the one answer left that was given, where it was asked and is a Choice; others as they are."""
    if not isinstance(item, Choice):
        return item
    answer = answers[item.name][:, None]
    return replace(item, allowed=np.where(answer >= 0, np.arange(len(item.options)) == answer, item.allowed))


class _Turn:
    """The rows of a block on their way through the fields."""

    def __init__(self, spec: NanoSpec, question: Question, encoded: Encoded) -> None:
        self.question, self.encoded = question, encoded
        self.how = spec.questions[question.phase].fields
        self.items = {item.name: item for item in question.fields}
        self.answers: dict[str, Array] = {}
        self.logp = np.zeros(question.num_rows)
        self.margin = np.full(question.num_rows, np.inf)

    def pick(self, name: str, scores: Tensor) -> Tensor:
        """Choose the answers of one field; gives the options taken, with those of the twin behind them."""
        import torch

        rows, item, how = self.question.num_rows, self.items[name], self.how[name]
        logits = scores.double().numpy()[:rows]
        legal = self.encoded.legal[name]
        where = asked(item, self.answers, rows)
        self._check(item, legal, where)
        logits = np.where(legal, logits, -np.inf)
        place, logp = self._choose(how, item, logits)
        if not self.answers:
            self.margin = np.where(where, _margin(logits), np.inf)
        self.logp += np.where(where, logp, 0.0)
        if isinstance(item, Bucket):
            wish = _between(logits, place, self.encoded.fine[name]) if how.choose == "argmax" else None
            taken = self.encoded.values[name][np.arange(rows), place] if wish is None else encoding.snap(item, wish)
        else:
            assert isinstance(item, Choice)
            taken = encoding.to_answer(how, item, place)
        self.answers[name] = np.where(where, taken, NOT_ASKED)
        place = np.where(where, place, -1)
        return torch.from_numpy(np.concatenate([place, np.repeat(place[:1], len(scores) - rows)]))

    def _check(self, item: Bucket | Choice | Any, legal: Array, where: Array) -> None:
        bad = where & ~legal.any(axis=1)
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            who = ", ".join(f"{name} {int(self.question.key[name][i])}" for name in ("replica", *KEY))
            raise DecisionError(
                f"{self.question.name}, step {self.question.step}, {who}: {item.name} allows no answer: "
                f"{item.describe(i)}"
            )

    def _choose(self, how: FieldSpec, item: Any, logits: Array) -> tuple[Array, Array]:
        """The option of each row, int64 (rows,), and the log of its chance."""
        heat = how.temperature if how.choose == "sample" else 1.0
        top = logits.max(axis=1, keepdims=True)
        scaled = np.where(np.isfinite(logits), (logits - np.where(np.isfinite(top), top, 0.0)) / heat, -np.inf)
        weights = np.where(np.isfinite(scaled), exact.exp(np.maximum(scaled, -700.0)), 0.0)
        total = np.zeros(len(weights))
        sums = np.empty_like(weights)
        for option in range(weights.shape[1]):  # in one order, whatever the memory's
            total = total + weights[:, option]
            sums[:, option] = total
        if how.choose == "sample":
            q = self.question
            key = tuple(q.key[name] for name in KEY)
            draw = seeds.uniform(seeds.MIND, q.seed, q.step, f"{q.name}.{item.name}", key)
            place = np.minimum((sums <= (draw * total)[:, None]).sum(axis=1), logits.shape[1] - 1)
        else:
            place = logits.argmax(axis=1)
        chance = weights[np.arange(len(place)), place]
        return place, exact.log(np.maximum(chance, 1e-300)) - exact.log(np.maximum(total, 1e-300))


def _margin(logits: Array) -> Array:
    """The best over the next, natural-log odds, (rows,); inf where there is no other."""
    if logits.shape[1] < 2:
        return np.full(len(logits), np.inf)
    best = np.partition(logits, -2, axis=1)[:, -2:]
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(best).all(axis=1), best[:, 1] - best[:, 0], np.inf)


def _between(logits: Array, place: Array, fine: Array) -> Array:
    """The mean of what the likeliest bin and its two neighbours stand for, weighed by their chances, (rows,)."""
    rows, last = np.arange(len(place)), logits.shape[1] - 1
    near = np.stack([np.maximum(place - 1, 0), place, np.minimum(place + 1, last)])
    weight = exact.exp(np.maximum(logits[rows, near] - logits[rows, place], -700.0))
    weight[0] *= place > 0
    weight[2] *= place < last
    value = fine[rows, near]
    return (weight[0] * value[0] + weight[1] * value[1] + weight[2] * value[2]) / (weight[0] + weight[1] + weight[2])
