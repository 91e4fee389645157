"""How well the language pool uses the machine: against bare forwards, and against the two plain ways to ask.

Two workloads. The distributor's card with rows drawn in the middle of a negotiation; and, for figures that begin with
`run_`, a real run's rows: the questions to negotiate and to replenish that members of `smart_manufacturing` were asked
in its first weeks, some of each role. Every row goes through the model (no memo). Measured are, of either workload,

* `ratio_to_bare`: seconds of a loop of forwards (and heads) over the very tensors that the pool built, ÷ seconds of the
  pool from question to decision; interleaved, the median of the paired ratios. What is missing to 1 is rendering,
  tokenising, packing and choosing;
* `occupancy`: useful ÷ padded tokens;

of the run's rows, with the memo on: the shares of answers that were memo hits when they were asked `once` and `again`,
and of rows whose prefix had been read; of scoring one field of the drawn rows: the seconds with `one_adapter`, and with
eight adapters mixed in a batch, ÷ those with none; and of the drawn rows

* `speedup_over_rescoring`: decisions/s against scoring each option behind its full prompt as a sequence of its own;
* `speedup_over_generate`: decisions/s against greedy generation of a few tokens, to be parsed. Both in batches, with
  the same weights, numerics and threads, on the first decisions of the same workload.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ecosim import catalog, testing
from ecosim.exact import MILLION
from ecosim.fields import Array, Bucket, Choice
from ecosim.minds.language import LanguageMind
from ecosim.minds.prompts import Prompts
from ecosim.models import adapter
from ecosim.models.load import LanguageModel, Numerics, load, numerics_state
from ecosim.models.sources import BASE
from ecosim.pool.decoder import Decoder
from ecosim.pool.engine import Engine
from ecosim.pool.lora import Lora
from ecosim.pool.past import Past
from ecosim.pool.talk import Ask, Script, Talk
from ecosim.words import Question, Table

if TYPE_CHECKING:
    import torch

ROLE = "distributor"
ROLES = ("supplier", "manufacturer", "distributor")
PHASES = ("negotiate", "replenish")
_CENT = 10_000
_WEEKS = 3  # of the real run
_PLAIN_DECISIONS = 12  # decisions that the plain ways are timed on; they are slow
_PLAIN_BATCH = 16
_NEW_TOKENS = 8  # enough for " counter" or " 12.40"
_NUM_ADAPTERS, _RANK = 8, 16


def run(
    rows: int = 32,
    repeats: int = 5,
    model: str = BASE,
    numerics: Numerics = "reproducible",
    device: str = "auto",
    rows_a_question: int = 8,
) -> dict[str, Any]:
    """The measurements as plain data; about six minutes on two cores.

    Args:
        rows: drawn rows.
        rows_a_question: most rows of each role and phase of the real run.

    Raises:
        CatalogError: the model can't be had.
    """
    language = load(model, numerics, device)
    drawn, real = [negotiation(rows)], asked_in_a_run(rows_a_question)
    figures = against_bare(language, drawn, repeats)
    decision = _mind(Engine(language)).decide(drawn[0])
    return {
        "model": model,
        "numerics": numerics,
        "device": language.device,
        "rows": rows,
        "repeats": repeats,
        **figures,
        **against_plain(language, decision.trace, figures["decisions_per_s"]),
        **{f"run_{name}": value for name, value in against_bare(language, real, repeats).items()},
        **{f"run_{name}": value for name, value in hits(language, real).items()},
        **adapter_costs(language, drawn[0], repeats),
        "method": " ".join(str(__doc__).split()),
        **numerics_state(),
    }


def against_bare(language: LanguageModel, questions: Sequence[Question], repeats: int) -> dict[str, Any]:
    """The pool from question to decision against its own forwards, without a memo."""
    engine = Engine(language, memo=0)
    engine.decoder = recorder = _Recorder(language)
    mind = _mind(engine)
    for question in questions:
        mind.decide(question.take(np.arange(min(question.num_rows, 2))))  # warm: threads, the prefixes
    recorder.is_on = True
    _decide(mind, questions)
    recorder.is_on, before = False, engine.stats.as_dict()
    pool_s, bare_s = [], []
    for _ in range(repeats):
        bare_s.append(_seconds(lambda: [call() for call in recorder.calls]))
        pool_s.append(_seconds(lambda: _decide(mind, questions)))
    done = {name: value - before[name] for name, value in engine.stats.as_dict().items()}
    decisions = done["decisions"] // repeats
    return {
        "num_rows": sum(question.num_rows for question in questions),
        "decisions": decisions,
        "batches": done["batches"] // repeats,
        "rows_per_batch": done["rows"] / done["batches"],
        "decisions_per_s": decisions / median(pool_s),
        "bare_decisions_per_s": decisions / median(bare_s),
        "ratio_to_bare": median(bare / pool for bare, pool in zip(bare_s, pool_s, strict=True)),
        "ratio_of_best": min(bare_s) / min(pool_s),  # on a machine whose neighbours come and go, the fairer one
        "occupancy": done["useful_tokens"] / done["padded_tokens"],
        "useful_tokens_per_s": done["useful_tokens"] / done["seconds"],
        "useful_gigaflops_per_s": done["flops"] / done["seconds"] / 1e9,
    }


def against_plain(language: LanguageModel, trace: Table | None, rate: float) -> dict[str, float]:
    """The two plain ways on the first decisions of a trace."""
    asked = cast(Table, trace)
    some = [(p, json.loads(o)) for p, o in zip(asked["prompt"], asked["options"], strict=True)][:_PLAIN_DECISIONS]
    engine = Engine(language)
    rescoring_s = _seconds(lambda: rescore(engine, some))
    generate_s = _seconds(lambda: _generate(engine, [prompt for prompt, _ in some]))
    return {
        "rescoring_decisions_per_s": len(some) / rescoring_s,
        "speedup_over_rescoring": rate * rescoring_s / len(some),
        "generate_decisions_per_s": len(some) / generate_s,
        "speedup_over_generate": rate * generate_s / len(some),
    }


def hits(language: LanguageModel, questions: Sequence[Question]) -> dict[str, float]:
    """What the memo and the prefixes spare when questions are asked once, and once more."""
    engine, shares = Engine(language), {}
    mind, before = _mind(engine), engine.stats + type(engine.stats)()
    for when in ("once", "again"):
        seconds = _seconds(lambda: _decide(mind, questions))
        done = engine.stats - before
        shares[f"memo_hits_{when}"] = done.memo_hits / done.decisions
        shares[f"seconds_{when}"] = seconds
        if when == "once":
            shares["prefix_hits"] = done.prefix_hits / done.talks
        before = before + done
    return shares


def adapter_costs(language: LanguageModel, question: Question, repeats: int) -> dict[str, float]:
    """Seconds of one forward's worth of rows with one adapter, and with many mixed, ÷ those with none."""
    engine = Engine(language, memo=0)
    names = [f"adapter {i}" for i in range(_NUM_ADAPTERS)]
    with TemporaryDirectory() as folder:
        for seed, name in enumerate(names):
            made = adapter.write_random(Path(folder) / str(seed), language.model, seed=seed, rank=_RANK)
            engine.add_adapter(name, adapter.read(made))
    prompts = Prompts(catalog.card(question.role), question.phase).render(question)
    mixes = {"none": [""], "one": names[:1], "mixed": names}

    def ask(mix: Sequence[str]) -> None:
        engine.run([Talk(*prompt, _act(), mix[i % len(mix)]) for i, prompt in enumerate(prompts)])

    for mix in mixes.values():
        ask(mix)  # warm: threads, the prefixes
    times = [{name: _seconds(partial(ask, mix)) for name, mix in mixes.items()} for _ in range(repeats)]
    return {
        "one_adapter_cost": median(time["one"] / time["none"] for time in times),
        "mixed_adapters_cost": median(time["mixed"] / time["none"] for time in times),
    }


