"""The market of last resort."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ecosim.scenario import Count, Facts, Share


class Spot(Facts):
    """Where any quantity of any item can be had or sold at once, for worse than anything that could be negotiated.

    Attributes:
        markup_share: what a unit costs there above the going price, as a share of it, at least.
        markdown_share: what a unit brings there below the going price, as a share of it, at least.
        cover_share: which part of what negotiations have left open firms buy there the same week.
        sell_above_weeks: firms sell there what they have above so many weeks of demand; nothing by default.
    """

    markup_share: Annotated[float, Field(ge=0, le=100)] = 0.5
    markdown_share: Share = 0.5
    cover_share: Share = 0.0
    sell_above_weeks: Count | None = None
