"""What the report reads of a run: each table once, in the order in which it will be drawn.

A run may have kept no events, may have failed before it had KPIs, and may hold a thousand replicas: whoever asks gets
an empty table, never an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecosim.exact import MILLION
from ecosim.side import Figure

if TYPE_CHECKING:
    import pyarrow as pa

    from ecosim.explore import Run

MAX_EXAMPLES = 4
"""Arms of which single talks are shown."""

KPI_COLUMNS = ("replica", "metric", "group", "value", "unit", "arm")


class Source:
    """A run, as sections see it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.manifest: dict[str, Any] = run.manifest
        self.arms: list[str] = run.arms

    @cached_property
    def tables(self) -> list[str]:
        """The event tables that hold rows."""
        return self.run.tables

    def events(self, name: str, columns: Sequence[str] = (), **equal: int | Sequence[int]) -> pd.DataFrame:
        """Rows of an event table in natural units; empty, without columns, where the run has none.

        A run of a thousand firms has millions of rows, so they are read part by part and cut down before they are
        pandas'.

        Args:
            name: of the table.
            columns: which; all by default. One that an older run lacks is left out.
            equal: columns, and the value or values that rows must have there.
        """
        import pyarrow as pa

        pieces = [_cut(piece, columns, equal) for piece in self._pieces(f"events/{name}")]
        if not pieces:
            return pd.DataFrame()
        frame: pd.DataFrame = pa.concat_tables(pieces, promote_options="default").to_pandas()
        schema = self.run.side.events.get(name)
        for column in schema.columns if schema else ():
            if column.unit.endswith("/1e6") and column.name in frame:
                frame[column.name] = frame[column.name] / MILLION
        return frame

    def ops(self, name: str) -> pd.DataFrame:
        """A table that depends on where the run was computed, such as calls; empty where there is none."""
        import pyarrow as pa

        pieces = list(self._pieces(f"ops/{name}"))
        return pa.concat_tables(pieces, promote_options="default").to_pandas() if pieces else pd.DataFrame()

    def decisions_of_models(self) -> pd.DataFrame:
        """What was kept of each decision of a language mind, for its cost: `replica, flops, question`."""
        names = [name for name in self.run._store.names() if name.startswith("decisions/")]
        pieces = [
            piece.select(["replica", "flops"]).to_pandas().assign(question=name.removeprefix("decisions/"))
            for name in names
            for piece in self._pieces(name)
        ]
        return pd.concat(pieces) if pieces else pd.DataFrame(columns=["replica", "flops", "question"])

    def _pieces(self, name: str) -> Iterator[pa.Table]:
        return self.run._store.pieces(name)  # the run gives whole tables only, as a reader at the prompt wants them

    @cached_property
    def examples(self) -> list[int]:
        """Replicas that single talks, posts and networks are taken from: the first whole one of each arm."""
        whole = [(int(r), str(arm)) for r, arm in self.run.replicas["arm"].items() if r not in self.faults]
        first = {arm: replica for replica, arm in reversed(whole)}
        return sorted(first.values())[:MAX_EXAMPLES] or [0]

    @cached_property
    def interventions(self) -> list[int]:
        """Steps at which the scenario, or somebody, changed the world."""
        frame = self.events("interventions", ["step"])
        return sorted({int(step) for step in frame["step"]}) if "step" in frame else []

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What the scenario, or somebody, changed, a row a replica, with its arm; empty where nothing was."""
        frame = self.events("interventions")
        if not {"replica", "intervention", "what", "rows"} <= set(frame):
            return pd.DataFrame()
        return frame.assign(arm=self.run.replicas["arm"].astype(str).to_numpy()[frame["replica"]])

    @cached_property
    def kpis(self) -> pd.DataFrame:
        """KPIs, long; empty for a run that did not reach its end."""
        if "kpis" not in self.run._store.names():
            return pd.DataFrame(columns=list(KPI_COLUMNS))
        return self.run.kpis

    @cached_property
    def metrics(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Every metric by (name, group); one that is nan or 0 throughout is not among them."""
        if not self._has_metrics:
            return {}
        frame = self.run.metrics
        parts = frame.groupby(["metric", "group"], sort=False, observed=True)
        return {(str(name), str(group)): part for (name, group), part in parts if _says_something(part["value"])}

    @cached_property
    def silent(self) -> list[tuple[str, str]]:
        """Metrics that are nan or 0 throughout."""
        if not self._has_metrics:
            return []
        frame = self.run.metrics
        pairs = frame[["metric", "group"]].drop_duplicates()
        known = [(str(metric), str(group)) for metric, group in pairs.itertuples(index=False)]
        return [pair for pair in known if pair not in self.metrics]

    @property
    def _has_metrics(self) -> bool:
        """Whether the run got through a step."""
        return "metrics" in self.run._store.names()

    def groups(self, metric: str) -> list[str]:
        """The groups of a metric that can be drawn, in the order in which they are measured."""
        return [group for name, group in self.metrics if name == metric]

    def figure(self, metric: str, known: str = "metrics") -> Figure:
        """Unit and definition of a metric, or with `known="kpis"` of a KPI."""
        figures = self.run.side.metrics if known == "metrics" else self.run.side.kpis
        return figures.get(metric, Figure("", "not described by this ecosystem"))

    @cached_property
    def num_replicas(self) -> int:
        """How many replicas, of all arms."""
        return len(self.manifest["replicas"]["arm"])

    def replicas_by_arm(self) -> dict[str, int]:
        """How many replicas each arm has."""
        return {str(arm): int(n) for arm, n in self.run.replicas["arm"].value_counts(sort=False).items()}

    def named(self, replica: int) -> str:
        """A replica in words: its number, its world seed, and its arm if there are several."""
        row = self.run.replicas.iloc[replica]
        arm = f", arm “{row['arm']}”" if len(self.arms) > 1 else ""
        return f"replica {replica} (world seed {row['world_seed']}{arm})"

    @property
    def faults(self) -> dict[int, str]:
        """Replicas that broke a law and were frozen, with the reason."""
        return {int(replica): str(fault) for replica, fault in self.manifest.get("faults", {}).items()}

    @cached_property
    def twin_arms(self) -> list[str]:
        """Arms with the first arm's minds and other luck: A/A controls."""
        first = self.manifest["arms"][0]["minds"]
        replicas = self.run.replicas
        luck = {arm: _luck(replicas, arm) for arm in self.arms}
        same = [arm["name"] for arm in self.manifest["arms"][1:] if arm["minds"] == first]
        return [arm for arm in same if luck[arm] != luck[self.arms[0]]]

    def language_grades(self) -> list[str]:
        """Grades of minds that guess: all but scripted ones."""
        grades = [mind["grade"] for mind in self.manifest.get("minds", []) if mind["grade"] != "scripted"]
        return list(dict.fromkeys(grades))


def _cut(piece: pa.Table, columns: Sequence[str], equal: dict[str, int | Sequence[int]]) -> pa.Table:
    """Some columns of the rows that have these values."""
    import pyarrow.compute as pc

    for column, value in equal.items():
        wanted = [value] if isinstance(value, int) else list(value)
        piece = piece.filter(pc.field(column).isin(wanted))
    return piece.select([name for name in columns if name in piece.column_names]) if columns else piece


def _luck(replicas: pd.DataFrame, arm: str) -> Sequence[int]:
    seeds: list[int] = replicas.loc[replicas["arm"] == arm, "mind_seed"].tolist()
    return seeds


def _says_something(values: pd.Series[float]) -> bool:
    return bool((values.notna() & (values != 0)).any())
