"""Talks about one price, thousands at once: the market's question, the market's rules, and what a deal is worth."""

import numpy as np
import pytest

from ecosim import api
from ecosim.arms import Arm, Manner
from ecosim.exact import MILLION
from ecosim.fields import Bucket, Choice
from ecosim.manufacturing.hearing import ACCEPT, COUNTER, REJECT
from ecosim.manufacturing.tactics import NEGOTIATE
from ecosim.record.store import Memory
from ecosim.simulate import simulate
from ecosim.training.play.bargaining import BUYER, SELLER, Family, Talks, deal, play, seated
from ecosim.training.play.opponents import HELD_OUT, SCRIPTED, TRAINING, leaving, time_based
from ecosim.words import Table, certain


class Watcher:
    """A mind that negotiates as Boulware does and keeps what it was asked."""

    name = grade = fingerprint = "watcher"

    def __init__(self):
        self.asked = []

    def decide(self, question):
        self.asked.append(question)
        return certain(NEGOTIATE["boulware"](question), question.num_rows)


def one_talk(buyer_rounds=4, seller_rounds=4, rows=1):
    """A talk about a pie of 30 EUR, from 20 to 50."""
    euros = {"buyer_limit": 50, "seller_limit": 20, "market_price": 35, "floor": 10, "ceiling": 75, "quantity": 5}
    facts = {name: np.full(rows, value * MILLION) for name, value in euros.items()}
    rounds = {"buyer_rounds": np.full(rows, buyer_rounds), "seller_rounds": np.full(rows, seller_rounds)}
    return Talks(Table({"talk": np.arange(rows), **facts, **rounds}))


def moved(talks, act, price=0):
    return talks.apply(np.array([act]), np.array([price * MILLION]))


def test_a_mind_is_asked_the_markets_question():
    watcher = Watcher()
    facts = api.facts("smart_manufacturing", 1, 1, {})
    simulate(
        facts, [Arm(name="watched", minds={"distributor.negotiate": watcher})], Memory(), Manner(keep_events=False)
    )
    market = watcher.asked[0]
    price = market.field("price")
    talks = Talks(
        Table(
            {
                "talk": np.arange(market.num_rows),
                "buyer_limit": market["reservation"],
                "seller_limit": market["reservation"] // 2,
                "market_price": market["market_price"],
                "floor": price.low,
                "ceiling": market["reservation"] * 2,
                "buyer_rounds": market["round"] + market["rounds_left"],
                "seller_rounds": market["round"] + market["rounds_left"],
                "quantity": market["need"],
            }
        )
    )
    ours = talks.question()
    assert market.num_rows > 0
    assert list(ours.columns) == list(market.columns)
    assert ours.units == market.units
    assert set(ours.masks) == set(market.masks)
    same = set(ours.columns) - {"item_name", "on_hand"}
    assert [name for name in same if not np.array_equal(ours[name], market[name])] == []
    for mine, theirs in zip(ours.fields[:2], market.fields[:2], strict=True):
        assert mine.name == theirs.name and mine.only_if == theirs.only_if
        if isinstance(theirs, Choice):
            assert np.array_equal(mine.allowed, theirs.allowed) and mine.options == theirs.options
        if isinstance(theirs, Bucket):
            assert all(np.array_equal(getattr(mine, end), getattr(theirs, end)) for end in ("low", "high", "step"))


def test_an_accept_takes_the_standing_offer_and_both_shares_add_up_to_the_pie():
    talks = one_talk()
    moved(talks, COUNTER, 26)
    moved(talks, ACCEPT)
    assert len(talks.open) == 0
    assert talks.shares(BUYER).tolist() == pytest.approx([0.8])  # (50 − 26) ÷ 30
    assert talks.shares(SELLER).tolist() == pytest.approx([0.2])


def test_a_later_deal_is_worth_less_where_gains_are_discounted():
    talks = one_talk()
    talks.discount = 0.9
    for price in (20, 50, 35):
        moved(talks, COUNTER, price)
    moved(talks, ACCEPT)
    assert talks.shares(BUYER).tolist() == pytest.approx([0.45])  # half of the pie, in the second round


def test_past_its_deadline_a_side_may_only_take_or_leave():
    talks = one_talk(buyer_rounds=1)
    moved(talks, COUNTER, 20)
    moved(talks, COUNTER, 50)
    assert talks.question().field("act").allowed.tolist() == [[True, False, True]]
    moved(talks, REJECT)
    assert talks.shares(BUYER).tolist() == [0.0]


def test_the_last_offers_are_shown_newest_first():
    talks = one_talk()
    for price in (21, 49, 22):
        moved(talks, COUNTER, price)
    question = talks.question()
    assert (question["offers_price"][0, :3] // MILLION).tolist() == [22, 49, 21]
    assert question.masks["offers_price"].tolist() == [[True, True, True, False, False, False]]
    assert question["own_price"].tolist() == [49 * MILLION]


def test_two_that_give_way_evenly_meet_in_the_middle():
    """Opposed linear aspirations over 100 rounds (M6): agreed at 50 of 100 in round 51; here over 10 to 75 EUR."""
    talks = play(one_talk(100, 100), seated(time_based(1.0), 1), seated(time_based(1.0), 1))
    assert talks.agreed.tolist() == [True]
    assert talks.shares(BUYER)[0] == pytest.approx(0.42, abs=0.02)  # 10 + 40·t = 75 − 55·t at t = .684, 37.37 EUR


def test_who_leaves_goes_without_a_deal_before_its_deadline():
    stubborn = one_talk(10, 10)
    play(stubborn, seated(leaving(4.0, 0.5), 1), seated(SCRIPTED["boulware"], 1))
    assert stubborn.agreed.tolist() == [False]
    assert stubborn.ended.tolist() == [6]


def test_talk_i_is_the_same_however_many_are_dealt():
    few, many = deal(Family(), 5, seed=3), deal(Family(), 50, seed=3)
    assert all(np.array_equal(few[name], many[name][:5]) for name in few)
    assert (many["buyer_limit"] > many["seller_limit"]).all()


def test_nobody_is_judged_by_types_that_it_was_trained_against():
    imitators = {"tit_for_tat", "averaged_tit_for_tat", "best_response"}
    assert set(TRAINING.types) & set(HELD_OUT.types) == imitators
