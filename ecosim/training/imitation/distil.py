"""Method `distil`: one network for the questions of a role, taught by whoever answers them well already.

Worlds are played with the teachers in the role's seats; a first pupil learns from that, and then acts for a share of
the rows while its teachers go on saying what they would have done (DAgger), round by round. What all rounds gave is the
lesson of every network that is trained: the seeds of `train` differ in first weights and order of rows.

Rows of held-out seeds (the same scenarios, later worlds) and of held-out families (other scenarios) are never taught:
`evaluate` measures agreement on both, question by question.

Sources: Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network; Ross, Gordon, Bagnell (2011), as in
`collect`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, cast

import numpy as np
from pydantic import Field, model_validator

from ecosim.catalog import Entry
from ecosim.errors import CatalogError, TrainingError
from ecosim.fields import Array
from ecosim.minds.nano import NanoMind
from ecosim.minds.scripted import Experts
from ecosim.models.nano.spec import NanoSpec
from ecosim.reading import SIDES, side
from ecosim.training.imitation import lessons as files
from ecosim.training.imitation.collect import ByMind, Examples, Lesson, Scene, Teacher, examples, play, together
from ecosim.training.layouts import layout
from ecosim.training.schooling import Schooling
from ecosim.training.workbench import Say, Workbench

if TYPE_CHECKING:
    from ecosim.models.nano.net import Net
    from ecosim.training.imitation.pupil import State

TEACHERS: dict[str, str] = {
    "search": "ecosim.training.foresight.search",
    "play": "ecosim.training.play.played",
    "chances": "ecosim.training.imitation.chances",
}
"""Teachers that are more than a scripted mind: the module whose `teacher(role, phase)` gives one."""

MOST_ROWS = 1_000_000

TAUGHT = "taught.safetensors"
"""The file of the lessons, below `data/`."""


class Taught(Entry):
    """A question that is taught.

    Attributes:
        layout: how networks read it, in `agents/layouts/`; of the phase's name by default.
        teacher: a scripted mind of the question, or one of `TEACHERS`.
        weight: how often its rows are taught, relative to others.
        rows: at most so many are kept of each round.
    """

    layout: str = ""
    teacher: str = "scripted"
    weight: Annotated[float, Field(gt=0)] = 1.0
    rows: Annotated[int, Field(ge=10, le=MOST_ROWS)] = 20_000


class Spec(Entry):
    """A recipe of method `distil`.

    Attributes:
        hidden, layers, heads, head_hidden: the network's size.
        questions: what it learns to answer, by phase.
        train: worlds that are played for lessons.
        held_out: worlds of other scenarios, to test on.
        held_out_seeds: how far the world seeds of the first test are from those of `train`.
        beta: for each round, the chance that a row is acted by the teacher; the first round is all the teacher's.
        first: how the pupils of the rounds are taught, who act in the next.
        schooling: how the networks are taught.
    """

    method: Literal["distil"]
    hidden: int = 64
    layers: int = 2
    heads: int = 4
    head_hidden: int = 64
    questions: Annotated[dict[str, Taught], Field(min_length=1)]
    train: Annotated[list[Scene], Field(min_length=1)]
    held_out: list[Scene] = Field(default_factory=list)
    held_out_seeds: Annotated[int, Field(ge=1)] = 1000
    beta: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = Field(default=[1.0, 0.3])
    first: Schooling = Schooling(steps=1000)
    schooling: Schooling = Schooling()

    @model_validator(mode="after")
    def _what_is_held_out_is_not_taught(self) -> Spec:
        taught = {scene.scenario for scene in self.train}
        both = [scene.scenario for scene in self.held_out if scene.scenario in taught]
        if both:
            raise ValueError(f"held_out: {both[0]!r} is taught as well; leave it out of one")
        most = max(scene.worlds.stop for scene in self.train) - min(scene.world_seed for scene in self.train)
        if most > self.held_out_seeds:
            raise ValueError(f"held_out_seeds: {self.held_out_seeds} is within the {most} worlds that are taught")
        return self

    def net(self, role: str) -> NanoSpec:
        """What the networks of a role read and answer."""
        questions = {phase: layout(taught.layout or phase) for phase, taught in self.questions.items()}
        size = {"hidden": self.hidden, "layers": self.layers, "heads": self.heads, "head_hidden": self.head_hidden}
        return NanoSpec(role=role, questions=questions, **size)

    def tests(self) -> dict[str, list[Scene]]:
        """Worlds of held-out seeds, and of held-out families."""
        later = [
            s.model_copy(update={"world_seed": s.world_seed + self.held_out_seeds, "seeds": 1}) for s in self.train
        ]
        return {"seeds": later, "families": self.held_out}


def data(spec: Spec, bench: Workbench) -> None:
    """Play all worlds: what is taught, and the two tests."""
    net, teachers = spec.net(bench.role), _teachers(spec, bench.role)
    told = {"recipe": spec.model_dump(mode="json"), "seeds": bench.seeds.model_dump(mode="json")}
    lessons = rounds(spec, bench.role, bench.say)
    files.save(bench.data / TAUGHT, net, lessons, told)
    for name, scenes in spec.tests().items():
        found = gather(net, teachers, scenes, _most(spec))
        bench.say(f"{bench.role}: test on held-out {name}, {_counted(found)}")
        files.save(bench.data / f"{name}.safetensors", net, found, told)


def train(spec: Spec, bench: Workbench, seed: int) -> None:
    """A network of a seed, from its first step or from the last checkpoint.

    Raises:
        TrainingError: the loss is no finite number, or the lessons are another role's.
    """
    school(spec.net(bench.role), weights(spec), spec.schooling, spec.model_dump_json(), bench, seed)


def school(
    net: NanoSpec, weights: Mapping[str, float], schooling: Schooling, recipe: str, bench: Workbench, seed: int
) -> None:
    """Teach a network the lessons of a bench, from its first step or from the last checkpoint, and write it.

    Args:
        weights: how often the rows of each phase are taught, relative to others.
        recipe: all that the training depends on beside network, lessons and seed; a checkpoint of another is refused.

    Raises:
        TrainingError: as `train`.
    """
    from ecosim.models.nano.files import save
    from ecosim.models.nano.net import Net
    from ecosim.training.imitation.pupil import begin, learn

    lessons, _ = files.load(bench.data / TAUGHT, net)
    state = begin(Net(net, seed), schooling)
    kept = bench.checkpoint(seed, key=f"{files.spec_hash(net)} {recipe} {seed}")
    if (before := kept.load()) is not None:
        state.go_on(before.tensors, before.notes)

    def look(now: State, trained: float, held: float) -> None:
        bench.loss(seed, now.step, trained=trained, kept_back=held)
        kept.save(now.step, now.tensors(), now.notes())
        bench.tick(now.step, schooling.steps, f"{bench.role}, seed {seed}")

    learn(state, lessons, weights, schooling, seed, look)
    sha = save(state.net, bench.network(seed))
    bench.say(f"{bench.role}, seed {seed}: {state.net.num_parameters:,} parameters, SHA-256 {sha}")
    kept.clear()


def evaluate(spec: Spec, bench: Workbench) -> dict[str, float]:
    """Agreement with the teachers on both tests, field by field, means over the seeds that were trained.

    Raises:
        TrainingError: none was trained.
    """
    from ecosim.models.nano.files import load
    from ecosim.training.imitation.marks import marks

    net = spec.net(bench.role)
    nets = [load(path) for seed in bench.seeds.train if (path := bench.network(seed)).is_file()]
    if not nets:
        raise TrainingError(f"{bench.folder}: nothing is trained; run `ecosim models train {bench.role}`")
    figures: dict[str, list[float]] = {"parameters": [float(nets[0].num_parameters)]}
    for name in spec.tests():
        found, _ = files.load(bench.data / f"{name}.safetensors", net)
        for trained in nets:
            for phase, one in found.items():
                for what, mark in marks(trained, phase, one).items():
                    figures.setdefault(f"{name}.{phase}.{what}", []).append(mark)
    return {name: float(np.mean(values)) for name, values in figures.items()}


def teacher_of(name: str, role: str, phase: str) -> Teacher:
    """Who is called so for a question.

    Raises:
        CatalogError: nobody is.
    """
    question = f"{role}.{phase}"
    if name in TEACHERS:
        return cast(Teacher, importlib.import_module(TEACHERS[name]).teacher(role, phase))
    experts = next((known[question] for known in (side(world).experts for world in SIDES) if question in known), {})
    if name not in experts:
        raise CatalogError(f"{question}: no teacher {name!r}; known: {', '.join([*experts, *TEACHERS])}")
    return ByMind(Experts(name, {question: experts[name]}))


def gather(
    spec: NanoSpec,
    teachers: Mapping[str, Teacher],
    scenes: Sequence[Scene],
    most: Mapping[str, int],
    *,
    learner: NanoMind | None = None,
    beta: float = 1.0,
    turn: int = 0,
) -> dict[str, Examples]:
    """What some worlds teach, by phase; at most so many rows of each phase, shares of all scenes alike."""
    notes: dict[str, list[Lesson]] = {phase: [] for phase in teachers}
    for scene in scenes:
        found = play(scene, spec.role, teachers, learner=learner, beta=beta, turn=turn)
        for phase, lessons in found.items():
            notes[phase] += lessons
    return {phase: _thinned(spec, lessons, most[phase], turn) for phase, lessons in notes.items() if lessons}


def rounds(spec: Spec, role: str, say: Say) -> dict[str, Examples]:
    """The lessons of all rounds, by phase."""
    net = spec.net(role)
    teachers, most = _teachers(spec, role), _most(spec)
    learner, lessons = None, None
    for turn, beta in enumerate(spec.beta):
        fresh = gather(net, teachers, spec.train, most, learner=learner, beta=beta, turn=turn)
        lessons = fresh if lessons is None else _more(lessons, fresh)
        say(f"{role}: round {turn + 1} of {len(spec.beta)}, " + _counted(lessons))
        if turn + 1 < len(spec.beta):
            learner = NanoMind.of({role: taught(spec, role, lessons, spec.first, turn)}, "pupil")
    assert lessons is not None
    return lessons


def taught(spec: Spec, role: str, lessons: Mapping[str, Examples], schooling: Schooling, seed: int) -> Net:
    """A network of a seed after its lessons."""
    from ecosim.models.nano.net import Net
    from ecosim.training.imitation.pupil import begin, learn

    state = begin(Net(spec.net(role), seed), schooling)
    learn(state, lessons, weights(spec), schooling, seed)
    return state.net


def weights(spec: Spec) -> dict[str, float]:
    """How often the rows of each phase are taught."""
    return {phase: one.weight for phase, one in spec.questions.items()}


def _teachers(spec: Spec, role: str) -> dict[str, Teacher]:
    return {phase: teacher_of(one.teacher, role, phase) for phase, one in spec.questions.items()}


def _most(spec: Spec) -> dict[str, int]:
    return {phase: one.rows for phase, one in spec.questions.items()}


def _thinned(spec: NanoSpec, lessons: Sequence[Lesson], most: int, turn: int) -> Examples:
    """At most so many rows, by a draw."""
    found = together([examples(spec, lesson) for lesson in lessons])
    if found.num_rows <= most:
        return found
    rows: Array = np.random.Generator(np.random.Philox(key=[turn, most])).permutation(found.num_rows)[:most]
    return found.take(np.sort(rows))


def _more(lessons: Mapping[str, Examples], fresh: Mapping[str, Examples]) -> dict[str, Examples]:
    names = dict.fromkeys([*lessons, *fresh])
    return {n: together([part[n] for part in (lessons, fresh) if n in part]) for n in names}


def _counted(lessons: Mapping[str, Examples]) -> str:
    return ", ".join(f"{phase} {found.num_rows:,}" for phase, found in lessons.items()) + " rows"
