"""A run as a researcher holds it: DataFrames, plots and a report; from Python or Jupyter.

Units are natural here (euros, units of goods): columns that the record keeps in millionths are divided on the way out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, cast

import pandas as pd

from ecosim import contrast, simulate
from ecosim.errors import RunError
from ecosim.exact import MILLION
from ecosim.record import document
from ecosim.record.store import Store
from ecosim.scenario import Scenario, build
from ecosim.side import Side

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes

    from ecosim.interview import Asking, Interview
    from ecosim.manufacturing.scenario import ManufacturingScenario
    from ecosim.plots import Plots
    from ecosim.rerun import Own
    from ecosim.why import Which, Why
    from ecosim.world import World

ANSWER_COLUMNS = (
    "replica", "step", "question", "member", "counterpart", "item", "round", "field", "prompt", "answer", "options",
    "scores", "logp", "margin", "flops", "arm",
)  # fmt: skip


class Run:
    """A finished run, from memory or from its folder.

    Attributes:
        manifest: scenario, seeds, digests, minds, machine, times: everything that is needed to say what this run was.
        path: its folder; None for a run in memory.
    """

    def __init__(
        self, store: Store, path: Path | None = None, world: World | None = None, own: Own | None = None
    ) -> None:
        self._store = store
        self._world = world
        self._own = dict(own or {})
        self.path = path
        self.manifest = document.read(store, path or "this run")

    def __repr__(self) -> str:
        replicas = len(self.manifest["replicas"]["arm"])
        where = f", {self.path}" if self.path else ""
        return f"<Run {self.title!r}: {replicas} replicas × {self.manifest.get('steps_done', 0)} steps{where}>"

    def _repr_html_(self) -> str:
        from ecosim.card import card

        return card(self)

    @property
    def title(self) -> str:
        """The scenario's title."""
        return str(self.manifest["scenario"]["title"])

    @cached_property
    def side(self) -> Side:
        """The ecosystem."""
        return simulate.side(self.manifest["scenario"]["world"])

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario, resolved."""
        return build(self.side.kind, self.manifest["scenario"], place="manifest")

    @property
    def arms(self) -> list[str]:
        """The names of the arms."""
        return [arm["name"] for arm in self.manifest["arms"]]

    @cached_property
    def replicas(self) -> pd.DataFrame:
        """A row a replica: `arm`, `world_seed`, `mind_seed`."""
        frame = pd.DataFrame(self.manifest["replicas"])
        frame["arm"] = [self.arms[code] for code in frame["arm"]]
        frame.index.name = "replica"
        return frame

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Figures of every step, long: `replica, step, metric, group, value, unit, arm`."""
        return self._with_arm(self._store.read("metrics").to_pandas())

    @cached_property
    def kpis(self) -> pd.DataFrame:
        """Figures of whole replicas, long: `replica, metric, group, value, unit, arm`.

        Raises:
            RunError: the run did not reach its end.
        """
        if self.manifest["status"] != "done":
            raise RunError(
                f"KPIs are those of whole runs, and this one is {self.manifest['status']} after step "
                f"{self.manifest.get('steps_done', 0)} of {self.manifest['scenario']['steps']}; run.metrics and "
                "run.events(...) have what happened until then"
            )
        return self._with_arm(self._store.read("kpis").to_pandas())

    @cached_property
    def members(self) -> pd.DataFrame:
        """Who is who: `replica, arm, member, name, role`, and a column a phase: the mind that answers there at first.

        A column is empty where a role is not asked. A population (the viewers of a platform) has no rows here.
        """
        from ecosim.report.seating import seats
        from ecosim.report.source import Source

        role = pd.Series(list(self.side.roles)).take(self.side.member_roles(self.scenario)).to_numpy()
        people = pd.DataFrame({"name": self._names["member"], "role": role}).rename_axis("member").reset_index()
        rank = people.groupby("role").cumcount()
        asked_of = self.side.asked(self.scenario)
        phases = dict.fromkeys(phase for who in dict.fromkeys(role) for phase in asked_of[who])
        by_arm = []
        for arm in self.arms:
            minds = seats(Source(self), arm)
            asked = {
                phase: [_dealt(minds.get((who, phase), [""]), i) for who, i in zip(role, rank, strict=True)]
                for phase in phases
            }
            by_arm.append(people.assign(arm=arm, **asked))
        rows = self.replicas[["arm"]].reset_index().merge(pd.concat(by_arm), on="arm")
        return rows[["replica", "arm", "member", "name", "role", *phases]]

    @cached_property
    def answers(self) -> pd.DataFrame:
        """What language minds read, what they could answer with which scores, and what they answered: a row a field.

        Members, counterparts and items are named; `options` and `scores` (natural-log likelihoods) are lists.
        """
        if "answers" not in self.tables:
            return pd.DataFrame(columns=list(ANSWER_COLUMNS))
        frame = self._with_arm(self._store.read("events/answers").to_pandas()).rename(columns={"subject": "member"})
        is_member = ~frame["question"].str.split(".").str[0].isin(self.side.populations)
        for column, of in (("member", "member"), ("counterpart", "member"), ("item", "item")):
            words = named(frame[column], self._names.get(of, ()))
            frame[column] = words.where(is_member, frame[column].astype(str)) if of == "member" else words
        for column in ("options", "scores"):
            frame[column] = frame[column].map(json.loads)
        return frame[list(ANSWER_COLUMNS)]

    def events(self, name: str, names: bool = False) -> pd.DataFrame:
        """One event table in natural units; `run.tables` names them.

        Args:
            name: of the table.
            names: gives words for numbers: names of members, items and topics, acts and outcomes.

        Raises:
            RunError: there is no such table, or it holds no rows.
        """
        known = {table.removeprefix("events/") for table in self._store.names() if table.startswith("events/")}
        if name not in known:
            raise RunError(f"no events {name!r} in this run; it has {', '.join(sorted(known)) or 'none'}")
        frame = self._store.read(f"events/{name}").to_pandas()
        schema = self.side.events.get(name)
        for column in schema.columns if schema else ():
            if column.unit.endswith("/1e6"):
                frame[column.name] = frame[column.name] / MILLION
            words = column.codes or self._names.get(column.of, ())
            if names and words:
                frame[column.name] = named(frame[column.name], words)
        return frame

    def series(self, table: str, column: str, how: str = "sum", **where: object) -> pd.DataFrame:
        """A column of an event table over time, for some of its rows: a row a step, a column a replica.

        Args:
            table, column: as in `run.events`.
            how: what is made of several rows of a step, as pandas names it: `sum` (0 where there are none), `mean`, …
            where: what other columns have to be, in words or numbers: `member="distributor_1"`, `item=["pump"]`.

        Raises:
            RunError: there is no such table, column or name.
        """
        frame = self.events(table, names=True)
        for name in (column, *where):
            _known(name, list(frame.columns), f"column of {table}")
        schema = self.side.events.get(table)
        of = {c.name: c.codes or self._names.get(c.of, ()) for c in schema.columns} if schema else {}
        for name, wanted in where.items():
            choices = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
            for choice in choices if of.get(name) else ():
                _known(str(choice), of[name], name)
            frame = frame[frame[name].isin(choices)]
        wide = frame.pivot_table(index="step", columns="replica", values=column, aggfunc=how)
        steps = pd.RangeIndex(1, self.manifest.get("steps_done", 0) + 1, name="step")
        wide = wide.reindex(index=steps, columns=self.replicas.index)
        return wide.fillna(0) if how in ("sum", "count") else wide

    def graph(self, replica: int = 0) -> nx.MultiDiGraph[str]:
        """Who sold how much to whom in one replica: firms by name with their role, an edge an item with its `units`.

        Raises:
            RunError: nothing was contracted in this run.
        """
        contracts = self.events("contracts")
        return trades(contracts[contracts["replica"] == replica], cast("ManufacturingScenario", self.scenario))

    @property
    def tables(self) -> list[str]:
        """The event tables that hold rows; `answers` are the language minds' prompts, scores and answers."""
        return [name.removeprefix("events/") for name in self._store.names() if name.startswith("events/")]

    def world(self, replica: int) -> World:
        """One replica as it stands at the end, as a Mesa model of its own: `world.agents`, `world.step()`.

        Raises:
            RunError: the run was loaded from a folder, which holds events but no tables.
        """
        if self._world is None:
            raise RunError("a run loaded from a folder has no world to step; ecosim.replay(folder) gives it one")
        if not 0 <= replica < self._world.num_replicas:
            raise RunError(f"replica {replica} is not in 0 … {self._world.num_replicas - 1}")
        return self._world.replica(replica)

    @cached_property
    def plot(self) -> Plots:
        """Ready plots, each giving Matplotlib's axes: `run.plot("stock_units")`, `run.plot.network()` and more."""
        from ecosim.plots import Plots

        return Plots(self)

    def why(self, step: int, member: int, *, own: Own | None = None, **narrowing: Unpack[Which]) -> Why:
        """Why a member answered as it did: what it saw, its scores, what each column was worth, what would flip it.

        Args:
            step: from 1.
            member: its id, as in `subject` of decisions.
            own: your own functions and minds that sat in the run, by name; those of a run just made are known.
            narrowing: `replica` (0), and `phase`, `counterpart`, `item`, `round` where it was asked several things;
                `tries` a column; `ask=False` shows what was recorded only.

        Raises:
            RunError: no such question, or several, or the mind is no longer what it was.
            CatalogError: its model can't be had.
        """
        from ecosim import why

        return why.explain(self._store, step, member, own={**self._own, **(own or {})}, **narrowing)

    def ask(
        self,
        step: int,
        member: int | Sequence[int] | str,
        question: str,
        *,
        own: Own | None = None,
        **how: Unpack[Asking],
    ) -> Interview:
        """Ask members something at the end of a step, in words; the run is not touched.

        Args:
            member: its id, several, or a role.
            question: such as "What do you think of your stock?"
            own: your own language minds that sat in the run, by name; those of a run just made are known.
            how: `replica` (0), `max_tokens` (60); `voice="untrained"` lets the base model speak for others.

        Raises:
            RunError: no such member, or it has no language.
            CatalogError: the model can't be had.
        """
        from ecosim.interview import interview

        members = [member] if isinstance(member, int) else member
        return interview(self._store, step, members, question, own={**self._own, **(own or {})}, **how)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file that needs no network; into the run's folder by default."""
        from ecosim.report import page

        target = Path(path) if path is not None else (self.path or Path()) / "report.html"
        try:
            page.write(self, target)
        except OSError as error:
            raise RunError(f"{target}: the report cannot be written: {error.strerror}; name another place") from error
        return target

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Every table as a CSV file, with names and natural units, in a folder to be made; gives the files.

        Raises:
            RunError: the folder is there already, or cannot be written.
        """
        from ecosim import spreadsheet

        return spreadsheet.write(self, Path(folder))

    @property
    def changed_in(self) -> list[int]:
        """The steps in which something was changed from outside, in any arm."""
        own = [made["step"] for arm in self.manifest["arms"] for made in arm.get("interventions", [])]
        planned = {*own, *(item.step for item in self.scenario.interventions)}
        return sorted(step for step in planned if step <= self.manifest.get("steps_done", 0))

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        return self.side.names(self.scenario)

    def _with_arm(self, frame: pd.DataFrame) -> pd.DataFrame:
        frame["arm"] = self.replicas["arm"].to_numpy()[frame["replica"]]
        return frame


class Comparison:
    """Arms of one run against its first arm, in pairs of equal world seeds.

    Attributes:
        run: the run that holds all arms.
        table: a row a KPI and arm: means, difference, 95 % interval, p-value, pairs.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.table = contrast.differences(run.kpis, run.replicas, run.arms)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.run.arms)}: {len(self.table)} rows>"

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Every difference with its interval, in standard deviations of the first arm, so that all share an axis."""
        return contrast.plot(self.table, ax)

    def report(self, path: str | Path | None = None) -> Path:
        """The report of the run, which shows the comparison first."""
        return self.run.report(path)


def trades(contracts: pd.DataFrame, scenario: ManufacturingScenario) -> nx.MultiDiGraph[str]:
    """Contracts of one replica as a network of firms by name: nodes with `role`, an edge an item with its `units`."""
    import networkx as nx

    from ecosim.manufacturing.state import ROLES, layout

    net = layout(scenario)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for firm, name in enumerate(net.names):  # those that traded nothing are there too
        graph.add_node(name, role=ROLES[net.role[firm]], layer=int(net.role[firm]))
    flows = contracts.groupby(["seller", "buyer", "item"], as_index=False)["quantity"].sum()
    for flow in flows.itertuples():
        item = net.items[flow.item]
        graph.add_edge(net.names[flow.seller], net.names[flow.buyer], key=item, item=item, units=flow.quantity)
    return graph


def named(codes: pd.Series[int], words: Sequence[str]) -> pd.Series[str]:
    """The word for each code; "" for a code below 0, which stands for nobody."""
    lexicon = pd.Series([*words, ""], dtype=object)
    return pd.Series(lexicon.take(codes.clip(lower=-1)).to_numpy(), index=codes.index)


def _dealt(minds: Sequence[str], rank: int) -> str:
    """The mind of the member of that rank in its role: seats are dealt out in turn."""
    return minds[rank % len(minds)]


def _known(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known[:20])}"
        raise RunError(f"no {what} {name!r} in this run; {hint}")
