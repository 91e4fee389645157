"""A base model with a small part that learns, reading examples as the pool reads rows: the loss, and how often right.

Rows of one prefix are read together: the prefix once, with gradient, and its keys and values spread over the rows. That
is the same sum as reading it in every row (what is trained changes the prefix too), for a fraction of the work. Rows
are padded on the right, where no token of theirs looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import CatalogError
from ecosim.models.load import LanguageModel
from ecosim.training.adapters.examples import Example, Ids, Target

if TYPE_CHECKING:
    import torch

CHUNK = 16
"""Most rows that are read behind one reading of their prefix: more saves little, and mixes prefixes less."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How well some examples are answered.

    Attributes:
        loss: mean over targets of the cross-entropy, nats.
        agreement: share of targets whose likeliest token is the teacher's, by field; "" is all together.
    """

    loss: float
    agreement: dict[str, float]


class Learner:
    """A model that learns.

    Args:
        language: the base model; it is changed by what is put on it, so load one for this.
        model: the base with the part that learns, as `peft` makes it; None for the base as it is.

    Attributes:
        trained: the parameters that learn, by name.
    """

    def __init__(self, language: LanguageModel, model: Any = None) -> None:
        self.language = language
        self._causal: Any = language.model if model is None else model.get_base_model()
        self.trained: dict[str, torch.nn.Parameter] = (
            {} if model is None else {name: p for name, p in model.named_parameters() if p.requires_grad}
        )

    def loss(self, chunk: Sequence[Example]) -> torch.Tensor:
        """The weighted sum of the cross-entropies of all targets of a chunk, nats."""
        import torch

        with self._numerics():
            states, targets, weights = self._states(chunk)
            nats = _nats(self._causal.lm_head, states, targets)
        return (nats * torch.tensor(weights, device=nats.device)).sum()

    def figures(self, chunks: Sequence[Sequence[Example]]) -> Figures:
        """Loss and agreement, without learning.

        Raises:
            ValueError: there is nothing to answer.
        """
        import torch

        nats, mass, right = 0.0, 0.0, dict[str, list[bool]]()
        with torch.inference_mode(), self._numerics():
            for chunk in chunks:
                states, targets, weights = self._states(chunk)
                each, hits = _nats_and_hits(self._causal.lm_head, states, targets)
                nats += float((each.double().cpu().numpy() * weights).sum())
                mass += float(np.sum(weights))
                for target, hit in zip(targets, hits, strict=True):
                    right.setdefault(target.field, []).append(hit)
        if not mass:
            raise ValueError("no targets to measure")
        everything = [hit for hits in right.values() for hit in hits]
        agreement = {name: float(np.mean(hits)) for name, hits in [("", everything), *right.items()]}
        return Figures(nats / mass, agreement)

    def _states(self, chunk: Sequence[Example]) -> tuple[torch.Tensor, list[Target], list[float]]:
        """Hidden states at the targets (targets, size), the targets, and their weights."""
        hidden = self._read(chunk[0].prefix, [example.ids for example in chunk])
        rows = [i for i, example in enumerate(chunk) for _ in example.targets]
        targets = [target for example in chunk for target in example.targets]
        return hidden[rows, [t.place for t in targets]], targets, [chunk[i].weight for i in rows]

    def _read(self, prefix: Ids, rows: Sequence[Ids]) -> torch.Tensor:
        """Hidden states of rows behind their prefix, (rows, width, size)."""
        import torch
        from transformers import DynamicCache

        core, device = self._causal.model, self.language.device
        cache: Any = DynamicCache(config=self._causal.config)
        if prefix:
            core(torch.tensor([prefix], device=device), past_key_values=cache, use_cache=True)
            for layer in cache.layers:
                layer.keys, layer.values = (x.expand(len(rows), -1, -1, -1) for x in (layer.keys, layer.values))
        width = max(map(len, rows))
        ids = torch.zeros((len(rows), width), dtype=torch.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        return core(ids.to(device), past_key_values=cache, use_cache=True).last_hidden_state

    @contextmanager
    def _numerics(self) -> Iterator[None]:
        """Products in bfloat16 where the base is in bfloat16; what learns stays in float32."""
        import torch

        is_half = self.language.dtype == "bfloat16"
        with torch.autocast(self.language.device, torch.bfloat16, enabled=is_half):
            yield


def chunks(examples: Sequence[Example], rows: int = CHUNK, seed: Sequence[int] = ()) -> list[list[Example]]:
    """Examples of one prefix and about one length together, at most `rows` of them.

    Args:
        seed: mixes rows and chunks by these numbers; none keeps them in order of prefix and length.

    Raises:
        CatalogError: an example has no targets.
    """
    if any(not example.targets for example in examples):
        raise CatalogError("an example has no targets; leave such rows out")
    draw = np.random.default_rng(list(seed)) if seed else None
    by_prefix: dict[Ids, list[Example]] = {}
    for example in examples:
        by_prefix.setdefault(example.prefix, []).append(example)
    found = []
    for members in by_prefix.values():
        mixed = members if draw is None else [members[i] for i in draw.permutation(len(members))]
        window = len(mixed) if draw is None else 8 * rows  # lengths alike within a chunk, chance among chunks
        for start in range(0, len(mixed), window):
            ordered = sorted(mixed[start : start + window], key=lambda e: len(e.ids))
            found += [ordered[k : k + rows] for k in range(0, len(ordered), rows)]
    return found if draw is None else [found[i] for i in draw.permutation(len(found))]


def _nats(head: Any, states: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
    """The cross-entropy of each target, float32 (targets,)."""
    return _scored(head, states, targets)[0]


def _nats_and_hits(head: Any, states: torch.Tensor, targets: Sequence[Target]) -> tuple[torch.Tensor, list[bool]]:
    """The cross-entropy of each target, and whether the likeliest token is the teacher's likeliest."""
    nats, best = _scored(head, states, targets)
    wanted = [t.tokens[int(np.argmax(t.chances))] for t in targets]
    return nats, [int(b) == w for b, w in zip(best.tolist(), wanted, strict=True)]


