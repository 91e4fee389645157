"""Method `play`: a negotiator that learns by playing against typed opponents, itself, and those who exploit it.

A small player learns by a policy gradient in talks about a price (`gradient`), thousands at once. Then a nano network
is taught by it in the same talks (`apprentice`): first where the player gets itself to, then where the network does.
Both are shipped: the network sits in the role's seats, the player teaches `negotiate` to networks of all roles
(`teacher: play` in a recipe of method `distil`). `evaluate` measures both on opponents of types that nobody trained
against:

* `share`: the mean discounted share of the pie, both roles, against the held-out mixture, and `best_scripted`, the most
  that one of the market's own strategies gets in the very same talks;
* `exploitability`: what the best response gets above half of the pie, and the same of Boulware (see `exploit`).
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecosim.catalog import Entry
from ecosim.models.nano.spec import NanoSpec
from ecosim.training.layouts import layout
from ecosim.training.play.bargaining import PHASE
from ecosim.training.play.contest import scripted, shares
from ecosim.training.play.exploit import exploitability
from ecosim.training.play.opponents import HELD_OUT, TRAINING
from ecosim.training.play.practice import Practice
from ecosim.training.schooling import Schooling
from ecosim.training.workbench import Workbench
from ecosim.words import Expert, Mind

LAYOUT = "talk"
"""How the network reads a talk (`agents/layouts/talk.yaml`): as the player does, with no more memory."""
PLAYER = "player.safetensors"
BESIDE = (PLAYER,)
"""What ships beside the network."""
HEADLINES = ("nano_share", "nano_share_sd", "best_scripted", "nano_exploitability", "boulware_exploitability")
"""Figures that the card shows."""
_SAVE_EVERY = 10


class Apprenticeship(Entry):
    """How a network is taught.

    Attributes:
        hidden, layers, heads, head_hidden: its size.
        rounds: how many; the first is the player's.
        talks: of each family, role and round.
        states: drawn evenly, in each round: also those that no talk comes to.
        schooling: of the whole; earlier rounds take a third of the steps.
    """

    hidden: int = 32
    layers: int = 1
    heads: int = 2
    head_hidden: int = 96
    rounds: Annotated[int, Field(ge=1)] = 2
    talks: Annotated[int, Field(ge=16)] = 400
    states: Annotated[int, Field(ge=0)] = 20_000
    schooling: Schooling = Schooling(steps=1000, batch=256, rate=4e-3)

    def net(self, role: str) -> NanoSpec:
        """What the networks of a role read and answer."""
        size = {"hidden": self.hidden, "layers": self.layers, "heads": self.heads, "head_hidden": self.head_hidden}
        return NanoSpec(role=role, questions={PHASE: layout(LAYOUT)}, **size)


class Spec(Entry):
    """A recipe of method `play`.

    Attributes:
        practice: how the player is trained.
        nano: how a nano network is taught by it.
        test_talks: how many talks of each held-out family it is judged by, in each role.
    """

    method: Literal["play"]
    practice: Practice = Practice()
    nano: Apprenticeship = Apprenticeship()
    test_talks: Annotated[int, Field(ge=100)] = 20_000


def data(spec: Spec, bench: Workbench) -> None:
    """Nothing: talks are held while it learns."""


def train(spec: Spec, bench: Workbench, seed: int) -> None:
    """Train a player and then a network with a seed; goes on where it was stopped.

    Raises:
        TrainingError: the loss is no number, or the checkpoint is of another training.
    """
    import torch

    from ecosim.training.play import player as players
    from ecosim.training.play.apprentice import apprentice
    from ecosim.training.play.gradient import Training

    torch.set_num_threads(1)  # the same bits whatever the machine is doing
    folder, settings = bench.seed_folder(seed), spec.practice
    if not (folder / PLAYER).is_file():
        training = Training(settings, TRAINING, seed)
        keep = bench.checkpoint(seed, key=settings.model_dump_json())
        if (state := keep.load()) is not None:
            training.restore(state.step, state.tensors)
        while training.step < settings.steps:
            figures = training.advance()
            bench.loss(seed, training.step, **figures)
            bench.tick(training.step, settings.steps, f"share {figures['mean_share']:.3f}")
            if training.step % _SAVE_EVERY == 0 and training.step < settings.steps:
                keep.save(training.step, training.tensors(), {})
        players.save(training.player, folder / PLAYER)
        keep.clear()
    if not bench.network(seed).is_file():
        bench.say(f"seed {seed}: a nano network is taught")

        def note(turn: int, step: int, trained: float, kept: float) -> None:
            bench.loss(seed, settings.steps + turn * spec.nano.schooling.steps + step, taught=trained, kept_back=kept)
            bench.tick(step, spec.nano.schooling.steps, f"round {turn + 1}, loss {kept:.3f}")

        keep = bench.checkpoint(seed, key=spec.nano.model_dump_json(), name="apprentice")
        apprentice(spec.nano, players.load(folder / PLAYER), bench.role, seed, bench.network(seed), keep, note)


def evaluate(spec: Spec, bench: Workbench) -> dict[str, float]:
    """Figures on held-out types: means over the training seeds that are there, and their spread."""
    from ecosim.minds.nano import NanoMind
    from ecosim.training.play import player as players

    trained = [s for s in bench.seeds.train if bench.network(s).is_file()]
    figures = scripted(spec.test_talks)
    found: dict[str, list[float]] = {}
    for seed in trained:
        folder = bench.seed_folder(seed)
        mind = NanoMind({bench.role: (bench.network(seed), None)})
        of_mind: dict[str, Expert] = {
            "player": players.expert(players.load(folder / PLAYER)),
            "nano": lambda question, mind=mind: mind.decide(question).answers,  # type: ignore[misc]
        }
        for name, expert in of_mind.items():
            share = shares(expert, HELD_OUT, spec.test_talks)
            found.setdefault(f"{name}_share", []).append(float(share.mean()))
            found.setdefault(f"{name}_exploitability", []).append(exploitability(expert))
    for name, values in found.items():
        figures[name] = float(np.mean(values))
        figures[f"{name}_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if "nano_share" in figures:
        figures["gain"] = figures["nano_share"] / figures["best_scripted"] - 1
    return figures


def teacher(spec: Spec, bench: Workbench) -> Mind:
    """For whom the network stands: the player that is shipped, as a mind."""
    from ecosim.minds.scripted import Scripted
    from ecosim.training.play import player as players
    from ecosim.training.play.played import shipped

    return Scripted("player", players.expert(shipped()))
