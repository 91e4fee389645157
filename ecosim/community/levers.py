"""What interventions may change in a community: skill, pay, the weight of labels, fashion, visits, cash."""

from __future__ import annotations

from ecosim.exact import MILLION
from ecosim.levers import Lever

_LOG_ODDS = 50.0


def levers() -> tuple[Lever, ...]:
    """The levers of every community."""
    return _LEVERS


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
