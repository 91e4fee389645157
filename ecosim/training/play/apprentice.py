"""A nano network that learns to negotiate from a player, in talks of its own.

In the first round the player holds the talks; in later ones the network does, and the player says what it would have
done there (DAgger). Half of the talks have the network buy. What a row teaches are the chances that the player gives to
acts, and the price that it would offer. States that no talk came to are shown as well: who looks for a weakness finds
them.

Source: Ross, Gordon, Bagnell (2011), A reduction of imitation learning and structured prediction to no-regret online
learning.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ecosim.manufacturing.openings import CENT
from ecosim.minds.nano import NanoMind
from ecosim.models.nano import files
from ecosim.models.nano.net import Net
from ecosim.models.nano.spec import NanoSpec
from ecosim.training.imitation.collect import Examples, Lesson, examples, together
from ecosim.training.imitation.pupil import State as Pupil
from ecosim.training.imitation.pupil import begin, learn
from ecosim.training.play.bargaining import BUYER, PHASE, SELLER, SIDES, Talks, deal, play, seated
from ecosim.training.play.opponents import TRAINING
from ecosim.training.play.played import Played
from ecosim.training.play.player import Player
from ecosim.training.workbench import Checkpoint, State, silent
from ecosim.words import Answers, Question

if TYPE_CHECKING:
    from ecosim.training.play.method import Apprenticeship

Note = Callable[[int, int, float, float], None]


def apprentice(
    spec: Apprenticeship, player: Player, role: str, seed: int, path: Path, keep: Checkpoint, note: Note = silent
) -> None:
    """Teach a network and write it; goes on from the round and step that a checkpoint tells of.

    Args:
        note: told round, step, and the loss on the lessons and on what was kept back.
    """
    torch.set_num_threads(1)
    net, found = spec.net(role), keep.load()
    lessons: list[Examples] = []
    learner: Net | None = None
    for turn in range(spec.rounds):
        lessons.append(_lessons(net, player, learner, spec, seed * 100 + 10 * turn))
        begun = None if found is None else int(found.notes["turn"])
        if found is not None and begun is not None and turn < begun:
            learner = _before(net, found, turn)
            continue
        last = turn + 1 == spec.rounds
        steps = spec.schooling.steps if last else max(spec.schooling.steps // 3, 1)
        schooling = spec.schooling.model_copy(update={"steps": steps})
        state = begin(Net(net, seed), schooling)
        if found is not None and begun == turn:
            state.go_on({n: t for n, t in found.tensors.items() if not n.startswith(_BEFORE)}, found.notes)
        keeper = _Keeper(keep, turn, learner, note)
        learn(state, {PHASE: together(lessons)}, {PHASE: 1.0}, schooling, seed, keeper.look)
        learner = state.net
    assert learner is not None
    files.save(learner, path)
    keep.clear()


_BEFORE = "before/"
"""Where a checkpoint keeps the network of the round before, which held the talks of this one."""


class _Keeper:
    """Keeps the state of a round at every look."""

    def __init__(self, keep: Checkpoint, turn: int, before: Net | None, note: Note) -> None:
        self.keep, self.turn, self.note = keep, turn, note
        self.before = {} if before is None else {f"{_BEFORE}{n}": t for n, t in before.state_dict().items()}

    def look(self, state: Pupil, trained: float, kept: float) -> None:
        """As `pupil.learn` calls it."""
        self.note(self.turn, state.step, trained, kept)
        self.keep.save(state.step, {**state.tensors(), **self.before}, {**state.notes(), "turn": self.turn})


def _before(spec: NanoSpec, found: State, turn: int) -> Net | None:
    """The network that came out of an earlier round; only that of the last one is needed."""
    if turn + 1 != found.notes["turn"]:
        return None
    net = Net(spec)
    net.load_state_dict({n.removeprefix(_BEFORE): t for n, t in found.tensors.items() if n.startswith(_BEFORE)})
    return net.eval()


def _lessons(net: NanoSpec, player: Player, learner: Net | None, spec: Apprenticeship, seed: int) -> Examples:
    """What a round of talks teaches."""
    teacher, noted = Played(player), list[Lesson]()
    mind = None if learner is None else NanoMind.of({net.role: learner}, "apprentice")

    def watched(question: Question) -> Answers:
        noted.append(teacher.teach(question))
        right = noted[-1].answers
        return right if mind is None else mind.decide(question).answers

    for i, family in enumerate(TRAINING.families):
        facts = deal(family, spec.talks, seed + i)
        mine, others = seated(watched, spec.talks), (TRAINING.experts, TRAINING.assigned(facts["talk"], seed + i))
        for side in SIDES:
            buyers, sellers = (mine, others) if side == BUYER else (others, mine)
            play(Talks(facts, family.discount, role=net.role), buyers, sellers)
    noted += _anywhere(teacher, net.role, spec.states, seed)
    return together([examples(net, lesson) for lesson in noted])


def _anywhere(teacher: Played, role: str, num_states: int, seed: int) -> list[Lesson]:
    """What the player would do in states drawn evenly: rounds, and offers from the lowest to the highest legal one."""
    family, draw = TRAINING.families[0], np.random.Generator(np.random.PCG64(seed))
    moves = range(2 * (family.rounds[1] + 1))
    found = []
    for move in moves:
        facts = deal(family, num_states // len(moves), seed + 1000 + move)
        talks = Talks(facts, family.discount, role=role)
        round_, side = move // 2 + 1, SIDES[move % 2]
        talks.move, talks.open = move, np.flatnonzero(facts[f"{side}_rounds"] >= round_ - 1)
        ends = {BUYER: (facts["floor"], facts["buyer_limit"]), SELLER: (facts["seller_limit"], facts["ceiling"])}
        for one in SIDES:
            low, high = ends[one]
            has_offered = move > 1 or (move == 1 and one == BUYER)
            at = low + (draw.random(len(low)) * (high - low)).astype(np.int64)
            talks.price[one] = at // CENT * CENT if has_offered else talks.price[one]
        if len(talks.open):
            found.append(teacher.teach(talks.question()))
    return found
