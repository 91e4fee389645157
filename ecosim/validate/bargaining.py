"""Bargaining over a price through the market's own phases: time-dependent tactics, and perfect patience.

One buyer, one seller, one unit, one week: `replenish`, `quote`, `negotiate`. The pie is the span of prices from the
seller's cost, 0, to the buyer's value; both move once a round, the buyer first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from ecosim import api
from ecosim.exact import MILLION
from ecosim.explore import Run
from ecosim.fields import NOT_ASKED, Bucket, Choice
from ecosim.manufacturing.experts import EXPERTS
from ecosim.manufacturing.openings import CENT
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.talks import ACCEPT, COUNTER
from ecosim.scenario import build
from ecosim.validate.cases import Case, Figure, exactly, within
from ecosim.words import Answers, Expert, Question

ROUNDS = 101
"""The private deadline of both: the experts reach their limit in the last round, so that t = round / (100 + 1)."""
TACTICS = {
    ("boulware", "boulware"): (50, 85),
    ("linear", "linear"): (50, 51),
    ("conceder", "conceder"): (51, 7),
    ("boulware", "conceder"): (13, 61),
}
"""Price out of 100, and round, at which a buyer and a seller of these tactics agree."""
PATIENCE = 0.9
RUBINSTEIN = 0.5263


def talk(pie_eur: float, buyer: Expert, seller: Expert) -> Run:
    """One negotiation over a price of 0 … pie."""
    data = {
        "world": "manufacturing",
        "title": "one talk",
        "steps": 1,
        "seeds": 1,
        "items": {"good": {"value_eur": pie_eur}},
        "firms": [
            {"name": "buyer", "role": "distributor", "sells": "good", "demand": "consumers"},
            {"name": "seller", "role": "supplier", "sells": "good", "capacity_units": 10, "stock_units": {"good": 10}},
        ],
        "demand": {"kind": "step", "mean_units": 1},
        "negotiation": {
            "requests": 1,
            "min_rounds": ROUNDS,
            "max_rounds": ROUNDS,
            "private_spread": 0,
            "late_weeks": 0,
        },
        "phases": ["replenish", "quote", "negotiate"],
    }
    scenario = build(ManufacturingScenario, data, place="validate")
    minds: Mapping[str, Expert] = {
        "distributor.replenish": one_unit, "supplier.replenish": one_unit,
        "distributor.negotiate": buyer, "supplier.negotiate": seller,
    }  # fmt: skip
    return api.run(scenario, minds=minds)


def agreement(run: Run) -> tuple[float, int]:
    """Price, EUR, and round of the contract; nan and 0 if there is none."""
    offers = run.events("offers")
    accepted = offers[offers["act"] == ACCEPT]
    if accepted.empty:
        return float("nan"), 0
    return float(run.events("contracts")["price"].iloc[0]), int(accepted["move"].iloc[0]) // 2 + 1


def one_unit(question: Question) -> Answers:
    """A wish for one unit."""
    return {"quantity": np.full(question.num_rows, MILLION)}


def knowing_the_pie(tactic: str, pie: int) -> Expert:
    """The market's own expert of that name, which opens no higher than the pie: it knows that nobody would pay more."""

    def decide(question: Question) -> Answers:
        price = question.field("price")
        assert isinstance(price, Bucket)
        narrow = replace(price, high=np.minimum(price.high, pie))
        fields = tuple(narrow if field is price else field for field in question.fields)
        return EXPERTS[question.name][tactic](replace(question, fields=fields))

    return decide


def tactics(buyer: str, seller: str, tactic_of: Callable[[str, int], Expert] = knowing_the_pie) -> list[Figure]:
    """Where two time-dependent tactics meet over a pie of 100 cents."""
    pie = 100 * CENT
    price, round_ = agreement(talk(1.0, tactic_of(buyer, pie), tactic_of(seller, pie)))
    target_price, target_round = TACTICS[buyer, seller]
    return [
        exactly("price agreed", round(price * 100, 6), target_price, "% of pie"),
        exactly("round of the agreement", round_, target_round),
    ]


def perfect(question: Question) -> Answers:
    """The perfect equilibrium of a pie that shrinks by a tenth with each move, found from the deadline backwards.

    Whoever moves last would ask for all. Before that, the mover leaves the other what it would get by moving next,
    less a tenth; and takes an offer that gives as much as its own next move would, less a tenth.
    """
    price, act = question.field("price"), question.field("act")
    assert isinstance(price, Bucket) and isinstance(act, Choice)
    is_buyer = question["is_buyer"] == 1
    pie = 2 * question["market_price"]  # which is half-way between the seller's cost, 0, and the buyer's value
    moves_left = 2 * question["rounds_left"] + is_buyer
    share = np.array([share_of_mover(int(n)) for n in moves_left])
    gain = np.where(is_buyer, pie - question["offer_price"], question["offer_price"]) / pie
    accept = act.allowed[:, ACCEPT] & (gain >= PATIENCE * share)
    # to the cent, so that the other is not left with less than it needs
    asked = np.where(is_buyer, np.ceil((1 - share) * pie / CENT), np.floor(share * pie / CENT)).astype(np.int64) * CENT
    return {
        "act": np.where(accept, ACCEPT, COUNTER),
        "price": np.where(accept, NOT_ASKED, price.snap(asked)),
        "quantity": np.where(accept, NOT_ASKED, MILLION),
        "week": np.where(accept, NOT_ASKED, question["wanted_week"]),
    }


def share_of_mover(moves_left: int) -> float:
    """What the mover can ask for with so many moves to come after its own: 1 − δ·(what the next mover could)."""
    share = 1.0
    for _ in range(moves_left):
        share = 1 - PATIENCE * share
    return share


def patience(mind: Expert = perfect) -> list[Figure]:
    """What the first mover gets of a pie of 10,000 cents."""
    price, round_ = agreement(talk(100.0, mind, mind))
    return [
        within("share of the first mover", 1 - price / 100, RUBINSTEIN, 1.5e-4, "a cent of 10,000, last digit given"),
        exactly("round of the agreement", round_, 1),
    ]


FARATIN = "Faratin, Sierra, Jennings (1998), tactics u(t) = 1 − t^e with e 4, 1, ¼; rounds by a second program"

CASES = (
    *(
        Case(
            name=f"bargaining_{buyer}_{seller}",
            part="manufacturing",
            kind="V1",
            shows=f"a {buyer} buyer and a {seller} seller agree at {price} of 100 in round {round_}",
            source=FARATIN,
            method=f"the phases replenish, quote, negotiate with the experts {buyer!r} and {seller!r}; deadlines of "
            f"{ROUNDS} rounds, so that t = round / (100 + 1); the market's sellers open above the buyer's "
            "value, here they open at it",
            compute=partial(tactics, buyer, seller),
        )
        for (buyer, seller), (price, round_) in TACTICS.items()
    ),
    Case(
        name="bargaining_patience",
        part="manufacturing",
        kind="V1",
        shows="equal patience gives the first mover a little more than half",
        source="Rubinstein (1982), Econometrica 50(1): 1 / (1 + δ), δ = .9",
        method=f"the phases replenish, quote, negotiate; minds that solve the game of {2 * ROUNDS} moves from its end. "
        "The market discounts nothing: patience is in the minds",
        compute=patience,
    ),
)
