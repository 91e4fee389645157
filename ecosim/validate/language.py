"""The cases of language models: the same bits in any batch, and the scores of plain teacher forcing.

They need the base model and are unavailable where it is not in the cache: nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from ecosim import catalog, simulate
from ecosim.bench.pool import negotiation, rescore
from ecosim.exact import MILLION
from ecosim.fields import Bucket
from ecosim.minds.language import LanguageMind
from ecosim.minds.prompts import Prompts
from ecosim.models.load import LanguageModel, load
from ecosim.models.sources import BASE, RECORD
from ecosim.pool.engine import Engine
from ecosim.pool.probe import probe
from ecosim.pool.talk import Ask, Pick, Scores, Script, Talk
from ecosim.record.store import Memory
from ecosim.simulate import Arm
from ecosim.validate.cases import Case, Figure, Unavailable, exactly, within
from ecosim.validate.company import OWN_LAW, is_legal, same
from ecosim.wheels import cache_dir
from ecosim.words import Decision

ACTS = (" accept", " counter", " reject")
LANGUAGE_TOLERANCE = 1e-5
"""Natural-log likelihood of a token."""
FLOAT32 = "float32 sums in another order"


@cache
def base_model() -> LanguageModel:
    """The base model from the cache.

    Raises:
        Unavailable: it is not there.
    """
    if not (cache_dir() / BASE / RECORD).is_file():
        raise Unavailable(f"needs the model {BASE}, which is not in the cache; fetch it: ecosim models fetch {BASE}")
    return load(BASE, device="cpu")


def sitting(language: LanguageModel, batch_limit: int | None = None) -> LanguageMind:
    """A model in the seats of the market, as it comes."""
    cards = {role: catalog.card(role) for role in ("supplier", "manufacturer", "distributor")}
    return LanguageMind(cards, Engine(language, batch_limit, memo=0), name="sitting", grade="untrained")


def same_bits(language_of: Callable[[], LanguageModel] = base_model, rows: int = 8) -> list[Figure]:
    """Decisions of a model at batches of 1, 7 and 64, shuffled, and the digests of a run at each."""
    language = language_of()
    if not probe(Engine(language))["same_bits"]:
        raise Unavailable("this machine does not give rows the same bits in any batch, as its start-up probe says")
    question = negotiation(rows)
    whole = sitting(language, 64).decide(question)
    illegal = not is_legal(sitting(language, 64), question)
    differ = 0
    for limit in (1, 7, 64):
        order = np.random.default_rng(limit).permutation(rows)
        part = sitting(language, limit).decide(question.take(order))
        differ += sum(not same(whole, part_of(part, i), np.array([row])) for i, row in enumerate(order))
    runs = {limit: _digests(sitting(language, limit)) for limit in (1, 7, 64)}
    return [
        exactly("questions with an illegal answer", illegal, 0),
        exactly(f"decisions that differ, of {3 * rows}", differ, 0),
        exactly("different digests of a run, of 3", len(set(runs.values())), 1),
    ]


def part_of(decision: Decision, row: int) -> Decision:
    """One row of a decision."""
    return replace(
        decision,
        answers={name: column[[row]] for name, column in decision.answers.items()},
        logp=decision.logp[[row]],
        margin=decision.margin[[row]],
        flops=decision.flops[[row]],
        trace=None,
    )


def _digests(mind: LanguageMind) -> tuple[str, ...]:
    facts = simulate.load_scenario("smart_manufacturing", {"negotiation.max_rounds": 4}).with_changes(seeds=1, steps=1)
    done = simulate.simulate(facts, [Arm(name="all", minds={"distributor.quote": mind})], Memory()).manifest
    return (*done["digests"], *done["score_digests"])


def asked_twice(language: LanguageModel, rows: int) -> tuple[list[tuple[str, tuple[str, ...]]], list[Scores]]:
    """What drawn rows were asked, an act and then one of eight prices; and the scores that one forward each gave."""
    engine, question = Engine(language, memo=0), negotiation(rows)
    price = question.field("price")
    assert isinstance(price, Bucket)
    prompts = Prompts(catalog.card("distributor"), "negotiate").render(question)
    asks: list[tuple[str, tuple[str, ...]]] = []
    found: dict[tuple[int, int], Scores] = {}

    def script(i: int, menu: tuple[str, ...]) -> Script:
        for place, ask in enumerate((Ask("Answer:", ACTS), Ask(" counter\nPrice:", menu))):
            reply = yield ask
            assert isinstance(reply, Scores)
            found[i, place] = reply

    talks = []
    for i, (prefix, text) in enumerate(prompts):
        menu = tuple(f" {value / MILLION:.2f}\n" for value in price.menu(i, 8))
        read = engine.frame.show(prefix, text) + "Answer:"
        asks += [(read, ACTS), (f"{read} counter\nPrice:", menu)]
        talks.append(Talk(prefix, text, script(i, menu)))
    engine.run(talks)
    return asks, [found[key] for key in sorted(found)]


def tree_scores(language_of: Callable[[], LanguageModel] = base_model, rows: int = 4) -> list[Figure]:
    """One forward over the options as a tree, against each option behind its whole prompt, a token at a time."""
    language = language_of()
    asks, scores = asked_twice(language, rows)
    plain = rescore(Engine(language), [(prompt, [word[1:] for word in words]) for prompt, words in asks])
    off = [np.abs(one.sums - other) / one.lengths for one, other in zip(scores, plain, strict=True)]
    best = sum(int(one.sums.argmax() != other.argmax()) for one, other in zip(scores, plain, strict=True))
    return [
        within("largest error a token", np.concatenate(off).max(), 0, LANGUAGE_TOLERANCE, FLOAT32, "nat"),
        exactly(f"other best options, of {len(asks)}", best, 0),
    ]


def label_scores(language_of: Callable[[], LanguageModel] = base_model, rows: int = 4) -> list[Figure]:
    """Letters scored by their rows of the head alone, against the whole head at the end of the plain prompt."""
    language = language_of()
    engine, found = Engine(language, memo=0), dict[int, Scores]()
    labels = engine.labels[:5]
    listed = "".join(f"{label.strip()}: {10 + k}.00\n" for k, label in enumerate(labels)) + "Price:"
    prompts = Prompts(catalog.card("distributor"), "negotiate").render(negotiation(rows))

    def script(i: int) -> Script:
        reply = yield Pick(listed, labels)
        assert isinstance(reply, Scores)
        found[i] = reply

    engine.run([Talk(prefix, text, script(i)) for i, (prefix, text) in enumerate(prompts)])
    asks = [(engine.frame.show(prefix, text) + listed, [label[1:] for label in labels]) for prefix, text in prompts]
    plain = [one - np.log(np.exp(one).sum()) for one in rescore(Engine(language), asks)]
    off = max(float(np.abs(found[i].sums - one).max()) for i, one in enumerate(plain))
    return [within("largest error of a letter", off, 0, LANGUAGE_TOLERANCE, FLOAT32, "nat")]


CASES = (
    Case(
        name="model_same_bits", part="minds", kind="V1",
        shows="a language model answers legally, and a row with the same bits at any batch and in any order",
        source=OWN_LAW,
        method="8 drawn rows of a negotiation at batches of 1, 7 and 64, shuffled; a market's week of quotes at each",
        compute=same_bits,
    ),
    Case(
        name="model_tree_scores", part="minds", kind="V2",
        shows="options scored in one forward have the scores of plain teacher forcing",
        source="transformers' LlamaForCausalLM, every option behind its full prompt",
        method="4 drawn rows, an act and one of eight prices each; tolerance as measured when the design was fixed",
        compute=tree_scores,
    ),
    Case(
        name="model_label_scores", part="minds", kind="V2",
        shows="letters scored by a few rows of the head have the scores of the whole head",
        source="transformers' LlamaForCausalLM, softmax over five letters",
        method="4 drawn rows, five prices listed by letter",
        compute=label_scores,
    ),
)  # fmt: skip
