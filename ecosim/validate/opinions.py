"""The cases of opinions: how many camps are left, and whose word weighs how much."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ecosim.arms import Arm
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.rules import opinions
from ecosim.simulate import prepare
from ecosim.validate.cases import Case, Figure, exactly, within
from ecosim.validate.community import market, simulated

CAMPS = {0.5: 1, 0.3: 1, 0.2: 2}
TRUST = ((0.5, 0.5, 0.0), (0.25, 0.5, 0.25), (0.0, 0.5, 0.5))
WEIGHTS = (0.25, 0.5, 0.25)


def deffuant(seeds: int = 10, agents: int = 1000) -> list[Figure]:
    """How many camps are left after 200 meetings each."""
    figures = []
    for tolerance, camps in CAMPS.items():
        scenario = market(
            [{}], steps=10, seeds=seeds, viewers={"count": agents, "visit_chance": 0.0}, feed={"slate": 1},
            opinions={"kind": "bounded_confidence", "tolerance": tolerance, "rounds_per_day": 20},
        )  # fmt: skip
        found = simulated(scenario).kpis["opinion_camps", ""]
        figures.append(exactly(f"camps, ε {tolerance:g}: median of {seeds} worlds", float(np.median(found)), camps))
    return figures


def degroot() -> list[Figure]:
    """The left eigenvector by the rule; then what each of three viewers in a row brings into their consensus."""
    weights = opinions.influence(np.array(TRUST))
    figures = [
        within(f"weight of member {i + 1}, by the rule", found, target, 1e-9, "rounding")
        for i, (found, target) in enumerate(zip(weights, WEIGHTS, strict=True))
    ]
    return figures + [
        within(f"weight of viewer {i + 1}, by the phase", _consensus(i), target, 2e-5, "opinions are whole millionths")
        for i, target in enumerate(WEIGHTS)
    ]


def _consensus(one: int) -> float:
    """What all think in the end if one viewer begins at 1 and the others at 0."""
    with TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.csv"
        chain.write_text("viewer,friend\n0,1\n1,2\n")
        scenario = market(
            [{}], steps=20, viewers={"count": 3, "visit_chance": 0.0}, feed={"slate": 1},
            graph={"kind": "file", "file": str(chain)}, opinions={"kind": "degroot", "pull": 0.5, "rounds_per_day": 5},
        )  # fmt: skip
        world, _, _ = prepare(scenario, [Arm(name="all")])
        opinion: Array = world.tables["viewers"]["opinion"]
        opinion[:] = np.where(np.arange(3) == one, MILLION, 0)
        for _ in range(scenario.steps):
            world.step()
    return float(opinion.mean()) / MILLION


CASES: Sequence[Case] = (
    Case(
        name="deffuant", part="community", kind="V1",
        shows="bounded confidence leaves one camp, or two where people listen to few",
        source="Deffuant, Neau, Amblard, Weisbuch (2000), Advances in Complex Systems 3: 1,000 agents, μ .5",
        method="200 meetings of each viewer with others by lot; a camp has at least 2 % of them. The median of ten "
        "worlds, since a few worlds keep a third camp that small",
        compute=deffuant,
    ),
    Case(
        name="degroot", part="community", kind="V1",
        shows="the consensus weighs each member by its place in the network of trust",
        source="DeGroot (1974), JASA 69: π W = π; W = [[.5, .5, 0], [.25, .5, .25], [0, .5, .5]]",
        method="the rule; and three viewers in a row, an edge list, who go half the way to the mean of their ties, "
        "for 100 rounds",
        compute=degroot,
    ),
)  # fmt: skip
