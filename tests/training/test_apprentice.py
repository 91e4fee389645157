"""A nano network is taught to negotiate by a player, and a player teaches the networks of all roles."""

import numpy as np
import pytest

from ecosim.errors import CatalogError
from ecosim.manufacturing.hearing import COUNTER
from ecosim.minds.nano import NanoMind
from ecosim.training.bargaining import Family, Talks, deal
from ecosim.training.play import Apprenticeship, Played, teacher
from ecosim.training.player import Player
from ecosim.training.schooling import Schooling
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
def test_an_apprentice_answers_the_markets_question(tmp_path):
    from ecosim.training.apprentice import apprentice

    spec = Apprenticeship(hidden=16, head_hidden=16, rounds=2, talks=16, schooling=Schooling(steps=20, batch=32))
    apprentice(spec, Player(16, seed=1), "supplier", 1, tmp_path / "play.safetensors")
    mind = NanoMind({"supplier": (tmp_path / "play.safetensors", None)})
    question = fresh("supplier").question()
    check(question, mind.decide(question), "apprentice")
