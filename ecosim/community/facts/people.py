"""Niches, the creators who are at home in them, and the unit of appeal.

Appeal is measured in log-odds throughout: a post of appeal 0 is watched by one of two viewers who see nothing else and
for whom doing something else is worth 0 too. So a scenario can state a chance q of watching as log(q / (1 − q)).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.scenario import Amount, Count, Facts, Whole

CreatorRole = Literal["human_creator", "ai_creator"]
ROLES: tuple[CreatorRole, ...] = ("human_creator", "ai_creator")
LogOdds = Annotated[float, Field(ge=-50, le=50, json_schema_extra={"unit": "log-odds"})]


class Niche(Facts):
    """A field that creators and viewers are at home in.

    Attributes:
        topics: what posts of the niche are about.
        audience: how many viewers it is the favourite niche of, relative to the other niches.
    """

    topics: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    audience: Count = 1


class Creators(Facts):
    """A group of like creators.

    Attributes:
        role: human or AI.
        niche: where its skill lies.
        count: how many.
        skill: appeal of its posts in its niche, log-odds.
        skill_spread: standard deviation of skill within the group, drawn once a replica.
        cash_eur: what each owns before day 1.
        at_start: with `entry`, how many are there on day 1, the others wait; all if not said.
        upkeep_eur_per_day: with `entry`, what being there costs each a day.
        outside_eur_per_day: with `entry`, what each could earn elsewhere a day.
    """

    role: CreatorRole
    niche: str
    count: Count = 1
    skill: LogOdds = 0.0
    skill_spread: Amount = 0.0
    cash_eur: Amount = 0.0
    at_start: Whole | None = None
    upkeep_eur_per_day: Amount = 0.0
    outside_eur_per_day: Amount = 0.0
