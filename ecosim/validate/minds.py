"""The cases of minds: draws, legal answers, rows that do not see their company, honest intervals, and models.

Cases that need the base model are unavailable where it is not in the cache: nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from ecosim import api, catalog, contrast, seeds, simulate, testing
from ecosim.bench.pool import negotiation, rescore
from ecosim.errors import DecisionError
from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, asked
from ecosim.minds.language import LanguageMind
from ecosim.minds.prompts import Prompts
from ecosim.minds.scripted import Experts
from ecosim.models.load import LanguageModel, load
from ecosim.models.sources import BASE, RECORD, cache_dir
from ecosim.pool.engine import Engine
from ecosim.pool.probe import probe
from ecosim.pool.talk import Ask, Pick, Scores, Script, Talk
from ecosim.record.store import Memory
from ecosim.simulate import Arm
from ecosim.validate import laws
from ecosim.validate.cases import Case, Figure, Unavailable, between, estimated, exactly, within
from ecosim.words import Decision, Mind, Question, check

if TYPE_CHECKING:
    import pandas as pd

SCENARIOS = ("smart_manufacturing", "creator_community")

KNOWN_ANSWERS = {
    ((0, 0, 0, 0), (0, 0)): (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2): (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)): (
        0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1,
    ),
}  # fmt: skip
"""Counter and key, and the four words: zeros, all bits set, digits of π."""

PAIRS, REPETITIONS, SHARE = 8, 100, 0.95
"""Of the A/A comparisons: seeds in each, how many, and how often an interval claims to hold the difference."""

OWN_LAW = "a law of this simulator: a decision depends on its own row"
ACTS = (" accept", " counter", " reject")
LANGUAGE_TOLERANCE = 1e-5
"""Natural-log likelihood of a token."""
FLOAT32 = "float32 sums in another order"


# ---- without a model ------------------------------------------------------------------------------------------------


def generator() -> list[Figure]:
    """Words of the counter-based generator that are not the known answers."""
    wrong = 0
    for (counter, key), answer in KNOWN_ANSWERS.items():
        c0, c1, c2, c3, k0, k1 = (np.array([word], np.uint64) for word in (*counter, *key))
        found = seeds.philox4x32((c0, c1, c2, c3), (k0, k1))
        wrong += sum(int(word[0]) != known for word, known in zip(found, answer, strict=True))
    return [exactly(f"wrong words, of {4 * len(KNOWN_ANSWERS)}", wrong, 0)]


def anything_legal(question: Question) -> dict[str, Array]:
    """A mind that answers by lot among all legal answers."""
    key = (question.key["subject"], question.key["counterpart"], question.key["item"], question.key["round"])
    answers: dict[str, Array] = {}
    for lane, spec in enumerate(question.fields):
        u = seeds.uniform(seeds.MIND, question.seed, question.step, question.name, key, lane)
        if isinstance(spec, Choice):
            lot = (u * spec.allowed.sum(axis=1)).astype(int)
            answer = (spec.allowed.cumsum(axis=1) > lot[:, None]).argmax(axis=1)
        else:
            assert isinstance(spec, Bucket)
            answer = spec.low + (u * ((spec.high - spec.low) // spec.step + 1)).astype(np.int64) * spec.step
        answers[spec.name] = np.where(asked(spec, answers, question.num_rows), answer, NOT_ASKED)
    return answers


def experts_of(question: Question, scenario: str) -> list[Mind]:
    """All scripted minds that answer a question, one by one."""
    known = simulate.side(simulate.load_scenario(scenario).world).experts[question.name]
    return [Experts(name, {question.name: expert}) for name, expert in known.items()]


def scripted_minds(steps: int = 2, most_rows: int = 40) -> list[Figure]:
    """Every scripted mind of both ecosystems on questions of real runs: legal, and the same in any company."""
    num_minds, illegal, depends = 0, 0, 0
    for scenario in SCENARIOS:
        for question in testing.questions(scenario, seeds=2, steps=steps):
            some = question.take(np.arange(min(most_rows, question.num_rows)))
            for mind in experts_of(some, scenario):
                num_minds += 1
                illegal += not is_legal(mind, some)
                depends += not is_alone(mind, some)
    return [
        between("questions times minds", num_minds, 50, np.inf, np.nan, "or nothing was tried"),
        exactly("with an illegal answer", illegal, 0),
        exactly("with answers that hang on others", depends, 0),
    ]


def is_legal(mind: Mind, question: Question) -> bool:
    """Whether the decision passes the check that every decision of a run passes."""
    try:
        check(question, mind.decide(question), mind.name)
    except DecisionError:
        return False
    return True


def is_alone(mind: Mind, question: Question) -> bool:
    """Whether rows get the same answers shuffled, and in pieces of 1, 7 and 64."""
    whole = mind.decide(question)
    order = np.random.default_rng(0).permutation(question.num_rows)
    orders = [order, *(order[i : i + size] for size in (1, 7, 64) for i in range(0, len(order), size))]
    return all(same(whole, mind.decide(question.take(rows)), rows) for rows in orders)


def same(whole: Decision, part: Decision, rows: Array) -> bool:
    """Whether a part of the rows was answered as among all, to the bit."""
    columns = [(whole.logp, part.logp), (whole.margin, part.margin), (whole.flops, part.flops)]
    columns += [(whole.answers[name], part.answers[name]) for name in whole.answers]
    return all(np.array_equal(one[rows], other) for one, other in columns)


def random_minds(seeds_: int = 3, steps: int = 8) -> list[Figure]:
    """A market in which all answer by lot among what is legal: no replica breaks a law, no answer is refused."""
    minds = dict.fromkeys(("supplier", "manufacturer", "distributor"), anything_legal)
    return laws.conservation("smart_manufacturing", seeds_, steps, minds)


@cache
def equal_arms(repetitions: int = REPETITIONS) -> list[pd.DataFrame]:
    """Tables of so many A/A comparisons of equal minds with other luck, all in one run."""
    run = api.compare("smart_manufacturing", {"a": {}}, seeds=PAIRS * repetitions, steps=12, with_same=True).run
    block = (run.replicas["world_seed"].to_numpy()[run.kpis["replica"]] - 1) // PAIRS
    return [contrast.differences(run.kpis[block == i], run.replicas, run.arms) for i in range(repetitions)]


def interval_coverage(repetitions: int = REPETITIONS) -> list[Figure]:
    """How often the interval about two equal arms holds 0."""
    from scipy import stats

    tables = [table.query("low < high") for table in equal_arms(repetitions)]
    held = [(table["low"] <= 0) & (table["high"] >= 0) for table in tables]
    profit = [
        bool(ok[(table["metric"] == "profit_eur") & (table["group"] == "")].iloc[0])
        for ok, table in zip(held, tables, strict=True)
    ]
    low, high = stats.binom.interval(0.999, repetitions, SHARE)
    return [
        between("of the profit of all firms", sum(profit), low, high, SHARE * repetitions, "binomial, 99.9 %"),
        estimated("mean share over all figures", np.array([ok.mean() for ok in held]), SHARE),
    ]


# ---- with a model ---------------------------------------------------------------------------------------------------


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
        name="generator", part="minds", kind="V1",
        shows="the counter-based generator gives its known answers",
        source="Random123, kat_vectors, philox4x32 10 rounds (Salmon, Moraes, Dror, Shaw 2011)",
        method="three known blocks through the function that draws every number of a run",
        compute=generator,
    ),
    Case(
        name="scripted_minds", part="minds", kind="V1",
        shows="every scripted mind answers legally, and a row the same in any company",
        source=OWN_LAW,
        method="all experts of both ecosystems on questions of real runs; shuffled, and in pieces of 1, 7 and 64 rows",
        compute=scripted_minds,
    ),
    Case(
        name="random_minds", part="minds", kind="V1",
        shows="whatever legal answers come, cash and goods stay in order",
        source=laws.BOOKKEEPING,
        method="3 replicas × 8 weeks of smart_manufacturing, every answer drawn by lot among the legal ones",
        compute=random_minds,
    ),
    *(
        Case(
            name=f"alone_{scenario}", part="minds", kind="V1",
            shows="a replica among others has the digest that it has alone",
            source=laws.DIGESTS,
            method=f"4 replicas × 6 steps of {scenario} in one run, and each in a run of its own",
            compute=partial(laws.alone, scenario),
        )
        for scenario in SCENARIOS
    ),
    Case(
        name="equal_arms", part="minds", kind="V1",
        shows="intervals about equal minds hold 0 as often as they say",
        source="95 % t intervals of paired differences",
        method=f"{REPETITIONS} A/A comparisons of {PAIRS} pairs × 12 weeks of smart_manufacturing, the minds with "
        "other luck; figures of a comparison hang together, so their mean is judged by its scatter over comparisons",
        compute=interval_coverage,
    ),
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
