"""Practice: how long, how fast and against whom a player learns to negotiate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ecosim.catalog import Entry


class Practice(Entry):
    """How a player is trained.

    Attributes:
        steps, talks: how often, and how many talks each time.
        passes: over the moves of a step.
        rate: of learning, at first; it falls to a twentieth.
        entropy: what a nat of it is worth at first, in deviations of a share; it falls to a tenth.
        itself, exploiters: shares of talks with itself, and with exploiters.
        refresh: a new exploiter joins every so many steps; the last `keep` stay.
        least: a deal that brings less than this share counts as a loss.
        hidden: width of the player's layers.
    """

    steps: Annotated[int, Field(ge=1)] = 100
    talks: Annotated[int, Field(ge=16)] = 2048
    passes: Annotated[int, Field(ge=1)] = 3
    rate: Annotated[float, Field(gt=0)] = 1e-3
    entropy: Annotated[float, Field(ge=0)] = 0.02
    itself: Annotated[float, Field(ge=0, le=1)] = 0.1
    exploiters: Annotated[float, Field(ge=0, le=1)] = 0.2
    refresh: Annotated[int, Field(ge=1)] = 20
    keep: Annotated[int, Field(ge=1)] = 3
    least: Annotated[float, Field(ge=0, le=0.5)] = 0.3
    hidden: Annotated[int, Field(ge=8)] = 96
