"""What a run will take, as figures by arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(slots=True)
class Cost:
    """What an arm takes; numbers that nobody knows are NaN.

    Attributes:
        decisions: by grade.
        prompt_tokens: shown to models; computed_tokens: that went through one here (not spared by a cache), or were
            written.
        minds_s, world_s, record_s: wall seconds; they sum to the run's.
    """

    arm: str
    replicas: int
    members: int
    decisions: dict[str, float] = field(default_factory=dict)
    prompt_tokens: float = 0.0
    computed_tokens: float = 0.0
    nominal_flops: float = 0.0
    disk_bytes: float = 0.0
    minds_s: float = 0.0
    world_s: float = 0.0
    record_s: float = 0.0

    def row(self, grades: Sequence[str]) -> dict[str, Any]:
        """As a row of a table."""
        return {
            "arm": self.arm,
            "replicas": self.replicas,
            "members": self.members,
            "decisions": round(sum(self.decisions.values())),
            **{f"decisions_{grade}": round(self.decisions.get(grade, 0)) for grade in grades},
            "prompt_tokens": round(self.prompt_tokens),
            "computed_tokens": round(self.computed_tokens),
            "nominal_flops": round(self.nominal_flops),
            "disk_bytes": round(self.disk_bytes),
            "minds_s": self.minds_s,
            "world_s": self.world_s,
            "record_s": self.record_s,
            "wall_s": self.minds_s + self.world_s + self.record_s,
        }


@dataclass(slots=True, kw_only=True)
class Estimate:
    """What a run will take.

    Attributes:
        arms: in order.
        memory_bytes: the peak of the process that runs it; the report, written afterwards, is not in it.
        workers_memory_bytes: of hosts and workers, their weights included.
        load_s: to load models, before the first step; not in the wall seconds.
        wall_share: how far off the seconds may be, as a share, by what the pilots scattered.
        method: what was piloted.
    """

    arms: list[Cost]
    memory_bytes: int
    workers_memory_bytes: int
    load_s: float
    wall_share: float
    method: str

    def rows(self) -> list[dict[str, Any]]:
        """A dict an arm, and one of their total."""
        grades = list(dict.fromkeys(grade for arm in self.arms for grade in arm.decisions))
        rows = [arm.row(grades) for arm in self.arms]
        total = {name: sum(row[name] for row in rows) for name in rows[0] if name != "arm"}
        memory = {"memory_bytes": self.memory_bytes, "workers_memory_bytes": self.workers_memory_bytes}
        return [*rows, {"arm": "total", **total, **memory}]

    def frame(self) -> pd.DataFrame:
        """The rows as a table; memory is that of all arms together, NaN for one of several."""
        import pandas as pd

        table = pd.DataFrame(self.rows())
        table.attrs = {"method": self.method, "load_s": self.load_s, "wall_share": self.wall_share}
        return table
