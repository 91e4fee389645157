"""What interventions may change in a community: skill, pay, the weight of labels, fashion, visits, cash."""

from __future__ import annotations

import numpy as np

from ecosim.community.scenario import ROLES, CommunityScenario
from ecosim.community.tables import creator_niches, creator_roles, topic_niches
from ecosim.exact import MILLION
from ecosim.levers import Lever, Panel, Place

_LOG_ODDS = 50.0


def panel(scenario: CommunityScenario) -> Panel:
    """The levers; creators are named by number, role or niche, topics by name or niche, viewers by number."""
    niches = tuple(scenario.niches)
    creators = {
        "member": Place(np.arange(scenario.num_creators)),
        "role": Place(creator_roles(scenario), ROLES),
        "niche": Place(creator_niches(scenario), niches),
    }
    num_viewers = scenario.viewers.count
    return Panel(
        _LEVERS,
        {
            "creators": creators,
            "accounts": creators,
            "topics": {
                "topic": Place(np.arange(len(scenario.topics)), scenario.topics),
                "niche": Place(topic_niches(scenario), niches),
            },
            "viewers": {
                "viewer": Place(np.arange(num_viewers)),
                "role": Place(np.zeros(num_viewers, np.int64), ("viewer",)),
            },
        },
    )


_LEVERS = (
    Lever(
        table="creators",
        name="skill",
        unit="log-odds",
        about="appeal of its posts in its niche, for posts from now on",
        low=-_LOG_ODDS,
        high=_LOG_ODDS,
    ),
    Lever(
        table="creators",
        name="pay_per_view_eur",
        column="pay_per_view",
        unit="EUR/view",
        about="what advertisers pay it for a view",
        per_unit=MILLION,
    ),
    Lever(
        table="creators",
        name="label_appeal",
        unit="log-odds",
        about="what the label on its posts adds to their appeal; of AI creators viewers.ai_appeal at first, else 0",
        low=-_LOG_ODDS,
        high=_LOG_ODDS,
    ),
    Lever(
        table="topics",
        name="heat",
        unit="log-odds",
        about="what fashion adds to the appeal of posts on the topic; from then on it moves by `trends` as ever",
        low=-_LOG_ODDS,
        high=_LOG_ODDS,
        is_exogenous=True,
    ),
    Lever(
        table="viewers",
        name="visit_chance",
        unit="",
        about="chance that a viewer who has not left looks at the feed on a day",
        high=1.0,
    ),
    Lever(table="accounts", name="cash", unit="EUR", about="cash of a creator", per_unit=MILLION),
)
