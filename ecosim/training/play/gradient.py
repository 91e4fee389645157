"""A policy gradient for talks: a player's chances move towards what brought more than was to be expected.

Each step holds fresh talks and takes a few passes over the moves. A move's advantage is the share that its talk came
to less what a judge expected, over their deviation; ratios of chances are clipped, illegal acts have none, and entropy
keeps the player trying. The judge is shown what the player can't see (the other's type, deadline and limit), which
takes most of the noise away; it is needed in training only. Exploiters, best responses to the player as it was, join
the opponents every so often, so that what can be exploited is met and unlearnt (fictitious play).

Exploiters leave crumbs, and the best reply to a crumb is to take it; so no play against them teaches anybody to turn
crumbs down, which is what keeps others from offering them (Schelling). Hence a rule of the training: a deal below a
`least` share counts as what it falls short of it, below nothing.

Everything is drawn anew from (seed, step), so a training that was stopped goes on to the same weights.

Sources: Schulman, Wolski, Dhariwal, Radford, Klimov (2017), Proximal policy optimization algorithms; Pinto,
Andrychowicz, Welinder, Zaremba, Abbeel (2017), Asymmetric actor critic; Heinrich, Lanctot, Silver (2015), Fictitious
self-play in extensive-form games; Schelling (1956), An essay on bargaining (commitment).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from ecosim.manufacturing.hearing import COUNTER
from ecosim.training.play.bargaining import SIDES, Talks, deal, play, seated
from ecosim.training.play.exploit import Exploiter
from ecosim.training.play.opponents import SCRIPTED, Population
from ecosim.training.play.player import FEATURES, PLACES, Player, expert, scale, sight
from ecosim.training.play.practice import Practice
from ecosim.training.play.rollout import Moves, Shares, hidden_width, moves

CLIP = 0.2
"""Ratios of chances count up to this far from 1."""
_ROWS = 4096
_MOST_NORM = 0.5


class Judge(nn.Module):
    """What a state is worth, from all that there is to know."""

    def __init__(self, hidden: int, population: Population) -> None:
        super().__init__()
        width = FEATURES + hidden_width(population)
        self.body = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, 1)
        )

    def forward(self, found: Moves) -> Tensor:
        """The share to be expected, (rows,)."""
        return torch.as_tensor(self.body(torch.cat([found.seen, found.hidden], dim=1))[:, 0])


class Training:
    """A training under way: player, judge, optimiser, and the players that exploiters were made against."""

    def __init__(self, practice: Practice, population: Population, seed: int) -> None:
        self.practice, self.population, self.seed, self.step = practice, population, seed, 0
        self.player = Player(practice.hidden, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1)
            self.judge = Judge(practice.hidden, population)
        self.parts = nn.ModuleDict({"player": self.player, "judge": self.judge})
        self.optimiser = torch.optim.Adam(self.parts.parameters(), practice.rate)
        self.exploited: list[dict[str, Tensor]] = []
        self.exploiters: list[Exploiter] = []

    def advance(self) -> dict[str, float]:
        """One step; gives its figures."""
        practice = self.practice
        if self.step == 0:
            imitate(self.player, self.population, self.seed)
        elif self.step % practice.refresh == 0:
            self._exploit({name: tensor.detach().clone() for name, tensor in self.player.state_dict().items()})
        left = 1 - self.step / practice.steps
        for group in self.optimiser.param_groups:
            group["lr"] = practice.rate * max(left, 0.05)
        seed = (self.seed * 1_000_003 + self.step) * 8
        shares = Shares(practice.itself, practice.exploiters)
        families = self.population.families
        family = families[self.step % len(families)]
        found = moves(self.player, self.population, self.exploiters, family, practice.talks, seed, shares)
        figures = self._learn(found, practice.entropy * max(left, 0.1), torch.Generator().manual_seed(seed))
        self.step += 1
        return figures

    def tensors(self) -> dict[str, Tensor]:
        """All that a training needs to go on, by name."""
        found = {f"parts.{name}": tensor for name, tensor in self.parts.state_dict().items()}
        for i, state in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser.{i}.{name}": torch.as_tensor(value) for name, value in state.items()}
        for i, weights in enumerate(self.exploited):
            found |= {f"exploited.{i}.{name}": tensor for name, tensor in weights.items()}
        return found

    def restore(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `tensors` gave."""
        self.step = step
        self.parts.load_state_dict(_below("parts", tensors))
        state = self.optimiser.state_dict()
        count = len({name.split(".")[1] for name in tensors if name.startswith("optimiser.")})
        state["state"] = {i: _below(f"optimiser.{i}", tensors) for i in range(count)}
        self.optimiser.load_state_dict(state)
        for i in range(len({name.split(".")[1] for name in tensors if name.startswith("exploited.")})):
            self._exploit(_below(f"exploited.{i}", tensors))

    def _exploit(self, weights: dict[str, Tensor]) -> None:
        """Let a best response to a player of these weights join."""
        was = Player(self.practice.hidden)
        was.load_state_dict(weights)
        keep = self.practice.keep
        self.exploited = [*self.exploited, weights][-keep:]
        self.exploiters = [*self.exploiters, Exploiter(expert(was))][-keep:]

    def _learn(self, found: Moves, entropy: float, draw: torch.Generator) -> dict[str, float]:
        least = self.practice.least
        is_crumb = (found.share > 0) & (found.share < least)
        worth = torch.where(is_crumb, found.share - least, found.share)
        with torch.no_grad():
            surprise = worth - self.judge(found)
            advantage = (surprise - surprise.mean()) / surprise.std().clamp(min=1e-6)
        losses = []
        for _ in range(self.practice.passes):
            order = torch.randperm(len(found.seen), generator=draw)
            for rows in torch.split(order, _ROWS):
                part = Moves(*(getattr(found, name)[rows] for name in Moves.__slots__))
                loss = self._loss(part, worth[rows], advantage[rows], entropy)
                self.optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
                nn.utils.clip_grad_norm_(self.parts.parameters(), _MOST_NORM)
                self.optimiser.step()
                losses.append(float(loss.detach()))
        return {
            "loss": float(np.mean(losses)),
            "mean_share": float(found.share.mean()),
            "unexplained": float(surprise.square().mean()),
        }

    def _loss(self, part: Moves, worth: Tensor, advantage: Tensor, entropy: float) -> Tensor:
        acts, places = self.player(part.seen, part.legal)
        row, countered = torch.arange(len(part.act)), part.act == COUNTER
        logp = acts[row, part.act] + places[row, part.place] * countered
        ratio = (logp - part.logp).exp()
        gained = torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
        doubt = -(acts.exp() * acts.clamp(min=-50)).sum(1).mean()
        doubt = doubt - ((places.exp() * places).sum(1) * countered).mean() / 3
        missed = (self.judge(part) - worth).square().mean()
        return missed - gained - entropy * doubt


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(prefix + ".")}


