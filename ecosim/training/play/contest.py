"""How well a negotiator does: what it gets in talks with a population, beside what the market's own strategies get."""

from __future__ import annotations

import numpy as np

from ecosim import seeds
from ecosim.fields import Array
from ecosim.training.play.bargaining import BUYER, SIDES, Talks, deal, play, seated
from ecosim.training.play.exploit import exploitability
from ecosim.training.play.opponents import HELD_OUT, SCRIPTED, Population
from ecosim.words import Expert


def scripted(num_talks: int) -> dict[str, float]:
    """What the market's own strategies get from the held-out mixture, and how far Boulware can be exploited."""
    found = {f"{name}_share": float(shares(e, HELD_OUT, num_talks).mean()) for name, e in SCRIPTED.items()}
    best = max(found.values())
    return {**found, "best_scripted": best, "boulware_exploitability": exploitability(SCRIPTED["boulware"])}


def shares(expert: Expert, population: Population, num_talks: int, seed: int = 1) -> Array:
    """What an expert gets in talks with a population, as buyer and as seller, family by family, float64 (talks,).

    The same seed gives the same talks with the same opponents, so two experts are compared talk by talk.
    """
    found = []
    for i, family in enumerate(population.families):
        facts = deal(family, num_talks, seed + i, stream=seeds.WORLD)
        mine, others = seated(expert, num_talks), (population.experts, population.assigned(facts["talk"], seed + i))
        for side in SIDES:
            buyers, sellers = (mine, others) if side == BUYER else (others, mine)
            found.append(play(Talks(facts, family.discount), buyers, sellers).shares(side))
    return np.concatenate(found)
