"""Learning by play: what a player sees, that it learns, that a training that was stopped comes to the same weights."""

import numpy as np
import pytest
import torch

from ecosim.errors import CatalogError
from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED
from ecosim.manufacturing.hearing import ACCEPT, COUNTER
from ecosim.training.play import player as players
from ecosim.training.play.bargaining import BUYER, SELLER, Family, Talks, deal
from ecosim.training.play.contest import shares
from ecosim.training.play.exploit import standing
from ecosim.training.play.gradient import Training
from ecosim.training.play.opponents import SCRIPTED, Population, leaving, time_based
from ecosim.training.play.player import PLACES, Player, decided, expert, prices, sight
from ecosim.training.play.practice import Practice
from ecosim.words import certain, check

FEW = Population({"time_based(2)": time_based(2.0), "leaving(1, 0.5)": leaving(1.0, 0.5)}, (Family(rounds=(3, 5)),))
SMALL = Practice(steps=4, talks=16, passes=1, refresh=2, keep=1, hidden=16)


def seen(side, own, offer, rounds=6, round_=3):
    """What one side of a talk about the pump is asked: limits 52 and 22.50, market price 37.25 EUR."""
    euros = np.array([own * MILLION]).astype(np.int64), np.array([offer * MILLION]).astype(np.int64)
    return standing(side, rounds, round_, *euros).question()


def test_buyer_and_seller_see_mirror_images():
    buyer, seller = sight(seen(BUYER, 30, 47))[0], sight(seen(SELLER, 44.5, 27.5))[0]
    differs = np.flatnonzero(np.abs(buyer - seller) > 1e-6).tolist()
    assert differs == [12, 14]  # how far they may go, and which side it is


def test_places_are_prices_from_the_market_price_to_the_own_limit():
    question = seen(BUYER, 30, 47)
    assert [int(prices(question, np.array([place]))[0]) for place in (0.0, 1.0, -1.0)] == [
        37_250_000,
        52_000_000,
        22_500_000,
    ]


def test_whatever_a_player_wishes_its_answers_are_legal():
    talks = Talks(deal(Family(), 200, seed=4))
    for _ in range(4):
        question = talks.question()
        act, place = np.full(200, COUNTER), np.resize(PLACES, 200) * 3
        answers = decided(question, act, place)
        check(question, certain(answers, 200), "player")
        talks.apply(answers["act"], answers["price"])
    taken = decided(talks.question(), np.full(200, ACCEPT), place)
    assert {name: set(column.tolist()) for name, column in taken.items() if name != "act"} == {
        "price": {NOT_ASKED},
        "quantity": {NOT_ASKED},
        "week": {NOT_ASKED},
    }


def test_a_seller_takes_no_offer_for_a_week_in_which_it_cannot_deliver():
    question = seen(SELLER, 50, 40)
    assert players.valued(question).field("act").allowed.tolist() == [[True, True, True]]
    question.columns["wanted_week"] = question["offer_week"] + 1
    assert players.valued(question).field("act").allowed.tolist() == [[False, True, True]]


@pytest.mark.slow
def test_a_training_that_was_stopped_comes_to_the_same_weights():
    whole, first, rest = (Training(SMALL, FEW, seed=3) for _ in range(3))
    for _ in range(4):
        whole.advance()
    for _ in range(3):
        first.advance()
    kept = {name: tensor.clone() for name, tensor in first.tensors().items()}
    rest.restore(first.step, kept)
    rest.advance()
    assert len(whole.exploiters) == 1
    for name, tensor in whole.player.state_dict().items():
        assert torch.equal(tensor, rest.player.state_dict()[name]), name


def test_another_seed_gives_another_player():
    one, other = Training(SMALL, FEW, seed=1), Training(SMALL, FEW, seed=2)
    assert not torch.equal(one.player.act.weight, other.player.act.weight)


def test_a_player_comes_back_from_its_file(tmp_path):
    player = Player(16, seed=5)
    players.save(player, tmp_path / "play.safetensors")
    question = seen(BUYER, 30, 47)
    back = expert(players.load(tmp_path / "play.safetensors"))(question)
    assert {k: v.tolist() for k, v in back.items()} == {k: v.tolist() for k, v in expert(player)(question).items()}
    with pytest.raises(CatalogError, match="no such file; make it with"):
        players.load(tmp_path / "other.safetensors")
    (tmp_path / "play.safetensors").write_bytes(b"no weights")
    with pytest.raises(CatalogError, match="not a player"):
        players.load(tmp_path / "play.safetensors")


def test_experts_are_compared_in_the_very_same_talks():
    first, again = (shares(SCRIPTED["linear"], FEW, 50) for _ in range(2))
    assert len(first) == 100  # in two roles
    assert np.array_equal(first, again)
    assert ((first >= 0) & (first <= 1)).all()
