"""A nano network is taught to negotiate by a player, and a player teaches the networks of all roles."""

import numpy as np
import pytest

from ecosim.errors import CatalogError
from ecosim.manufacturing.hearing import COUNTER
from ecosim.minds.nano import NanoMind
from ecosim.training.imitation.pupil import LOOK_EVERY
from ecosim.training.play.bargaining import Family, Talks, deal
from ecosim.training.play.method import Apprenticeship
from ecosim.training.play.played import Played, teacher
from ecosim.training.play.player import Player
from ecosim.training.schooling import Schooling
from ecosim.training.workbench import Checkpoint, silent
from ecosim.words import certain, check


def fresh(role="distributor"):
    return Talks(deal(Family(), 40, seed=2), role=role)


def test_a_player_says_how_sure_it_is_of_each_act():
    talks = fresh()
    talks.apply(np.full(40, COUNTER), talks.facts["floor"])
    question = talks.question()
    lesson = Played(Player(16, seed=1)).teach(question)
    acts, chances = lesson.soft["act"]
    assert acts[0].tolist() == [0, 1, 2]
    assert np.allclose(chances.sum(axis=1), 1)
    assert (lesson.answers["act"] == chances.argmax(axis=1)).all()
    check(question, certain(lesson.answers, 40), "play")


def test_it_teaches_nothing_but_negotiating():
    with pytest.raises(CatalogError, match="it teaches negotiate only"):
        teacher("supplier", "quote")


@pytest.mark.slow
def test_an_apprentice_that_was_stopped_answers_as_one_that_was_not(tmp_path):
    from ecosim.training.play.apprentice import apprentice

    schooling = Schooling(steps=LOOK_EVERY + 2, batch=8)
    spec = Apprenticeship(hidden=16, head_hidden=16, rounds=2, talks=16, states=100, schooling=schooling)

    def train(name, note=silent):
        keep = Checkpoint(tmp_path / f"{name}.checkpoint")
        apprentice(spec, Player(16, seed=1), "supplier", 1, tmp_path / f"{name}.safetensors", keep, note)

    def stop(turn, step, trained, kept):
        if turn == 1 and step > LOOK_EVERY:
            raise KeyboardInterrupt

    train("whole")
    with pytest.raises(KeyboardInterrupt):
        train("stopped", stop)
    train("stopped")
    whole, stopped = ((tmp_path / f"{name}.safetensors").read_bytes() for name in ("whole", "stopped"))
    assert whole == stopped
    mind = NanoMind({"supplier": (tmp_path / "whole.safetensors", None)})
    question = fresh("supplier").question()
    check(question, mind.decide(question), "apprentice")
