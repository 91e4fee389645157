"""How fast each grade of mind decides, on the same questions in the same run.

The questions are those that distributors of `smart_manufacturing` were asked in its first weeks, to negotiate and to
replenish, of many replicas at once, as a run asks them. A decision is a row answered, all its fields. Measured are

* `scripted`, `nano`, and trained language models where the catalogue has them, and `untrained`: decisions a second from
  question to decision in this process, with the threads that its libraries have here: the best of a few repeats.
  Language models get a few of the same rows, with no row twice and no memory of answers;
* `nano_on_all_cores`: the same rows, over and over, in a process a core with one thread each, as hosts hold nano minds:
  rows answered in a common stretch of time ÷ its length;
* `per_cpu_s`: decisions a second of processor time, which neighbours on the machine disturb less than the wall's;
* `nano_over_untrained`: the ratio of both in this process.

The bars: 20,000 decisions/s on two cores, and 300 × untrained.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter, process_time
from typing import Any

import numpy as np

from ecosim import catalog, simulate, testing
from ecosim.errors import CatalogError
from ecosim.minds.nano import NanoMind
from ecosim.minds.scripted import Experts
from ecosim.models.load import Numerics, numerics_state
from ecosim.words import Mind, Question

ROLE = "distributor"
PHASES = ("negotiate", "replenish")
SCENARIO, REPLICAS, WEEKS = "smart_manufacturing", 80, 2
GRADE = "nano"
BAR_PER_S, BAR_RATIO = 20_000.0, 300.0
_STRETCH_S, _START_S = 4.0, 20.0
"""How long processes answer together, and how long they have to come up first, s."""


def run(
    repeats: int = 3, rows: int = 12, numerics: Numerics = "reproducible", cores: int | None = None
) -> dict[str, Any]:
    """The measurements as plain data; about two minutes on two cores.

    Args:
        repeats: of each measurement in this process; the best counts.
        rows: of each question that language models are asked.
        cores: processes at once; the cores that this process may use by default.

    Raises:
        CatalogError: the catalogue has no nano mind for the role, or the base model can't be had.
    """
    questions, nano = asked(), nano_mind()
    few = [question.take(np.linspace(0, question.num_rows - 1, rows).astype(np.int64)) for question in questions]
    language = language_minds(numerics)
    found: dict[str, Any] = {"scripted": pace(scripted(), questions, repeats), "nano": pace(nano, questions, repeats)}
    for name, mind in language.items():
        can = [q for q in few if q.phase in _answers(name)]
        found[name] = pace(mind, can, 1, beforehand=2)
    cores = cores or _cores()
    found["nano_on_all_cores"] = {**together(cores), "processes": cores}
    found["nano_over_untrained"] = found["nano"]["per_s"] / found["untrained"]["per_s"]
    best = max(found["nano"]["per_s"], found["nano_on_all_cores"]["per_s"])
    return {
        **found,
        "parameters": nano.describe()["parameters"][ROLE],
        "rows": {question.phase: question.num_rows for question in questions},
        "bars": {
            "nano_per_s": {"bar": BAR_PER_S, "found": best, "is_met": best >= BAR_PER_S},
            "nano_over_untrained": {
                "bar": BAR_RATIO,
                "found": found["nano_over_untrained"],
                "is_met": found["nano_over_untrained"] >= BAR_RATIO,
            },
        },
        "method": " ".join(str(__doc__).split()),
        **numerics_state(),
    }


def asked() -> list[Question]:
    """The largest question of each phase in the first weeks."""
    seen = testing.questions(SCENARIO, seeds=REPLICAS, steps=WEEKS)
    same = [[q for q in seen if (q.role, q.phase) == (ROLE, phase)] for phase in PHASES]
    return [max(questions, key=lambda question: question.num_rows) for questions in same]


def pace(mind: Mind, questions: Sequence[Question], repeats: int, beforehand: int = 64) -> dict[str, float]:
    """Decisions a second, of all questions and by phase: the best of some repeats.

    Args:
        beforehand: rows of each question that are asked before the clock runs.
    """
    for question in questions:
        mind.decide(question.take(np.arange(min(beforehand, question.num_rows))))
    seconds, cpu_s = dict.fromkeys(PHASES, np.inf), dict.fromkeys(PHASES, np.inf)
    for question in questions:
        for _ in range(repeats):
            start, cpu = perf_counter(), process_time()
            mind.decide(question)
            seconds[question.phase] = min(perf_counter() - start, seconds[question.phase])
            cpu_s[question.phase] = min(process_time() - cpu, cpu_s[question.phase])
    asked_of = {question.phase: question.num_rows for question in questions}
    total = sum(asked_of.values())
    return {
        "per_s": total / sum(seconds[phase] for phase in asked_of),
        "per_cpu_s": total / sum(cpu_s[phase] for phase in asked_of),
        **{f"{phase}_per_s": rows / seconds[phase] for phase, rows in asked_of.items()},
        "rows": float(total),
    }


def scripted() -> Experts:
    """The scripted mind of the role."""
    experts = simulate.side("manufacturing").experts
    return Experts("scripted", {f"{ROLE}.{phase}": experts[f"{ROLE}.{phase}"]["scripted"] for phase in PHASES})


def nano_mind() -> NanoMind:
    """The nano mind of the catalogue.

    Raises:
        CatalogError: there is none for the role and these phases.
    """
    card = catalog.card(ROLE)
    if GRADE not in card.weights or not set(PHASES) <= set(card.weights[GRADE].answers):
        raise CatalogError(
            f"{card.folder / 'card.yaml'}: weights: no {GRADE!r} that answers {' and '.join(PHASES)}; train one: "
            f"ecosim models distil {ROLE}/{GRADE}"
        )
    return NanoMind({ROLE: card.file(GRADE)}, GRADE)


def language_minds(numerics: Numerics) -> dict[str, Mind]:
    """`untrained`, and what the catalogue has trained for these phases, over one base; none remembers answers."""
    from ecosim.minds.recipe import Pool, Recipe
    from ecosim.models.load import load
    from ecosim.models.sources import BASE
    from ecosim.pool.memo import Memo

    card, recipes = catalog.card(ROLE), [Recipe(name="untrained", roles=(ROLE,), base=BASE, numerics=numerics)]
    for name, weights in card.weights.items():
        path, _ = card.file(name) if weights.adapter else (card.folder, None)
        if weights.model != catalog.NANO and path.is_dir() and set(weights.answers) & set(PHASES):
            made = replace(recipes[0], name=name, grade=name, base=weights.model, adapter=str(path))
            recipes.append(made)
    pool = Pool(dict(enumerate(recipes)), load)
    for mind in pool.minds.values():
        mind.engine.memo = Memo(0)  # type: ignore[attr-defined]  # a language mind has an engine
    return {mind.name: mind for mind in pool.minds.values()}


def together(processes: int) -> dict[str, float]:
    """Decisions a second of some processes at once, one thread each: of the wall, and of processor time of all."""
    start = time.time() + _START_S
    one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ecosim.bench.minds", str(start)]
    environment = {**os.environ, **one}
    people = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) for _ in range(processes)]
    told = [process.communicate()[0] for process in people]
    if any(process.returncode for process in people):
        raise CatalogError("bench minds: a process of its own failed; its message is above")
    rates = [tuple(map(float, line.split())) for line in told]
    return {"per_s": sum(wall for wall, _ in rates), "per_cpu_s_of_each": sum(cpu for _, cpu in rates) / processes}


def _answers(name: str) -> Sequence[str]:
    weights = catalog.card(ROLE).weights
    return weights[name].answers if name in weights else PHASES


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _answer_from(start: float) -> tuple[float, float]:
    """Answer over and over from a moment on: decisions a second of the stretch, and of its processor time."""
    questions, nano = asked(), nano_mind()
    pace(nano, questions, 1)
    time.sleep(max(0.0, start - time.time()))
    began, cpu, rows = perf_counter(), process_time(), 0
    while perf_counter() - began < _STRETCH_S:
        for question in questions:
            nano.decide(question)
            rows += question.num_rows
    return rows / (perf_counter() - began), rows / (process_time() - cpu)


if __name__ == "__main__":
    print(*_answer_from(float(sys.argv[1])))
