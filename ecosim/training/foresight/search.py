"""Method `search`: a nano network for `replenish`, taught by a teacher that thinks ahead (`searcher`).

Worlds are played with searchers in the seats of all roles; a pupil learns the soft values of its role's teacher, then
acts for a share of the rows itself (DAgger), as in `distil`. What is kept of the teacher's welfare is measured in
worlds that nobody was taught in: later seeds, and other scenarios or other shocks (`held_out`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import numpy as np
from pydantic import Field

from ecosim import api
from ecosim.arms import Arm, Manner
from ecosim.catalog import Entry
from ecosim.errors import CatalogError, TrainingError
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NO_PROFIT, REASONS
from ecosim.manufacturing.welfare import THOUGHT
from ecosim.minds.nano import NanoMind
from ecosim.minds.seats import Wishes
from ecosim.models.nano.spec import NanoSpec
from ecosim.record.store import Memory
from ecosim.simulate import Finished, simulate
from ecosim.training import intervals
from ecosim.training.foresight.outlook import Reckoning, unit_costs
from ecosim.training.foresight.searcher import Searcher, Thought, searcher
from ecosim.training.imitation import lessons as files
from ecosim.training.imitation.collect import Examples, Scene, Teacher, Witness, examples, together
from ecosim.training.imitation.distil import TAUGHT, school
from ecosim.training.layouts import layout
from ecosim.training.schooling import Schooling
from ecosim.training.workbench import Workbench

if TYPE_CHECKING:
    from ecosim.models.nano.net import Net
    from ecosim.scenario import Scenario
    from ecosim.words import Mind

PHASE = "replenish"
HEADLINES = ("1.*.teacher", "1.*.teacher.low", "1.*.teacher.high", "1.*.all", "1.*.all.low", "1.*.all.high")
"""Figures that the card shows."""
ROLES = ("supplier", "manufacturer", "distributor")


class Spec(Entry):
    """A recipe of method `search`.

    Attributes:
        hidden, layers, heads, head_hidden: the network's size.
        layout: how it reads the question, in `agents/layouts/`.
        reckoning: what the firms of each role reckon with.
        thought: how long teachers think.
        rows: at most so many are kept of each round.
        train, held_out: worlds that are played for lessons, and to test in.
        beta: for each round, the chance that a row is acted by the teacher.
        first, schooling: how the pupils of the rounds, and the networks, are taught.
    """

    method: Literal["search"]
    hidden: int = 48
    layers: int = 2
    heads: int = 4
    head_hidden: int = 48
    layout: str = "replenish_search"
    reckoning: dict[str, Reckoning]
    thought: Thought = Thought()
    rows: Annotated[int, Field(ge=10)] = 20_000
    train: Annotated[list[Scene], Field(min_length=1)]
    held_out: list[Scene] = Field(default_factory=list)
    beta: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = Field(default=[1.0, 0.3])
    first: Schooling = Schooling(steps=600)
    schooling: Schooling = Schooling(steps=2000)

    def net(self, role: str) -> NanoSpec:
        """What the network of a role reads and answers."""
        size = {"hidden": self.hidden, "layers": self.layers, "heads": self.heads, "head_hidden": self.head_hidden}
        return NanoSpec(role=role, questions={PHASE: layout(self.layout)}, **size)

    def teachers(self, facts: Scenario) -> dict[str, Searcher]:
        """The teachers of a scenario, by role."""
        found = cast(ManufacturingScenario, facts)
        return {role: searcher(found, reckoning, self.thought) for role, reckoning in self.reckoning.items()}


def data(spec: Spec, bench: Workbench) -> None:
    """Play the worlds, round by round."""
    net, role = spec.net(bench.role), bench.role
    found: Examples | None = None
    learner: NanoMind | None = None
    for turn, beta in enumerate(spec.beta):
        fresh = [lessons(spec, scene, role, net, learner, beta, turn) for scene in spec.train]
        found = together([*([found] if found else []), *fresh])
        bench.say(f"{role}: round {turn + 1} of {len(spec.beta)}, {found.num_rows:,} rows")
        if turn + 1 < len(spec.beta):
            learner = NanoMind.of({role: _taught(spec, net, found, spec.first, turn)}, "pupil")
    assert found is not None
    files.save(bench.data / TAUGHT, net, {PHASE: found}, {"recipe": spec.model_dump(mode="json")})


def train(spec: Spec, bench: Workbench, seed: int) -> None:
    """A network of a seed, from its first step or from the last checkpoint; as `distil.train`."""
    school(spec.net(bench.role), {PHASE: 1.0}, spec.schooling, spec.model_dump_json(), bench, seed)


def evaluate(spec: Spec, bench: Workbench) -> dict[str, float]:
    """Welfare in held-out worlds over order-up-to: of teachers, and of networks, means over training seeds.

    A network sits among teachers (`network`), and, where the other roles of `reckoning` have trained theirs beside it,
    among networks of the same seed (`all`). `kept` is its share of the teachers' gain; intervals are of worlds, 95 %.

    Raises:
        TrainingError: none was trained.
    """
    paths = {seed: path for seed in bench.seeds.train if (path := bench.network(seed)).is_file()}
    if not paths:
        raise TrainingError(f"{bench.folder}: nothing is trained; run `ecosim models train {bench.role}`")
    figures: dict[str, float] = {}
    for at, scene in enumerate(spec.held_out):
        facts = _facts(scene)
        teachers: dict[str, Mind] = dict(spec.teachers(facts))
        casts = {"network": [{**teachers, **_networks({bench.role: path})} for path in paths.values()]}
        others = [{role: _beside(bench, role).network(seed) for role in spec.reckoning} for seed in paths]
        whole = [them for them in others if all(path.is_file() for path in them.values())]
        casts |= {"all": [_networks(them) for them in whole]} if whole else {}
        usual, taught, *learnt = welfare(facts, [{}, teachers, *(one for them in casts.values() for one in them)])[0]
        name = f"{at + 1}.{scene.scenario}"
        figures |= _gain(f"{name}.teacher", taught - usual)
        for who, them in casts.items():
            gains, learnt = np.array(learnt[: len(them)]) - usual, learnt[len(them) :]
            figures |= _gain(f"{name}.{who}", gains.mean(axis=0))
            figures[f"{name}.{who}.sd_over_trainings"] = float(gains.mean(axis=1).std(ddof=min(1, len(them) - 1)))
            low, high = intervals.ratio(gains.mean(axis=0), taught - usual)
            share = float(gains.mean() / (taught - usual).mean())
            figures |= {f"{name}.{who}.kept": share, f"{name}.{who}.kept_low": low, f"{name}.{who}.kept_high": high}
    return figures


def _gain(name: str, gain: Array) -> dict[str, float]:
    mean, reach = intervals.mean(gain)
    return {name: mean, f"{name}.low": mean - reach, f"{name}.high": mean + reach}


def _networks(paths: Mapping[str, Path]) -> dict[str, Mind]:
    return {role: NanoMind({role: (path, None)}) for role, path in paths.items()}


def _beside(bench: Workbench, role: str) -> Workbench:
    """The workbench of the same product of another role."""
    return replace(bench, role=role, folder=bench.folder.parent.parent / role / bench.folder.name)


def teacher(role: str, phase: str) -> Teacher:
    """A searcher needs the facts of its world, so there is none for a question alone.

    Raises:
        CatalogError: always; it says what to write instead.
    """
    raise CatalogError(f"{role}.{phase}: a search teacher knows its scenario; write a product with method: search")


def lessons(
    spec: Spec, scene: Scene, role: str, net: NanoSpec, learner: NanoMind | None, beta: float, turn: int
) -> Examples:
    """What a world teaches a role; searchers sit in the seats of the others."""
    facts = _facts(scene)
    minds: dict[str, Mind] = dict(spec.teachers(facts))
    witness = Witness(cast(Searcher, minds[role]), learner, beta, turn=turn)
    minds[role] = witness
    _play(facts, [minds])
    found = together([examples(net, lesson) for lesson in witness.notes])
    if found.num_rows <= spec.rows:
        return found
    order: Array = np.random.Generator(np.random.Philox(key=[turn, spec.rows])).permutation(found.num_rows)
    return found.take(np.sort(order[: spec.rows]))


def welfare(facts: Scenario, casts: Sequence[Mapping[str, Mind]]) -> tuple[Array, Array]:
    """What all firms earn together, without what their minds cost, in EUR: (casts, seeds); and with what is left.

    Each cast of minds for `replenish`, by role, plays the same worlds; an empty one is the scenario's own. What is left
    at the end, in stock or on its way, is worth nothing in the first figure and its cost of making in the second.
    """
    world = _play(facts, casts).world
    ledger, accounts = world.ledger, world.ledger.accounts
    counted = [i for i, why in enumerate(REASONS) if why not in (*NO_PROFIT, *THOUGHT)]
    is_member = accounts["is_member"]
    cash = accounts["cash_by_reason"][:, counted].sum(axis=1) / MILLION
    goods = accounts["balance"][:, 1:] @ unit_costs(cast(ManufacturingScenario, facts)) / MILLION**2
    home = accounts["replica"]
    transit = goods[ledger.outside("transit", np.arange(world.num_replicas))]
    earned = np.bincount(home, np.where(is_member, cash, 0.0), world.num_replicas)
    left = np.bincount(home, np.where(is_member, goods, 0.0), world.num_replicas) + transit
    return earned.reshape(len(casts), -1), (earned + left).reshape(len(casts), -1)


def _play(facts: Scenario, casts: Sequence[Mapping[str, Mind]]) -> Finished:
    wishes = [{f"{role}.{PHASE}": mind for role, mind in minds.items()} for minds in casts]
    arms = [Arm(name=f"cast {i}", minds=cast(Wishes, wish)) for i, wish in enumerate(wishes)]
    return simulate(facts, arms, Memory(), Manner(keep_events=False), place=facts.title)


def _facts(scene: Scene) -> Scenario:
    found = api.facts(scene.scenario, scene.seeds, scene.steps, scene.changes)
    return found.with_changes(world_seed=scene.world_seed, mind_seed=scene.world_seed)


def _taught(spec: Spec, net: NanoSpec, found: Examples, schooling: Schooling, seed: int) -> Net:
    """A network of a seed after its lessons."""
    from ecosim.models.nano.net import Net
    from ecosim.training.imitation.pupil import begin, learn

    state = begin(Net(net, seed), schooling)
    learn(state, {PHASE: found}, {PHASE: 1.0}, schooling, seed)
    return state.net
