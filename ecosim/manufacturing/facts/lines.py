"""How a firm makes things."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.scenario import Amount, Facts, Whole


class Line(Facts):
    """A production line: what a start of production takes, and what comes of it.

    Attributes:
        setup_cost_eur: cost of each week in which production is started.
        setup_units: how much of the week's capacity a start takes.
        min_lot_units: the least that is started; a smaller plan waits.
        yield_share: the share of what is started that comes out good, on average; the rest is scrap.
        yield_kind: `fixed`, exactly that share in whole units rounded down, or `binomial`, each unit by chance.
    """

    setup_cost_eur: Amount = 0.0
    setup_units: Whole = 0
    min_lot_units: Whole = 0
    yield_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    yield_kind: Literal["fixed", "binomial"] = "fixed"
