"""Moderation as the community has it: everything that the key `moderation` brings."""

from __future__ import annotations

from ecosim.community.chapter import Chapter
from ecosim.community.moderation import appeals, figures
from ecosim.community.moderation.appeals import Appeal
from ecosim.community.moderation.compose import Compose
from ecosim.community.moderation.experts import REVIEW, SCREEN
from ecosim.community.moderation.review import Review
from ecosim.community.moderation.screening import Screen
from ecosim.community.moderation.state import HOME, LEVERS, ROLE, SCHEMAS, STATES, build, num_bytes

CHAPTER = Chapter(
    is_in=lambda scenario: scenario.moderation is not None,
    phases={"compose": Compose, "screen": Screen, "review": Review, "appeal": Appeal},
    asks={"human_creator": ("appeal",), "ai_creator": ("appeal",), ROLE: ("screen", "review")},
    populations={ROLE: HOME},
    experts={
        f"{ROLE}.screen": SCREEN,
        f"{ROLE}.review": REVIEW,
        "human_creator.appeal": appeals.EXPERTS,
        "ai_creator.appeal": appeals.EXPERTS,
    },
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    metrics=figures.METRICS,
    kpis=figures.KPIS,
    measure=figures.measure,
    conclude=figures.conclude,
    levers=lambda scenario, net: LEVERS,
    num_bytes=num_bytes,
)