def _scored(head: Any, states: torch.Tensor, targets: Sequence[Target]) -> tuple[torch.Tensor, torch.Tensor]:
    """The cross-entropy of each target, and the likeliest token: letters among themselves, texts among all tokens."""
    import torch

    nats = torch.zeros(len(targets), device=states.device)
    best = torch.zeros(len(targets), dtype=torch.int64, device=states.device)
    letters = [i for i, t in enumerate(targets) if t.is_label]
    spelt = [i for i, t in enumerate(targets) if not t.is_label]
    if letters:
        known = sorted({token for i in letters for token in targets[i].tokens})
        column = {token: k for k, token in enumerate(known)}
        share = torch.zeros(len(letters), len(known))
        offered = torch.zeros(len(letters), len(known), dtype=torch.bool)
        for k, i in enumerate(letters):
            places = [column[token] for token in targets[i].tokens]
            offered[k, places] = True
            share[k, places] = torch.tensor(targets[i].chances)
        share, offered = share.to(states.device), offered.to(states.device)
        rows = head.weight[torch.tensor(known, device=states.device)]
        logp = (states[letters] @ rows.T).float().masked_fill(~offered, -1e9).log_softmax(-1)
        nats = nats.index_put((torch.tensor(letters, device=states.device),), -(share * logp).sum(-1))
        best[letters] = torch.tensor(known, device=states.device)[logp.argmax(-1)]
    if spelt:
        logp = head(states[spelt]).float().log_softmax(-1)
        wanted = torch.tensor([targets[i].tokens[0] for i in spelt], device=states.device)
        nats = nats.index_put((torch.tensor(spelt, device=states.device),), -logp.gather(1, wanted[:, None])[:, 0])
        best[spelt] = logp.argmax(-1)
    return nats, best
