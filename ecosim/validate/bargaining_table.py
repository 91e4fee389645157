"""Bargaining over several issues through the phase `bargain`: a price pie, and Itex against Cypress.

One seller, one buyer, one talk. The buyer moves first; both move once a round, and time runs as round ÷ (rounds + 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from ecosim import api
from ecosim.manufacturing.bargains import domain_of
from ecosim.manufacturing.facts.table import BargainingTable
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.scenario import build
from ecosim.validate.cases import Case, Figure, between, exactly, within

PIE = 100
PIES = {
    ("boulware", "boulware"): (50, 85),
    ("linear", "linear"): (50, 51),
    ("conceder", "conceder"): (51, 7),
    ("boulware", "conceder"): (13, 61),
}
"""Price out of 100, and round, at which a buyer and a seller of these tactics agree."""
ITEX_CYPRESS: Mapping[str, Any] = {
    "issues": {
        "price": ["$4.37", "$4.12", "$3.98", "$3.71", "$3.47"],
        "delivery": ["60 d", "45 d", "30 d", "20 d"],
        "payment": ["0 d", "30 d", "60 d"],
        "returns": ["full", "5 %", "10 %"],
    },
    "seller": {
        "weights": {"price": 0.3229357, "delivery": 0.1406447, "payment": 0.2245884, "returns": 0.3118312},
        "values": {
            "price": [1.0, 19 / 29, 9 / 29, 4 / 29, 0.0],
            "delivery": [0.0, 1.0, 9 / 19, 4 / 19],
            "payment": [3 / 8, 1.0, 0.0],
            "returns": [0.0, 1.0, 4 / 29],
        },
    },
    "buyer": {
        "weights": {"price": 0.6517705, "delivery": 0.1041786, "payment": 0.0882430, "returns": 0.1558078},
        "values": {
            "price": [0.0, 3 / 13, 8 / 13, 32 / 39, 1.0],
            "delivery": [0.0, 3 / 8, 3 / 4, 1.0],
            "payment": [1.0, 5 / 14, 0.0],
            "returns": [1.0, 6 / 19, 0.0],
        },
    },
}
ITEX_AGREEMENTS = {
    "boulware": ("$3.71, 30 d, 30 d, 5 %", 0.6936, 0.6476, (77, 79)),
    "linear": ("$3.71, 45 d, 30 d, 5 %", 0.6546, 0.7216, (34, 35)),
    "conceder": ("$3.98, 20 d, 30 d, 5 %", 0.5860, 0.6663, (2, 3)),
}
"""What both agree on with the same tactic, utilities of Cypress and of Itex, and between which rounds."""
LAST_DIGIT = 5.2e-5
WHY = "last digit given; utilities are rounded to half a millionth an issue"


def price_pie() -> dict[str, Any]:
    """A price of 0 … 100: what the seller gains the buyer loses."""
    shares = [k / PIE for k in range(PIE + 1)]
    return {
        "issues": {"price": [str(k) for k in range(PIE + 1)]},
        "buyer": {"weights": {"price": 1.0}, "values": {"price": shares[::-1]}},
        "seller": {"weights": {"price": 1.0}, "values": {"price": shares}},
    }


def table_talk(table: Mapping[str, Any], buyer: str, seller: str) -> tuple[pd.Series, pd.Series]:
    """One talk between two tactics: what it came to, and what was at stake."""
    data = {
        "world": "manufacturing",
        "title": "one talk",
        "steps": 1,
        "items": {"parts": {}},
        "firms": [
            {"name": "seller", "role": "supplier", "sells": "parts"},
            {"name": "buyer", "role": "manufacturer", "sells": "parts"},
        ],
        "table": {**table, "min_rounds": 100, "max_rounds": 100},
        "phases": ["bargain"],
    }
    scenario = build(ManufacturingScenario, data, place="validate")
    run = api.run(scenario, minds={"manufacturer.bargain": buyer, "supplier.bargain": seller})
    return run.events("bargains").iloc[0], run.events("stakes").iloc[0]


def pie(buyer: str, seller: str) -> list[Figure]:
    """Where two time-based tactics meet over a price of 0 … 100."""
    price, round_ = PIES[buyer, seller]
    ended, _ = table_talk(price_pie(), buyer, seller)
    return [
        exactly("price agreed", int(ended["agreed"]), price, "% of pie"),
        exactly("round of the agreement", int(ended["round"]), round_),
    ]


def contract(tactic: str) -> list[Figure]:
    """What Itex and Cypress agree on, and when."""
    words, cypress, itex, (soonest, latest) = ITEX_AGREEMENTS[tactic]
    ended, _ = table_talk(ITEX_CYPRESS, tactic, tactic)
    domain = domain_of(build(BargainingTable, ITEX_CYPRESS, place="validate"))
    found = domain.words(int(ended["agreed"])) if ended["agreed"] >= 0 else "nothing"
    return [
        exactly(f"agreed on {words}", float(found == words), 1.0),
        within("utility of Cypress", ended["buyer_utility"], cypress, LAST_DIGIT, WHY),
        within("utility of Itex", ended["seller_utility"], itex, LAST_DIGIT, WHY),
        between("round", ended["round"], soonest, latest, (soonest + latest) / 2, "other orders of moving"),
    ]


def fair_points() -> list[Figure]:
    """The frontier's size and ends, and where the fair points lie, as the phase tells them after a talk."""
    import numpy as np

    from ecosim.rules import domain, frontier

    _, stakes = table_talk(ITEX_CYPRESS, "boulware", "boulware")
    facts = build(BargainingTable, ITEX_CYPRESS, place="validate")
    worth = []
    for side in (facts.seller, facts.buyer):
        weights = domain.normalised(np.array([[side.weights[issue] for issue in facts.issues]]))
        worth.append(domain.utilities(domain.parts(weights, [np.array(side.values[i]) for i in facts.issues])))
    front = frontier.frontier(worth[0], worth[1])
    itex, cypress = front.first[0] / 1e6, front.second[0] / 1e6
    why = "last digit given"
    return [
        exactly("outcomes", worth[0].shape[1], 180),
        exactly("Pareto-optimal outcomes", len(itex), 17),
        within("Cypress at the best end of Itex", cypress[itex.argmax()], 0.1198, 5e-5, why),
        within("Itex at the best end of Cypress", itex[cypress.argmax()], 0.1138, 5e-5, why),
        *(
            figure
            for point in ("nash", "kalai", "utilitarian")
            for figure in (
                within(f"{point}: Itex", stakes[f"{point}_seller"], 0.67706, 1e-5, why),
                within(f"{point}: Cypress", stakes[f"{point}_buyer"], 0.77156, 1e-5, why),
            )
        ),
    ]


