"""The chapter of the audience: its phases, columns, events and figures; see `ecosim.chapter`."""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim import exact, seeds
from ecosim.community.audience import acts, figures, moods
from ecosim.community.audience.phases import SCHEMAS, ComeBack, Reflect
from ecosim.community.chapter import Chapter
from ecosim.community.facts.audience import Audience
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout
from ecosim.levers import Lever
from ecosim.meanings import Meaning, State
from ecosim.words import Table


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Add the columns of viewers and viewings.

    Draws:
        From the world's seed, keyed by the viewer: how much more or less often than others it visits (normal, in
        log-odds, with `rhythm.spread`).
    """
    facts, viewers = cast(Audience, scenario.audience), tables["viewers"]
    viewers["niche_views"] = np.zeros((viewers.num_rows, len(net.niches)), np.uint16)
    moods.start(facts, viewers)
    chance = scenario.viewers.visit_chance
    if facts.rhythm.spread and 0 < chance < 1:
        luck = seeds.normal(seeds.WORLD, replicas["world_seed"][viewers["replica"]], 0, "rhythm", (viewers["viewer"],))
        odds = chance / (1 - chance) * exact.exp(facts.rhythm.spread * luck)
        viewers["visit_chance"] = odds / (1 + odds)
    acts.add_columns(facts, tables["viewings"])
    tables["viewings"]["is_let_down"] = np.zeros(0, bool)


def _levers(scenario: CommunityScenario, net: Layout) -> tuple[Lever, ...]:
    facts = cast(Audience, scenario.audience)
    about = {
        "trust_in_platform": "trust that lets viewers stay",
        "trust_in_ai": "trust in what is labelled as made by AI",
    }
    return tuple(
        Lever(table="viewers", name=name, unit="", about=text, high=1.0, per_unit=exact.MILLION)
        for name, text in about.items()
        if getattr(facts, name) is not None
    )


def _num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    facts = cast(Audience, scenario.audience)
    moods_take = 10 * moods.MEMORY * (facts.fatigue is not None) + 8
    return {"viewers.count (× audience)": scenario.viewers.count * (2 * len(scenario.niches) + moods_take)}


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.audience is not None,
    phases={"come_back": ComeBack, "reflect": Reflect},
    schemas=SCHEMAS,
    states={
        "viewers": State(
            "a viewer",
            {"niche_views": Meaning("views", "for each niche, posts watched in all; up to 65,535"), **moods.VIEWERS},
        ),
        "viewings": State(
            "a post watched today",
            {
                **acts.VIEWINGS,
                "is_let_down": Meaning("", "whether the post breaks rules or holds less than its title promises"),
            },
        ),
    },
    build=build,
    metrics=figures.METRICS,
    kpis=figures.KPIS,
    measure=figures.measure,
    conclude=figures.conclude,
    levers=_levers,
    num_bytes=_num_bytes,
)