def asked_in_a_run(most: int) -> list[Question]:
    """The largest question of each role and phase in the first weeks of a scripted run, at most so many rows of it."""
    asked = testing.questions("smart_manufacturing", seeds=1, steps=_WEEKS)
    found = []
    for role in ROLES:
        for phase in PHASES:
            same = [question for question in asked if (question.role, question.phase) == (role, phase)]
            largest = max(same, key=lambda question: question.num_rows)
            found.append(largest.take(np.arange(min(most, largest.num_rows))))
    return found


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


def negotiation(rows: int, seed: int = 1) -> Question:
    """Distributors in the middle of a negotiation: every number drawn within what the scenarios have."""
    draw = np.random.default_rng(seed)

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


class _Recorder(Decoder):
    """A decoder that keeps what went through the model, so that it can be run again bare."""

    def __init__(self, language: LanguageModel) -> None:
        super().__init__(language)
        self.calls: list[Callable[[], object]] = []
        self.is_on = False

    def forward(
        self, ids: Array, positions: Array, sees: Array, past: Past, loras: Sequence[Lora | None] = ()
    ) -> tuple[torch.Tensor, Past]:
        if self.is_on:
            self.calls.append(self._bare(ids, positions, sees, past))
        return super().forward(ids, positions, sees, past, loras)

    def next_token_logp(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.is_on:
            rows = hidden.clone()
            self.calls.append(lambda: self.language.model.lm_head(rows).float().log_softmax(-1))
        return super().next_token_logp(hidden)

    def _bare(self, ids: Array, positions: Array, sees: Array, past: Past) -> Callable[[], object]:
        import torch

        model, mask = self.language.model, self.mask(sees)
        tokens, places = (torch.from_numpy(array).to(mask.device) for array in (ids, positions))

        def call() -> object:
            with torch.inference_mode():
                return model.model(
                    tokens,
                    attention_mask=mask,
                    position_ids=places,
                    past_key_values=past.cache(model.config),
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


def _mind(engine: Engine) -> LanguageMind:
    return LanguageMind({role: catalog.card(role) for role in ROLES}, engine, name="bench", grade="untrained")


def _decide(mind: LanguageMind, questions: Sequence[Question]) -> None:
    for question in questions:
        mind.decide(question)


def _act() -> Script:
    yield Ask("Answer:", (" accept", " counter", " reject"))


def _seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start
