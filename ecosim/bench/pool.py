"""How well the language pool uses the machine: against bare forwards, and against the two plain ways to ask.

The workload is the distributor's real card: rows in the middle of a negotiation, answered field by field. Measured are

* `ratio_to_bare`: seconds of a loop of forwards (and heads) over the very tensors that the pool built, ÷ seconds of the
  pool from question to decision; interleaved, the median of the paired ratios. What is missing to 1 is rendering,
  tokenising, packing and choosing;
* `occupancy`: useful ÷ padded tokens;
* `speedup_over_rescoring`: decisions/s against scoring each option behind its full prompt as a sequence of its own;
* `speedup_over_generate`: decisions/s against greedy generation of a few tokens, to be parsed. Both in batches, with
  the same weights, numerics and threads, on the first decisions of the same workload.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ecosim import catalog
from ecosim.exact import MILLION
from ecosim.fields import Array, Bucket, Choice
from ecosim.minds.language import LanguageMind
from ecosim.models.load import Numerics, load, numerics_state
from ecosim.models.sources import BASE
from ecosim.pool.engine import Engine
from ecosim.pool.past import Past
from ecosim.words import Question, Table

if TYPE_CHECKING:
    import torch

ROLE = "distributor"
_CENT = 10_000
_PLAIN_DECISIONS = 12  # decisions that the plain ways are timed on; they are slow
_PLAIN_BATCH = 16
_NEW_TOKENS = 8  # enough for " counter" or " 12.40"
_NEVER = -1e30


def run(
    rows: int = 32, repeats: int = 5, model: str = BASE, numerics: Numerics = "reproducible", device: str = "auto"
) -> dict[str, Any]:
    """The measurements as plain data; about two minutes on two cores.

    Raises:
        CatalogError: the model can't be had.
    """
    engine = _Recorder(load(model, numerics, device))
    mind = LanguageMind({ROLE: catalog.card(ROLE)}, engine, name=model, grade="untrained")
    question = negotiation(rows)
    mind.decide(question.take(np.arange(min(rows, 4))))  # warm: threads, the prefix
    engine.calls.clear()
    decision = mind.decide(question)
    calls, engine.calls, engine.is_on = engine.calls, [], False
    before = engine.stats
    engine.stats = type(before)()
    pool_s, bare_s = [], []
    for _ in range(repeats):
        bare_s.append(_seconds(lambda: [call() for call in calls]))
        pool_s.append(_seconds(lambda: mind.decide(question)))
    stats = engine.stats
    decisions = stats.decisions // repeats
    trace = cast(Table, decision.trace)
    some = [(p, json.loads(o)) for p, o in zip(trace["prompt"], trace["options"], strict=True)][:_PLAIN_DECISIONS]
    rescoring_s = _seconds(lambda: rescore(engine, some))
    generate_s = _seconds(lambda: _generate(engine, [prompt for prompt, _ in some]))
    rate = decisions / median(pool_s)
    return {
        "model": model,
        "numerics": numerics,
        "device": engine.language.device,
        "rows": rows,
        "repeats": repeats,
        "decisions": decisions,
        "rows_per_s": rows / median(pool_s),
        "decisions_per_s": rate,
        "bare_decisions_per_s": decisions / median(bare_s),
        "ratio_to_bare": median(bare / pool for bare, pool in zip(bare_s, pool_s, strict=True)),
        "ratio_of_best": min(bare_s) / min(pool_s),  # on a machine whose neighbours come and go, the fairer one
        "occupancy": stats.occupancy,
        "useful_tokens_per_s": stats.useful_tokens / stats.seconds,
        "useful_gigaflops_per_s": stats.flops / stats.seconds / 1e9,
        "rescoring_decisions_per_s": len(some) / rescoring_s,
        "speedup_over_rescoring": rate * rescoring_s / len(some),
        "generate_decisions_per_s": len(some) / generate_s,
        "speedup_over_generate": rate * generate_s / len(some),
        "method": " ".join(str(__doc__).split()),
        **numerics_state(),
    }


def rescore(engine: Engine, asks: Sequence[tuple[str, Sequence[str]]]) -> list[Array]:
    """The plain way: every option behind its full prompt as a sequence of its own; summed log-likelihoods by ask."""
    import torch

    encode: Any = engine.language.tokenizer
    jobs = []
    for i, (prompt, options) in enumerate(asks):
        start = encode(prompt, add_special_tokens=False).input_ids
        jobs += [(i, start, tail) for tail in engine.ids([f" {option}" for option in options])]
    sums: list[list[float]] = [[] for _ in asks]
    for first in range(0, len(jobs), _PLAIN_BATCH):
        batch = jobs[first : first + _PLAIN_BATCH]
        width = max(len(start) + len(tail) for _, start, tail in batch)
        ids = np.zeros((len(batch), width), np.int64)
        for b, (_, start, tail) in enumerate(batch):
            ids[b, : len(start) + len(tail)] = [*start, *tail]
        tokens = torch.from_numpy(ids).to(engine.language.device)
        with torch.inference_mode():
            hidden = engine.language.model.model(tokens).last_hidden_state
            for b, (i, start, tail) in enumerate(batch):
                at = hidden[b, len(start) - 1 : len(start) + len(tail) - 1]
                logp = engine.language.model.lm_head(at).float().log_softmax(-1)
                sums[i].append(float(logp[range(len(tail)), list(tail)].double().sum()))
    return [np.array(row) for row in sums]


def negotiation(rows: int) -> Question:
    """Distributors in the middle of a negotiation: every number drawn within what the scenarios have."""
    draw = np.random.default_rng(1)

    def euros(low: int, high: int) -> Array:
        return draw.integers(low * 100, high * 100, rows) * _CENT

    def units(high: int) -> Array:
        return draw.integers(5, high, rows) * MILLION

    def full(value: int) -> Array:
        return np.full(rows, value)

    round_ = draw.integers(1, 10, rows)
    has = (round_ > 1).astype(np.int64)
    limit, need = euros(47, 57), units(80)
    is_shown = np.arange(6) < 2 * (round_[:, None] - 1)
    counter = ("act", 1)
    return Question(
        role=ROLE,
        phase="negotiate",
        step=1,
        key=Table(
            {"replica": full(0), "subject": np.arange(rows), "counterpart": full(0), "item": full(0), "round": round_}
        ),
        seed=np.full(rows, 1, np.uint64),
        mind=full(0),
        columns={
            "is_buyer": full(1),
            "item_name": np.array(["pump"] * rows, object),
            "round": round_,
            "rounds_left": 10 - round_,
            "reservation": limit,
            "market_price": full(52 * MILLION),
            "need": need,
            "on_hand": units(90),
            "wanted_week": full(1),
            "has_offer": has,
            "offer_price": np.where(has, euros(45, 70), -1),
            "offer_quantity": np.where(has, units(80), -1),
            "offer_week": np.where(has, draw.integers(1, 4, rows), -1),
            "has_own": has,
            "own_price": np.where(has, euros(30, 47), -1),
            "own_quantity": np.where(has, need, -1),
            "own_week": np.where(has, 1, -1),
            "offers_price": draw.integers(3000, 7000, (rows, 6)) * _CENT,
            "offers_mine": np.broadcast_to(np.arange(6) % 2, (rows, 6)),
        },
        masks={"offers_price": is_shown, "offers_mine": is_shown},
        fields=(
            Choice(
                name="act",
                options=("accept", "counter", "reject"),
                allowed=np.stack([has == 1, full(1) == 1, full(1) == 1], axis=1),
            ),
            Bucket(name="price", low=full(26 * MILLION), high=limit, step=full(_CENT), unit="EUR/1e6", only_if=counter),
            Bucket(
                name="quantity", low=full(MILLION), high=need, step=full(MILLION), unit="units/1e6", only_if=counter
            ),
            Bucket(name="week", low=full(1), high=full(4), step=full(1), unit="weeks", only_if=counter),
        ),
    )


class _Recorder(Engine):
    """An engine that keeps what went through the model, so that it can be run again bare."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.calls: list[Callable[[], object]] = []
        self.is_on = True

    def forward(self, ids: Array, positions: Array, sees: Array, past: Past) -> tuple[torch.Tensor, Past]:
        if self.is_on:
            self.calls.append(self._bare(ids, positions, sees, past))
        return super().forward(ids, positions, sees, past)

    def next_token_logp(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.is_on:
            rows = hidden.clone()
            self.calls.append(lambda: self.language.model.lm_head(rows).float().log_softmax(-1))
        return super().next_token_logp(hidden)

    def _bare(self, ids: Array, positions: Array, sees: Array, past: Past) -> Callable[[], object]:
        import torch

        language = self.language
        lowest = torch.finfo(language.model.dtype).min
        mask = torch.zeros(sees[:, None].shape, dtype=language.model.dtype).masked_fill_(
            ~torch.from_numpy(sees[:, None]), lowest
        )
        tokens, places, mask = (
            t.to(language.device) for t in (torch.from_numpy(ids), torch.from_numpy(positions), mask)
        )

        def call() -> object:
            with torch.inference_mode():
                return language.model.model(
                    tokens,
                    attention_mask=mask,
                    position_ids=places,
                    past_key_values=past.cache(language.model.config),
                    use_cache=True,
                )

        return call


def _generate(engine: Engine, prompts: Sequence[str]) -> list[str]:
    """The other plain way: greedy text, left padded, to be parsed."""
    import torch

    encode: Any = engine.language.tokenizer
    model: Any = engine.language.model
    texts = []
    for first in range(0, len(prompts), _PLAIN_BATCH):
        rows = [encode(p, add_special_tokens=False).input_ids for p in prompts[first : first + _PLAIN_BATCH]]
        width = max(map(len, rows))
        ids = torch.tensor([[encode.pad_token_id or 0] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        with torch.inference_mode():
            out = model.generate(
                ids.to(engine.language.device),
                attention_mask=mask.to(engine.language.device),
                max_new_tokens=_NEW_TOKENS,
                do_sample=False,
            )
        texts += encode.batch_decode(out[:, width:], skip_special_tokens=True)
    return [text.strip().split("\n")[0] for text in texts]


def _seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start