_LESSON_TALKS, _LESSON_STEPS, _LESSON_ROWS, _LESSON_RATE = 1000, 120, 1024, 2e-3
_SMOOTHING = 0.1


def imitate(player: Player, population: Population, seed: int, teacher: str = "boulware") -> None:
    """Begin as a scripted negotiator, roughly: a player that knows nothing ends most talks before they begin."""
    seen, legal, act, place = _lessons(population, seed, teacher)
    optimiser, draw = torch.optim.Adam(player.parameters(), _LESSON_RATE), torch.Generator().manual_seed(seed)
    for _ in range(_LESSON_STEPS):
        rows = torch.randint(len(seen), (_LESSON_ROWS,), generator=draw)
        acts, places = player(seen[rows], legal[rows])
        row, countered = torch.arange(len(rows)), act[rows] == COUNTER
        right = (1 - _SMOOTHING) * places[row, place[rows]] + _SMOOTHING * places.mean(1)
        loss = -(acts[row, act[rows]] + right * countered).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _lessons(population: Population, seed: int, teacher: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What a scripted negotiator sees and does among the population: seen, legal acts, acts, places."""
    noted = []

    def watched(question):  # type: ignore[no-untyped-def]
        answers = SCRIPTED[teacher](question)
        place = np.clip((answers["price"] - question["market_price"]) / scale(question), PLACES[0], PLACES[-1])
        nearest = np.abs(PLACES[None, :] - place[:, None]).argmin(axis=1)
        noted.append((sight(question), np.array(question.field("act").allowed), answers["act"], nearest))
        return answers

    for i, family in enumerate(population.families):
        facts = deal(family, _LESSON_TALKS, seed + i)
        others = population.experts, population.assigned(facts["talk"], seed + i)
        for side in SIDES:
            mine = seated(watched, _LESSON_TALKS)
            buyers, sellers = (mine, others) if side == SIDES[0] else (others, mine)
            play(Talks(facts, family.discount), buyers, sellers)
    seen, legal, act, place = (torch.from_numpy(np.concatenate(column)) for column in zip(*noted, strict=True))
    return seen, legal, act, place
