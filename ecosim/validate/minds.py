"""The cases of minds: draws, legal answers, rows that do not see their company, honest intervals, and models."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from ecosim import api, contrast, seeds, simulate, testing
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, asked
from ecosim.minds.scripted import Experts
from ecosim.validate import language, laws
from ecosim.validate.cases import Case, Figure, between, estimated, exactly
from ecosim.validate.company import OWN_LAW, is_alone, is_legal
from ecosim.words import Mind, Question

if TYPE_CHECKING:
    import pandas as pd

SCENARIOS = ("smart_manufacturing", "creator_community")
SHOWN = {"creator_community": {"publishing.shows_rivals": True}}
"""What some scripted minds have to be shown, by scenario."""

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
        facts = simulate.load_scenario(scenario, SHOWN.get(scenario))
        for question in testing.questions(facts, seeds=2, steps=steps):
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
    *language.CASES,
)  # fmt: skip
