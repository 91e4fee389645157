"""Writers: an adapter for each niche that writes titles, fine-tuned on what simulated audiences chose.

1. The untrained model writes candidates for the recipe's topics (`ecosim.training.writing.candidates`).
2. An audience of each niche (`writing.audiences`) says what each is worth; the best are taken one by one, each
   paying for every pair of words that those before it have, so that a writer does not learn one phrase.
3. One LoRA a niche learns to write them where `ai_creator.publish` asks for a title, behind the card's own prompt.
4. Other audiences, who read with another encoder, judge them on topics that no writer has seen
   (`ecosim.training.writing.judging`).

What is found is what these audiences reward, no more: they were made up here, no person was asked.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from ecosim import catalog
from ecosim.catalog import Entry
from ecosim.errors import TrainingError
from ecosim.fields import Array
from ecosim.training.adapters.lora import Settings, fit
from ecosim.training.workbench import Workbench, no_room
from ecosim.training.writing.audiences import TRAITS, Audience, Likes, Reader, Tastes, audience, num_words, traits
from ecosim.training.writing.candidates import OPENINGS, PREFIX, Candidate, candidates, words_used
from ecosim.training.writing.judging import UNTRAINED, WRITER, Jury, Titles, judged, writer_of
from ecosim.training.writing.publishing import ROLE, Post, platforms, question

if TYPE_CHECKING:
    from ecosim.minds.language import ByColumn, LanguageMind
    from ecosim.pool.engine import Engine
    from ecosim.training.adapters.examples import Example

NICHE, GRADE = "niche_name", "writer"
"""The column of a question that says which writer writes."""
_TOPICS_AT_ONCE = 3  # whose candidates are written side by side
_WIDE = 8192  # padded tokens in a batch of candidates
_PLATFORM = 4  # topics a niche where titles are judged, as in the scenario creator_community
_LESSON = 2  # … and where they are learnt: shorter prompts, faster learning


class Spec(Entry):
    """A recipe of writers.

    Attributes:
        topics: by niche, what candidates are written about.
        held_out: by niche, topics that only judges see.
        likes: what the viewers of each niche like.
        tastes: how viewers' tastes are drawn.
        draws, temperature: of candidates, for each opening of each topic.
        per_topic: candidates chosen of each topic.
        repeat: what a pair of words costs, log-odds for each time that it was chosen before.
        viewers: of an audience.
        days, creators: for each held-out topic, how often titles are judged: on how many days, by how many creators.
        audiences: that judge.
        lora: how adapters are fitted.
    """

    method: Literal["writer"]
    topics: Annotated[dict[str, list[str]], Field(min_length=1)]
    held_out: dict[str, list[str]]
    likes: dict[str, Likes]
    tastes: Tastes = Tastes()
    draws: Annotated[int, Field(ge=1)] = 2
    temperature: Annotated[float, Field(gt=0)] = 0.7
    per_topic: Annotated[int, Field(ge=1)] = 10
    repeat: Annotated[float, Field(ge=0)] = 0.3
    viewers: Annotated[int, Field(ge=1)] = 200
    days: Annotated[int, Field(ge=1)] = 4
    creators: Annotated[int, Field(ge=1)] = 3
    audiences: Annotated[int, Field(ge=1)] = 5
    lora: Settings = Settings(rank=4, alpha=8.0, rate=1e-3, epochs=3.0, batch=16, check_every=10, patience=4)


# ---- what is learnt from ---------------------------------------------------------------------------------------------


def data(spec: Spec, bench: Workbench) -> None:
    """Candidates and those that audiences chose, a file a niche; candidates that are there are kept."""
    from ecosim.models.load import load
    from ecosim.pool.engine import Engine
    from ecosim.training.writing.readers import choosing

    _check(spec)
    language = load(spec.lora.base, "fast")
    engine = Engine(language)
    engine.token_budget = _WIDE
    reader = choosing(language, [topic for some in spec.topics.values() for topic in some])
    for i, (niche, topics) in enumerate(spec.topics.items()):
        written = [
            one for at in range(0, len(topics), _TOPICS_AT_ONCE) for one in _written(spec, bench, engine, niche, at)
        ]
        people = audience(spec.likes[niche], spec.tastes, spec.viewers, bench.seeds.world, i)
        kept = chosen(written, niche, people, reader, spec)
        if not kept:
            raise TrainingError(f"{niche}: none of {len(written)} candidates is a whole line; raise draws or topics")
        _save(bench.data / f"chosen-{niche}.json", kept)
        bench.say(f"{niche}: {len(kept)} of {len(written)} candidates chosen, such as {kept[0].title!r}")
        bench.tick(i + 1, len(spec.topics), niche)


def _written(spec: Spec, bench: Workbench, engine: Engine, niche: str, at: int) -> list[Candidate]:
    """Candidates for the next topics of a niche, from their file if it is there."""
    topics = spec.topics[niche][at : at + _TOPICS_AT_ONCE]
    asked = json.dumps([topics, spec.draws, spec.temperature, bench.seeds.mind, spec.lora.base, PREFIX, OPENINGS])
    path = bench.data / f"candidates-{niche}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}.json"
    if not path.is_file():
        found = candidates(engine, topics, draws=spec.draws, temperature=spec.temperature, seed=bench.seeds.mind)
        _save(path, found)
    return _read(path)


def chosen(written: Sequence[Candidate], niche: str, people: Audience, reader: Reader, spec: Spec) -> list[Candidate]:
    """The candidates that an audience would rather see, topic by topic in turn, so that none says what others said.

    Only lines that ended by themselves and are whole lines of known words are looked at.
    """
    titles = [one.title for one in written]
    seen_as = traits(titles, [one.topic for one in written], niche, range(len(titles)), reader)
    worth = people.worth(seen_as, num_words(titles)).mean(axis=1)
    is_sound = (seen_as[:, TRAITS.index("whole")] > 0) & (seen_as[:, TRAITS.index("known")] == 1.0)
    pools: dict[str, list[int]] = {}
    for i, one in enumerate(written):
        if one.is_ended and is_sound[i]:
            pools.setdefault(one.topic, []).append(i)
    seen: Counter[tuple[str, ...]] = Counter()
    kept: list[Candidate] = []
    for _ in range(spec.per_topic):
        for pool in pools.values():
            if pool:
                cost = [spec.repeat * sum(seen[run] for run in words_used(written[i].title)) for i in pool]
                best = pool.pop(int(np.argmax(worth[pool] - cost)))
                seen.update(words_used(written[best].title))
                kept.append(written[best])
    return kept


# ---- training --------------------------------------------------------------------------------------------------------


def train(spec: Spec, bench: Workbench, seed: int) -> None:
    """An adapter a niche, in PEFT's format, below the seed's folder; those that are there are kept."""
    from ecosim.minds.language import LanguageMind
    from ecosim.models.load import load
    from ecosim.pool.engine import Engine

    _check(spec)
    mind = LanguageMind(
        {ROLE: catalog.card(ROLE)}, Engine(load(spec.lora.base, "fast")), name="base", grade="untrained"
    )
    for i, niche in enumerate(spec.topics):
        folder = bench.seed_folder(seed) / niche
        if (folder / "adapter_model.safetensors").is_file():
            continue
        lessons = _lessons(mind, spec, niche, _read(bench.data / f"chosen-{niche}.json"), bench.seeds.mind)
        fitted = fit(
            lessons,
            spec.lora,
            folder,
            seed=seed,
            checkpoint=bench.checkpoint(seed, key=niche, name=f"checkpoint-{niche}"),
            say=bench.say,
            note=lambda step, niche=niche, **seen: bench.loss(
                seed, step, **{f"{niche}_{name}": value for name, value in seen.items()}
            ),
        )
        bench.checkpoint(seed, key=niche, name=f"checkpoint-{niche}").clear()
        bench.say(f"{niche}: {fitted.num_steps} steps, {fitted.samples_per_s:.1f} samples/s, {fitted.sha256[:12]}")
        bench.tick(i + 1, len(spec.topics), niche)
    bench.finish_curve(seed)


def _lessons(mind: LanguageMind, spec: Spec, niche: str, kept: Sequence[Candidate], seed: int) -> list[Example]:
    """The chosen titles where the card asks for them: each on a platform that has its topic."""
    from ecosim.training.adapters.examples import examples

    found: list[Example] = []
    by_topic: dict[str, list[str]] = {}
    for one in kept:
        by_topic.setdefault(one.topic, []).append(one.title)
    for turn in range(spec.per_topic):
        for day, platform in enumerate(platforms(spec.topics, _LESSON, seed + turn)):
            about = [topic for topic in dict.fromkeys(platform[niche]) if by_topic.get(topic)]
            posts = [Post(niche, topic, 1 + turn * 100 + day, i) for i, topic in enumerate(about)]
            if posts:
                asked = question(platform, posts, seed)
                titles = {"title": np.array([by_topic[topic].pop() for topic in about], object)}
                found += examples(mind, asked, {**_taken(asked), **titles}, fields=["title"])
    return found


def _taken(asked: Any) -> dict[str, Array]:
    """The one answer that is left of each settled field."""
    return {spec.name: spec.allowed.argmax(axis=1) for spec in asked.fields[:2]}


# ---- judging ---------------------------------------------------------------------------------------------------------


def evaluate(spec: Spec, bench: Workbench) -> dict[str, float]:
    """Writers against the untrained model on held-out topics, and against each other; see `judged`.

    Titles are written once and kept in `titles.json`, with their posts, beside the adapters.
    """
    seed = bench.seeds.train[0]
    path = bench.seed_folder(seed) / "titles.json"
    if not path.is_file():
        _save_titles(path, _write_all(spec, bench, seed))
    told = json.loads(path.read_text(encoding="utf-8"))
    titles = Titles([Post(**post) for post in told["posts"]], told["by"])
    from ecosim.training.writing.readers import judging

    jury = Jury(
        likes=spec.likes,
        tastes=spec.tastes,
        viewers=spec.viewers,
        audiences=spec.audiences,
        seed=bench.seeds.world + 1,
        reader=judging(),
    )
    return judged(titles, jury)


def _write_all(spec: Spec, bench: Workbench, seed: int) -> Titles:
    """The untrained model, each niche's own writer, and every writer in every niche, about the same posts."""
    from ecosim.minds.language import ByColumn, LanguageMind
    from ecosim.models import adapter
    from ecosim.models.load import load
    from ecosim.pool.engine import Engine

    engine = Engine(load(spec.lora.base, "fast"))
    niches = list(spec.topics)
    for niche in niches:
        engine.add_adapter(niche, adapter.read(bench.seed_folder(seed) / niche))
    engine.token_budget = _WIDE
    by: dict[str, ByColumn | None] = {UNTRAINED: None, WRITER: ByColumn(NICHE, {niche: niche for niche in niches})}
    by |= {writer_of(niche): ByColumn(NICHE, dict.fromkeys(niches, niche)) for niche in niches}
    plain = catalog.card(ROLE)
    asking = plain.asking(GRADE)
    minds = {
        name: LanguageMind({ROLE: plain if which is None else asking}, engine, name=name, grade=GRADE, adapters=which)
        for name, which in by.items()
    }
    posts: list[Post] = []
    found: dict[str, list[str]] = {name: [] for name in minds}
    for number, platform in enumerate(platforms(spec.held_out, _PLATFORM, bench.seeds.world)):
        for day in range(spec.days):
            about = [(niche, topic) for niche in niches for topic in platform[niche] for _ in range(spec.creators)]
            today = [Post(*both, day=1 + number * spec.days + day, creator=k) for k, both in enumerate(about)]
            asked = question(platform, today, bench.seeds.mind)
            posts += today
            for name, mind in minds.items():
                own = asked[NICHE] == name.removeprefix(writer_of(""))  # what its writer has written already
                titles = np.array(found[WRITER][-len(today) :] if own.any() else [""] * len(today), object)
                titles[~own] = mind.decide(asked.take(~own)).answers["title"]
                found[name] += titles.tolist()
            bench.say(f"platform {number + 1}, day {day + 1}: {len(posts)} posts, each with {len(minds)} titles")
    return Titles(posts, found)


