"""What the machines of makers are like."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ecosim.scenario import Amount, Facts, Share

Shape = Annotated[int, Field(ge=0, le=16)]
Weeks = Annotated[float, Field(ge=0, le=520, allow_inf_nan=False)]


class Equipment(Facts):
    """Machines that wear, fail and are repaired; each maker has the same number, and each an equal share of capacity.

    Wear is counted so that a machine fails at 1 on average. A week's wear, and the length of a repair, are sums of
    `shape` equal exponentials (Erlang, the gamma of a whole shape): the higher the shape, the less they scatter; 0 is
    without chance. A machine that was repaired or maintained is as good as new.

    Attributes:
        machines: how many each maker has.
        firms: the groups of makers that have them; empty for all makers.
        life_weeks: weeks of running after which wear comes to 1, on average.
        wear_shape: of a week's wear (0 … 16).
        threshold_spread: a machine fails at a wear within 1 ± this, drawn evenly when it is new.
        repair_weeks: mean length of a repair after a failure; the machine's capacity is gone meanwhile.
        repair_shape: of repairs (0 … 16).
        repair_cost_eur: cost of a repair.
        maintenance_weeks: length of a planned maintenance.
        maintenance_cost_eur: cost of a planned maintenance.
        inspection_cost_eur: cost of an inspection, which shows the true wear a week later and stops nothing.
        monitoring: whether machines have sensors that report wear every week.
        sensor_noise: standard deviation of a reading about the true wear.
        slows_from: the wear from which machines run slower and make rejects, in proportion up to wear 1.
        speed_loss: share of its speed that a machine has lost at wear 1.
        reject_share: share of what it makes that is scrap at wear 1.
    """

    machines: Annotated[int, Field(ge=1, le=1000)] = 1
    firms: list[str] = Field(default_factory=list)
    life_weeks: Annotated[float, Field(ge=1, le=5200, allow_inf_nan=False)]
    wear_shape: Shape = 4
    threshold_spread: Annotated[float, Field(ge=0, le=0.9)] = 0.2
    repair_weeks: Weeks = 1.0
    repair_shape: Shape = 2
    repair_cost_eur: Amount = 0.0
    maintenance_weeks: Weeks = 0.25
    maintenance_cost_eur: Amount = 0.0
    inspection_cost_eur: Amount = 0.0
    monitoring: bool = True
    sensor_noise: Share = 0.05
    slows_from: Annotated[float, Field(ge=0, lt=1)] = 0.6
    speed_loss: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    reject_share: Share = 0.0
