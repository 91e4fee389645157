"""How a run stands before its first step: its replicas, who sits where, and what will be changed from outside."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecosim import catalog, interventions
from ecosim.arms import OTHER_LUCK, Arm, Manner, own_of
from ecosim.errors import CatalogError, ScenarioError
from ecosim.fields import Array
from ecosim.minds.mixed import mixed
from ecosim.minds.nano import NanoMind
from ecosim.minds.recipe import Recipe, cascade
from ecosim.minds.recordings import Recordings
from ecosim.minds.scripted import Experts
from ecosim.minds.seats import SCRIPTED, UNTRAINED, Seats, deal, models_of
from ecosim.models import adapter
from ecosim.models.sources import BASE
from ecosim.record.store import Folder, Store
from ecosim.scenario import Scenario
from ecosim.schedule import Schedule, Timed
from ecosim.side import Side
from ecosim.words import Mind, Table

RECORDINGS = "recordings.jsonl"


def schedule_of(ecosystem: Side, scenario: Scenario, arms: Sequence[Arm], seats: Seats, place: str) -> Schedule:
    """What is changed from outside in a run; an A/A arm meets what the arm that it repeats meets.

    Raises:
        ScenarioError: an intervention names an arm that there is not.
    """
    wrong = interventions.arm_faults(scenario, [arm.name for arm in arms])
    if wrong:
        raise ScenarioError([f"{place}: {fault}" for fault in wrong])
    names = own_of(arms)
    minds = dict.fromkeys(mind for _, _, mind in interventions.seats_wished(ecosystem, scenario))
    return Schedule(
        ecosystem,
        scenario,
        [(arm.name, _repeated(arm, arms)) for arm in arms],
        [[Timed(step, names[id(change)], change) for step, change in arm.changes] for arm in arms],
        {mind: int(seats.codes([mind])[0]) for mind in minds},
    )


def _repeated(arm: Arm, arms: Sequence[Arm]) -> str:
    """The name of the arm that an A/A arm repeats: the first with the same minds; its own of any other arm."""
    twins = [one.name for one in arms if one.minds == arm.minds and not one.has_other_luck]
    return twins[0] if arm.has_other_luck and twins else arm.name


def substitutes(ecosystem: Side, scenario: Scenario) -> dict[str, Mind]:
    """The mind that answers a poison row, by question; none if the scenario names none."""
    name = scenario.substitute
    if not name:
        return {}
    return {q: Experts(name, {q: experts[name]}) for q, experts in ecosystem.experts.items() if name in experts}


def default_folder(scenario: Scenario, name: str, now: float) -> Path:
    """`results/<scenario>/<time>-<prefix of the digest of the scenario>`."""
    digest = hashlib.sha256(json.dumps(scenario.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
    return Path("results") / name / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{digest[:8]}"


def replicas_of(scenario: Scenario, arms: Sequence[Arm]) -> Table:
    """A row a replica: arm after arm, seed after seed."""
    rows = [(a, s) for a, arm in enumerate(arms) for s in range(min(arm.num_seeds or scenario.seeds, scenario.seeds))]
    arm = np.array([a for a, _ in rows], np.int64)
    seed = np.array([s for _, s in rows], np.uint64)
    luck = np.array([OTHER_LUCK * arms[a].has_other_luck for a, _ in rows], np.uint64)
    return Table(
        {
            "replica": np.arange(len(rows)),
            "arm": arm,
            "world_seed": seed + np.uint64(scenario.world_seed),
            "mind_seed": seed + np.uint64(scenario.mind_seed) + luck,
            "is_live": np.ones(len(rows), bool),
            "fault": np.full(len(rows), "", object),
        }
    )


def seat(
    ecosystem: Side, seats: Seats, scenario: Scenario, arms: Sequence[Arm], tables: dict[str, Table], place: str
) -> None:
    """Write the `mind.<phase>` columns of all members, arm by arm, and the codes of minds that they may adopt."""
    arm_of = tables["replicas"]["arm"]
    for number, arm in enumerate(arms):
        for (role, phase), names in seats.plan(scenario.minds, arm.minds, place).items():
            table = tables[ecosystem.home(role)]
            column = f"mind.{phase}"
            if column not in table:
                table[column] = np.zeros(table.num_rows, np.int64)
            mine = (arm_of[table["replica"]] == number) & ecosystem.has_role(table, role)
            table[column][mine] = deal(seats.codes(names), _rank(table["replica"][mine]))
    for menu in list(ecosystem.menu(scenario).values())[:1]:
        tables["menu"]["code"][:] = np.tile(seats.codes(menu), tables["replicas"].num_rows)


def _rank(replica: Array) -> Array:
    """How many rows of the same replica stand before each row (rows of a replica stand together)."""
    first = np.searchsorted(replica, replica)
    return np.arange(len(replica)) - first


def seats_of(ecosystem: Side, scenario: Scenario, manner: Manner, store: Store | None) -> Seats:
    """Seats whose language minds are those of the scenario."""
    roles = tuple(role for role in ecosystem.roles if role in catalog.roles())
    at = store.path / RECORDINGS if isinstance(store, Folder) else getattr(store, "recordings", None)
    kept = Recordings(at)

    models = models_of(scenario.models)

    def make(name: str) -> Mind | Recipe:
        if name not in scenario.models and name != UNTRAINED:
            own = [role for role in roles if any(q.startswith(f"{role}.") for q in models[name])]
            if catalog.card(own[0]).weights[name].mixed is not None:
                return _mixed(ecosystem, name, own[0], manner)
            return _trained(ecosystem, name, own, manner)
        spec = scenario.models.get(name)
        if spec is not None and spec.cascade:
            assert spec.threshold is not None
            return cascade(name, make(spec.cascade[0]), make(spec.cascade[1]), spec.threshold)
        if spec is not None and spec.url:
            from ecosim.minds.remote import RemoteMind

            cards = {role: catalog.card(role) for role in roles}
            return RemoteMind(
                cards,
                spec.url,
                spec.model,
                recordings=kept,
                name=name,
                timeout_s=spec.timeout_s,
                max_concurrent=spec.max_concurrent,
            )
        return Recipe(
            name=name if spec is not None else "",
            grade=spec.grade if spec is not None else UNTRAINED,
            roles=roles,
            base=(spec.base if spec is not None else "") or BASE,
            adapter=spec.adapter if spec is not None else "",
            numerics=manner.numerics,
            batch_limit=manner.batch_limit,
        )

    return Seats(ecosystem, make, models, asked=ecosystem.asked(scenario))


def _mixed(ecosystem: Side, grade: str, role: str, manner: Manner) -> Recipe:
    """The mind behind weights with several adapters, which only one role has."""
    card = catalog.card(role)
    name = card.weights[grade].chooser
    chooser: Mind | None = None
    if name in card.weights:
        chooser = NanoMind({role: card.file(name)}, name)
    elif name:
        experts = {q: e[name] for q, e in ecosystem.experts.items() if q.startswith(f"{role}.") and name in e}
        if not experts:
            raise CatalogError(
                f"{card.folder / 'card.yaml'}: weights.{grade}.chooser: {name!r} is no grade and no expert"
            )
        chooser = Experts(name, experts)
    return mixed(card, grade, chooser, manner.numerics, manner.batch_limit)


def _trained(ecosystem: Side, grade: str, roles: Sequence[str], manner: Manner) -> Mind | Recipe:
    """The mind behind the catalogue's trained weights of a grade, for all roles of a side that have them.

    What a nano mind can't write, the scripted minds write for it.

    Raises:
        CatalogError: the weights are missing or not those of the card, or the roles do not share them.
    """
    cards = {role: catalog.card(role) for role in roles}
    weights = [card.weights[grade] for card in cards.values()]
    if all(found.model == catalog.NANO for found in weights):
        experts = {question: known[SCRIPTED] for question, known in ecosystem.experts.items() if SCRIPTED in known}
        return NanoMind({role: card.file(grade) for role, card in cards.items()}, grade, Experts(SCRIPTED, experts))
    files = {
        (w.model, card.file(grade)[0].resolve(), w.sha256) for w, card in zip(weights, cards.values(), strict=True)
    }
    if len(files) > 1:
        raise CatalogError(
            f"agents/{roles[0]}/card.yaml: weights.{grade}: {', '.join(roles)} must share one model and one adapter, "
            f"with one sha256; found {len(files)}"
        )
    model, folder, sha256 = files.pop()
    if not folder.is_dir():
        raise CatalogError(
            f"agents/{roles[0]}/card.yaml: weights.{grade}: {folder} is not there: these weights are not shipped; "
            f"`ecosim models distil {folder.parent.name}` makes them"
        )
    adapter.check(folder, sha256)
    return Recipe(
        name=grade,
        grade=grade,
        roles=tuple(roles),
        base=model,
        adapter=str(folder),
        asks=grade,
        numerics=manner.numerics,
        batch_limit=manner.batch_limit,
    )
