"""Decisions by letters: an adapter of a language model that answers a question as a scripted teacher does.

```yaml
specialist:                       # the product is the grade, and its cards say how it is asked (`weights.<grade>.asks`)
  method: labels
  roles: [supplier, manufacturer, distributor]
  teachers: {negotiate: boulware}             # by phase: the scripted mind that is copied
  scenes: [{scenario: smart_manufacturing, seeds: 8}]
  held: [{scenario: supplier_outage, seeds: 2}]       # scenarios that are never learnt from
  adapter: {rank: 8, rate: 1e-3}
```

What is asked comes from worlds that are really played; who sits where is each scene's to say. Held out are other seeds
of the same scenarios, and other scenarios; it is stopped by seeds of neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecosim import catalog
from ecosim.catalog import Entry
from ecosim.errors import TrainingError
from ecosim.manufacturing.side import ALL as MANUFACTURING
from ecosim.minds.language import LanguageMind
from ecosim.minds.scripted import Experts
from ecosim.models import adapter
from ecosim.models.load import load
from ecosim.pool.engine import Engine
from ecosim.training.adapters import lora
from ecosim.training.adapters.examples import Example, examples, read, write
from ecosim.training.adapters.learner import Learner, chunks
from ecosim.training.imitation.collect import ByMind, Lesson, Scene, play
from ecosim.training.workbench import Workbench

HEADLINES = (
    "seeds_agreement", "scenarios_agreement", "seeds_prompt_alone_agreement", "seeds_majority_agreement",
    "scenarios_majority_agreement",
)  # fmt: skip
"""Figures that the card shows."""
_OTHER_SEEDS = 10_000
"""Held-out worlds have seeds so much higher than those that are learnt from."""


class Spec(Entry):
    """A recipe of this method.

    Attributes:
        roles: who is asked.
        teachers: the scripted mind that is copied, by phase.
        scenes: what is played to learn from.
        held: what is played to be measured on, beside other seeds of `scenes`.
        keep: share of the rows that are kept, by phase.
        limit: most examples to learn from; a share of each scene and role.
        num_held: most examples of each held-out part.
        adapter: how it is fitted.
    """

    method: Literal["labels"] = "labels"
    roles: Annotated[list[str], Field(min_length=1)]
    teachers: Annotated[dict[str, str], Field(min_length=1)]
    scenes: Annotated[list[Scene], Field(min_length=1)]
    held: list[Scene] = Field(default_factory=list)
    limit: Annotated[int, Field(ge=2)] = 6000
    num_held: Annotated[int, Field(ge=1)] = 400
    adapter: lora.Settings = Field(default_factory=lora.Settings)


def data(spec: Spec, bench: Workbench) -> None:
    """What is learnt from (`train`), stopped by (`stop`), and held out: other seeds (`seeds`) and scenarios.

    Raises:
        CatalogError: a role has no card for a phase, or no weights of this product's name.
        TrainingError: nobody is asked in these scenes.
    """
    mind = reader(spec, bench.product)
    stop, others = (_later(spec.scenes, turn) for turn in (1, 2))
    parts = {"train": (spec.scenes, spec.limit), "stop": (stop, spec.num_held), "seeds": (others, spec.num_held)}
    if spec.held:
        parts["scenarios"] = (spec.held, spec.num_held)
    for name, (scenes, limit) in parts.items():
        found = [lessons for lessons in played(spec, scenes) if lessons]
        chosen = _shared(found, limit, len(name))
        kept = [example for lesson in chosen for example in examples(mind, lesson.question, lesson.answers)]
        if not kept:
            raise TrainingError(
                f"{bench.role}/{bench.product}: {name}: nobody is asked {', '.join(spec.teachers)} there"
            )
        num_rows = sum(lesson.question.num_rows for lessons in found for lesson in lessons)
        bench.say(f"{name}: {len(kept):,} of {num_rows:,} rows")
        write(bench.data / f"{name}.jsonl", kept)


def train(spec: Spec, bench: Workbench, seed: int) -> None:
    """Fit the adapter, stopping by the worlds of other seeds."""
    learnt, held = read(bench.data / "train.jsonl"), read(bench.data / "stop.jsonl")
    content = (bench.data / "train.jsonl").read_bytes()
    key = hashlib.sha256(spec.model_dump_json().encode() + content).hexdigest()
    kept = bench.checkpoint(seed, key)
    done = lora.fit(
        learnt,
        spec.adapter,
        bench.adapter(seed),
        seed=seed,
        held=held,
        checkpoint=kept,
        say=bench.say,
        note=partial(bench.loss, seed),
    )
    kept.clear()
    bench.say(
        f"{done.num_examples:,} examples in {done.num_steps:,} steps, {done.samples_per_s:.1f} a second; held out: "
        f"loss {done.held.loss:.4f}, agreement {done.held.agreement['']:.3f}; sha256 {done.sha256}"
    )


def evaluate(spec: Spec, bench: Workbench) -> dict[str, float]:
    """Loss (nats a field) and agreement with the teacher on what is held out: trained, by prompt alone, by majority.

    Of all training seeds, `_sd` is the standard deviation over them.
    """
    seeds = [seed for seed in bench.seeds.train if bench.adapter(seed).is_dir()]
    parts = {name: read(path) for name in ("seeds", "scenarios") if (path := bench.data / f"{name}.jsonl").is_file()}
    figures: dict[str, float] = {}
    for name, part in parts.items():
        figures |= _measure(Learner(load(spec.adapter.base, "fast")), part, f"{name}_prompt_alone")
        figures[f"{name}_majority_agreement"] = majority(read(bench.data / "train.jsonl"), part)
        several = [_measure(trained(spec, bench, seed), part, name) for seed in seeds]
        for key in several[0]:
            values = [found[key] for found in several]
            figures[key] = float(np.mean(values))
            if len(values) > 1:
                figures[f"{key}_sd"] = float(np.std(values, ddof=1))
    return figures


# ---- parts ----------------------------------------------------------------------------------------------------------


def reader(spec: Spec, grade: str) -> LanguageMind:
    """A language mind that is asked as weights of a grade are, without any: it spells, and is not run."""
    cards = {role: catalog.card(role).asking(grade) for role in spec.roles}
    return LanguageMind(cards, Engine(load(spec.adapter.base, "fast")), name=grade, grade=grade)


def played(spec: Spec, scenes: Sequence[Scene]) -> Iterator[list[Lesson]]:
    """What each role was asked in each scene, with the teacher's answers."""
    for scene in scenes:
        for role in spec.roles:
            asked = {p: t for p, t in spec.teachers.items() if t in MANUFACTURING.experts.get(f"{role}.{p}", {})}
            teachers = {p: ByMind(_expert(name, f"{role}.{p}")) for p, name in asked.items()}
            notes = play(scene, role, teachers)
            yield [lesson for lessons in notes.values() for lesson in lessons]


