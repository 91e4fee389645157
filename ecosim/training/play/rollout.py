"""Talks that a player is in, with all that a policy gradient needs: what it saw, what it drew, what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ecosim.fields import Array, Choice
from ecosim.manufacturing.hearing import COUNTER, REJECT
from ecosim.manufacturing.state import NOBODY
from ecosim.training.play.bargaining import BUYER, ROUND_CAP, SIDES, Family, Talks, deal
from ecosim.training.play.exploit import ROUNDS, Exploiter
from ecosim.training.play.opponents import Population
from ecosim.training.play.player import PLACES, Player, prices, scale, sight
from ecosim.words import Expert, Question

SELF = -1
"""The code of talks that the player has with itself."""


@dataclass(frozen=True, slots=True)
class Shares:
    """With whom talks are held, apart from the population: shares of talks with itself, and with exploiters."""

    itself: float = 0.15
    exploiters: float = 0.2


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves of the player; tensors of as many rows.

    Attributes:
        seen: float32 (rows, features); legal: which acts are, bool (rows, 3).
        hidden: what only the judge of states is shown: the other's deadline, limit and type, float32 (rows, …).
        act, place, logp: what was drawn, and its log-chance.
        share: what the talk came to for the one who moved.
    """

    seen: Tensor
    legal: Tensor
    hidden: Tensor
    act: Tensor
    place: Tensor
    logp: Tensor
    share: Tensor


def hidden_width(population: Population) -> int:
    """How many numbers `Moves.hidden` has a row."""
    return 2 + len(population.types) + 2


class Sitting:
    """Who sits in the talks of one family."""

    def __init__(
        self, player: Player, population: Population, exploiters: Sequence[Exploiter], draw: np.random.Generator
    ) -> None:
        self.player, self.population, self.exploiters, self.draw = player, population, exploiters, draw
        self.moves: list[Moves] = []

    def held(self, family: Family, num_talks: int, seed: int, shares: Shares) -> None:
        """Hold talks; the player buys in every second one."""
        facts = deal(family, num_talks, seed)
        talks = Talks(facts, family.discount)
        who = self._opponents(talks, seed, shares)
        buys = np.arange(num_talks) % 2 == 0
        noted: list[tuple[Array, str, tuple[Tensor, ...]]] = []
        while len(talks.open):
            at, side = talks.open, talks.side
            own = (buys[at] == (side == BUYER)) | (who[at] == SELF)
            act, price = np.full(len(at), REJECT), np.full(len(at), NOBODY)
            rows = np.flatnonzero(own)
            if len(rows):
                question = talks.question(rows)
                drawn = self._drawn(question)
                act[rows], price[rows] = drawn[2].numpy(), prices(question, PLACES[drawn[3].numpy()])
                noted.append((at[rows], side, (*drawn, self._hidden(talks, question, at[rows], who))))
            for code in np.unique(who[at[~own]]).tolist():
                rows = np.flatnonzero(~own & (who[at] == code))
                act[rows], price[rows] = self._other(code, talks, rows)
            talks.apply(act, price)
        share = {side: torch.from_numpy(talks.shares(side).astype(np.float32)) for side in SIDES}
        for rows_, side, (seen, legal, act_, place, logp, hidden) in noted:
            self.moves.append(Moves(seen, legal, hidden, act_, place, logp, share[side][rows_]))

    def _opponents(self, talks: Talks, seed: int, shares: Shares) -> Array:
        """A code for each talk: SELF, a type, or behind these an exploiter."""
        facts, types = talks.facts, len(self.population.types)
        who = self.population.assigned(facts["talk"], seed)
        u = self.draw.random(len(who))
        if self.exploiters:
            known = [(facts[f"{s}_rounds"] >= ROUNDS[0]) & (facts[f"{s}_rounds"] <= ROUNDS[-1]) for s in SIDES]
            one = types + self.draw.integers(0, len(self.exploiters), len(who))
            who = np.where((u < shares.exploiters) & known[0] & known[1], one, who)
        return np.where(u > 1 - shares.itself, SELF, who)

    def _drawn(self, question: Question) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        field = question.field("act")
        assert isinstance(field, Choice)
        seen, legal = torch.from_numpy(sight(question)), torch.from_numpy(np.array(field.allowed))
        with torch.inference_mode():
            acts, places = self.player(seen, legal)
        act, place, row = _one(acts, self.draw), _one(places, self.draw), torch.arange(len(seen))
        return seen, legal, act, place, acts[row, act] + places[row, place] * (act == COUNTER)

    def _hidden(self, talks: Talks, question: Question, at: Array, who: Array) -> Tensor:
        other, types = SIDES[1 - SIDES.index(talks.side)], len(self.population.types)
        facts = talks.facts
        place = (facts[f"{other}_limit"][at] - question["market_price"]) / scale(question)
        kind = np.zeros((len(at), types + 2))
        kind[np.arange(len(at)), np.where(who[at] == SELF, types + 1, np.minimum(who[at], types))] = 1
        rounds = facts[f"{other}_rounds"][at] / ROUND_CAP
        return torch.from_numpy(np.column_stack([rounds, np.clip(place, -3, 3), kind]).astype(np.float32))

    def _other(self, code: int, talks: Talks, rows: Array) -> tuple[Array, Array]:
        types: list[Expert] = self.population.experts
        if code >= len(types):
            return self.exploiters[code - len(types)].move(talks, rows)
        answers = types[code](talks.question(rows))
        return answers["act"], answers["price"]


def moves(
    player: Player,
    population: Population,
    exploiters: Sequence[Exploiter],
    family: Family,
    num_talks: int,
    seed: int,
    shares: Shares,
) -> Moves:
    """The player's moves in fresh talks of a family.

    Args:
        seed: of the talks, the opponents and the player's draws.
    """
    sitting = Sitting(player, population, exploiters, np.random.Generator(np.random.PCG64(seed)))
    sitting.held(family, num_talks, seed, shares)
    return Moves(*(torch.cat([getattr(m, name) for m in sitting.moves]) for name in Moves.__slots__))


def _one(logp: Tensor, draw: np.random.Generator) -> Tensor:
    """A draw from log-chances, int64 (rows,)."""
    level = torch.from_numpy(draw.random((len(logp), 1)).astype(np.float32))
    sums = logp.exp().cumsum(1)
    return (sums < level * sums[:, -1:]).sum(1).clamp(max=logp.shape[1] - 1)
