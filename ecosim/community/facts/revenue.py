"""What the platform takes in, what it keeps, and how the rest goes to creators."""

from __future__ import annotations

from typing import Literal

from ecosim.scenario import Amount, Count, Facts, Share


class Revenue(Facts):
    """The platform takes in what views and viewers bring, and shares it out; without it, advertisers pay creators.

    What comes in are `ads_eur_per_view`, and `fee_eur_per_day` of every viewer who is there. Settled is every
    `every_days` days. Fees of a viewer who watched nothing until then are shared like those of all; where nobody
    watched anything the platform keeps what came in.

    Attributes:
        fee_eur_per_day: what every viewer who is there pays a day, the last one too.
        platform_share: what the platform keeps of it all.
        rule: `pro_rata`, all money by what was watched in all; `user_centric`, each viewer's own by what this viewer
            watched; `shapley`, each viewer's own in equal parts to all whom this viewer watched at all.
        by: what counts: views, or time watched (where viewers decide on it; a view counts as a whole one elsewhere).
        every_days: days between settlements.
    """

    fee_eur_per_day: Amount = 0.0
    platform_share: Share = 0.0
    rule: Literal["pro_rata", "user_centric", "shapley"] = "pro_rata"
    by: Literal["views", "watch_time"] = "views"
    every_days: Count = 1
