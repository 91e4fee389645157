"""What the market publishes of itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ecosim.scenario import Count, Facts, Share


class Board(Facts):
    """A bulletin board: prices every week, who broke promises, and what firms report.

    Attributes:
        price_memory: what last week's volume weighs in this week's trading price, relative to this week's; below 1.
        reputation_memory: what last week's deliveries weigh in this week's reputation, relative to this week's.
        report_weeks: weeks from one financial report of all firms to the next.
    """

    price_memory: Annotated[Share, Field(lt=1)] = 0.9
    reputation_memory: Share = 0.95
    report_weeks: Count = 4