FARATIN = "Faratin, Sierra, Jennings (1998), tactics u(t) = 1 − t^e with e 4, 1, ¼; rounds by a second program"
DOMAIN = "Itex–Cypress, the classic negotiation domain (Kersten, Noronha 1999); agreements by NegMAS"

CASES = (
    *(
        Case(
            name=f"table_pie_{buyer}_{seller}",
            part="manufacturing",
            kind="V1",
            shows=f"a {buyer} buyer and a {seller} seller agree at {price} of 100 in round {round_}",
            source=FARATIN,
            method="the phase bargain on one issue of 101 prices, with the experts of the bargaining table",
            compute=partial(pie, buyer, seller),
        )
        for (buyer, seller), (price, round_) in PIES.items()
    ),
    *(
        Case(
            name=f"table_itex_{tactic}",
            part="manufacturing",
            kind="V2",
            shows=f"Itex and Cypress, both {tactic}, agree on {words} in rounds {rounds[0]}–{rounds[1]}",
            source=DOMAIN,
            method="the phase bargain on four issues and 180 outcomes, with the experts of the bargaining table",
            compute=partial(contract, tactic),
        )
        for tactic, (words, _, _, rounds) in ITEX_AGREEMENTS.items()
    ),
    Case(
        name="table_itex_points",
        part="manufacturing",
        kind="V1",
        shows="Itex–Cypress has 17 efficient agreements, and its Nash, Kalai and utilitarian points are one",
        source=DOMAIN,
        method="points from the event table stakes of the phase bargain; the frontier by the same rules",
        compute=fair_points,
    ),
)
