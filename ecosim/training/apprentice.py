"""A nano network that learns to negotiate from a player, in talks of its own.

In the first round the player holds the talks; in later ones the network does, and the player says what it would have
done there (DAgger). Half of the talks have the network buy. What a row teaches are the chances that the player gives to
acts, and the price that it would offer.

Source: Ross, Gordon, Bagnell (2011), A reduction of imitation learning and structured prediction to no-regret online
learning.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ecosim.minds.nano import NanoMind
from ecosim.models.nano import files
from ecosim.models.nano.net import Net
from ecosim.models.nano.spec import NanoSpec
from ecosim.training import player as players
from ecosim.training.bargaining import BUYER, PHASE, SIDES, Talks, deal, play, seated
from ecosim.training.collect import Examples, Lesson, examples, together
from ecosim.training.opponents import TRAINING
from ecosim.training.player import Player
from ecosim.training.pupil import begin, learn
from ecosim.words import Answers, Question

if TYPE_CHECKING:
    from ecosim.training.play import Apprenticeship


def apprentice(spec: Apprenticeship, player: Player, role: str, seed: int, path: Path) -> None:
    """Teach a network and write it."""
    torch.set_num_threads(1)
    net, lessons, learner = spec.net(role), [], None
    for turn in range(spec.rounds):
        lessons.append(_lessons(net, player, learner, spec.talks, seed * 100 + 10 * turn))
        last = turn + 1 == spec.rounds
        steps = spec.schooling.steps if last else max(spec.schooling.steps // 3, 1)
        schooling = spec.schooling.model_copy(update={"steps": steps})
        state = begin(Net(net, seed), schooling)
        learn(state, {PHASE: together(lessons)}, {PHASE: 1.0}, schooling, seed)
        learner = NanoMind.of({role: state.net}, "apprentice")
        if last:
            files.save(state.net, path)


def _lessons(net: NanoSpec, player: Player, learner: NanoMind | None, num_talks: int, seed: int) -> Examples:
    """What a round of talks teaches."""
    noted: list[Lesson] = []

    def watched(question: Question) -> Answers:
        chances, place = players.weighed(player, question)
        right = players.decided(question, chances.argmax(axis=1), place)
        acts = np.broadcast_to(np.arange(chances.shape[1]), chances.shape)
        noted.append(Lesson(question=question, answers=right, soft={"act": (acts, chances)}))
        return right if learner is None else learner.decide(question).answers

    for i, family in enumerate(TRAINING.families):
        facts = deal(family, num_talks, seed + i)
        mine, others = seated(watched, num_talks), (TRAINING.experts, TRAINING.assigned(facts["talk"], seed + i))
        for side in SIDES:
            buyers, sellers = (mine, others) if side == BUYER else (others, mine)
            play(Talks(facts, family.discount, role=net.role), buyers, sellers)
    return together([examples(net, lesson) for lesson in noted])
