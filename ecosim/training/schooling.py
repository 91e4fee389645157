"""Schooling: how long, how fast and in what portions a nano network is taught."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ecosim.catalog import Entry


class Schooling(Entry):
    """How a network is taught.

    Attributes:
        steps: at most.
        batch: rows a step.
        rate: learning rate at its top.
        warmup: steps until then.
        decay: of weights.
        patience: looks without a better loss after which it stops.
    """

    steps: Annotated[int, Field(ge=1)] = 3000
    batch: Annotated[int, Field(ge=1)] = 256
    rate: Annotated[float, Field(gt=0)] = 2e-3
    warmup: Annotated[int, Field(ge=0)] = 100
    decay: Annotated[float, Field(ge=0)] = 0.01
    patience: Annotated[int, Field(ge=1)] = 8