# ---- files -----------------------------------------------------------------------------------------------------------


def _check(spec: Spec) -> None:
    """Refuse a recipe whose niches don't agree, or that trains on what it judges by.

    Raises:
        TrainingError: one line.
    """
    for name, given in (("held_out", spec.held_out), ("likes", spec.likes)):
        if set(given) != set(spec.topics):
            raise TrainingError(f"{name}: niches are {', '.join(given)}; topics have {', '.join(spec.topics)}")
    both = {t for some in spec.topics.values() for t in some} & {t for some in spec.held_out.values() for t in some}
    if both:
        raise TrainingError(f"held_out: {min(both)!r} is among the topics that are learnt from; take it out of one")


def _save(path: Path, some: Sequence[Candidate]) -> None:
    with no_room(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(one) for one in some], indent=0), encoding="utf-8")


def _read(path: Path) -> list[Candidate]:
    if not path.is_file():
        raise TrainingError(f"{path}: not there; make the data first: ecosim models data {ROLE}/writer")
    return [Candidate(**one) for one in json.loads(path.read_text(encoding="utf-8"))]


def _save_titles(path: Path, titles: Titles) -> None:
    with no_room(path):
        told = {"posts": [asdict(post) for post in titles.posts], "by": titles.by}
        path.write_text(json.dumps(told, indent=0), encoding="utf-8")