def trained(spec: Spec, bench: Workbench, seed: int) -> Learner:
    """The base with the adapter of a training seed on it, as it is shipped."""
    from peft import PeftModel

    language = load(spec.adapter.base, "fast")
    folder = bench.adapter(seed)
    adapter.fit(adapter.read(folder), language.model)
    with lora.hushed():
        return Learner(language, PeftModel.from_pretrained(language.model, folder))


def majority(learnt: Sequence[Example], part: Sequence[Example]) -> float:
    """Agreement of always giving each field the letter that the teacher gave most often."""
    counts: dict[str, dict[int, int]] = {}
    for letter, name in _letters(learnt):
        by_letter = counts.setdefault(name, {})
        by_letter[letter] = by_letter.get(letter, 0) + 1
    best = {name: max(by_letter, key=lambda k: by_letter[k]) for name, by_letter in counts.items()}
    return float(np.mean([best.get(name) == letter for letter, name in _letters(part)]))


def _measure(learner: Learner, part: Sequence[Example], name: str) -> dict[str, float]:
    seen = learner.figures(chunks(part))
    fields = {f"{name}_agreement_{f}" if f else f"{name}_agreement": a for f, a in seen.agreement.items()}
    return {f"{name}_loss": seen.loss, **fields}


def _letters(part: Sequence[Example]) -> Iterator[tuple[int, str]]:
    """Which letter is the teacher's likeliest, and the field, of each target."""
    for example in part:
        for target in example.targets:
            yield int(np.argmax(target.chances)), target.field


def _expert(name: str, question: str) -> Experts:
    return Experts(name, {question: MANUFACTURING.experts[question][name]})


def _later(scenes: Sequence[Scene], turn: int) -> list[Scene]:
    """The same scenarios in other worlds."""
    return [scene.model_copy(update={"world_seed": scene.world_seed + turn * _OTHER_SEEDS}) for scene in scenes]


def _shared(found: Sequence[Sequence[Lesson]], limit: int, seed: int) -> list[Lesson]:
    """At most `limit` rows, from each scene and role as many as there are or its share, drawn at random."""
    draw = np.random.default_rng(seed)
    kept: list[Lesson] = []
    for k, lessons in enumerate(sorted(found, key=_num_rows)):
        share = min(_num_rows(lessons), limit // (len(found) - k))
        limit -= share
        wanted = np.sort(draw.permutation(_num_rows(lessons))[:share])
        start = 0
        for lesson in lessons:
            end = start + lesson.question.num_rows
            mine = wanted[(wanted >= start) & (wanted < end)] - start
            if len(mine):
                kept.append(lesson.take(mine))
            start = end
    return kept


def _num_rows(lessons: Sequence[Lesson]) -> int:
    return sum(lesson.question.num_rows for lesson in lessons)
