"""A page for Mesa's SolaraViz: sliders for a scenario's keys, two metrics as they go, and who trades with whom.

    solara run ecosim.mesa_page

shows the market; another scenario is a file of two lines, `solara run app.py`:

    from ecosim.mesa_page import show
    page = show("creator_community", {"feed.slate": (1, 8)}, ["views", "attention_gini"])

Needs `pip install 'ecosim[viz]'`: Mesa's pages need Solara, Altair, and ipyvuetify below 3 (Vuetify 2), as of Mesa 3.3.
Beside `world` this is the only module that knows Mesa.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from ecosim import simulate
from ecosim.ecosystem import Ecosystem
from ecosim.errors import RunError, ScenarioError
from ecosim.exact import MILLION
from ecosim.explore import trades
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.plots import draw_network
from ecosim.report.words import label, title
from ecosim.scenario import Scenario
from ecosim.words import Table, concat

try:
    solara: Any = importlib.import_module("solara")  # an extra, without types
    import mesa

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*ComponentsView", category=UserWarning)  # Mesa's own hooks
        from mesa.visualization import Slider, SolaraViz
        from mesa.visualization.utils import update_counter
except ImportError as error:
    raise RunError(f"this page needs {error.name}: pip install 'ecosim[viz]'") from None

SEEDS = (1, 50)
"""Worlds that the page offers."""
MARKET_SLIDERS = {"lead_time_weeks": (1, 4), "negotiation.private_spread": (0.0, 0.3), "demand.sd_units": (0.0, 15.0)}
MARKET_METRICS = ("deal_price_eur", "stock_units")


class Shown(Ecosystem):
    """An ecosystem of one replica that remembers what its page draws.

    Args:
        scenario, seed: which world; the world seed.
        metrics: the metrics to be collected, with all their groups.
        kwargs: other keys of the scenario, dotted ones too; Mesa knows them by this name only.
    """

    def __init__(self, scenario: str, metrics: Sequence[str], seed: int = 1, **kwargs: object) -> None:
        super().__init__(scenario, changes={**kwargs, "world_seed": seed})
        self.metrics = tuple(metrics)
        self.collected: list[dict[tuple[str, str], float]] = []
        self.contracts: list[Table] = []
        self.datacollector = mesa.DataCollector(agent_reporters={"cash_eur": "cash_eur"})

    def step(self) -> None:
        """A step, and what there is to be drawn of it."""
        super().step()
        figures = {key: float(values[0]) for key, values in self.figures.items() if key[0] in self.metrics}
        self.collected.append(figures)
        if "contracts" in self.events:
            self.contracts.append(self.events["contracts"])
        self.datacollector.collect(self)


def show(scenario: str | Path, sliders: Mapping[str, tuple[float, float]], metrics: Sequence[str]) -> Any:
    """A page of a scenario, a Solara element; name it `page` in a file for `solara run`.

    Args:
        scenario: a name from the catalogue, or a YAML file.
        sliders: lowest and highest value by dotted key.
        metrics: what is drawn over time.

    Raises:
        ScenarioError: a key or a metric is unknown.
    """
    facts = simulate.load_scenario(scenario, {key: low for key, (low, _) in sliders.items()})
    unknown = [name for name in metrics if name not in simulate.side(facts.world).metrics]
    if unknown:
        known = ", ".join(simulate.side(facts.world).metrics)
        raise ScenarioError(f"metrics: unknown {unknown[0]!r}; known: {known}")
    usual = simulate.load_scenario(scenario)
    params: dict[str, Any] = {"scenario": str(scenario), "metrics": tuple(metrics)}
    params["seed"] = Slider("world seed", usual.world_seed, *SEEDS, 1)
    params |= {key: _slider(key, usual, limits) for key, limits in sliders.items()}

    return _page(usual.title, str(scenario), tuple(metrics), params)


def figure_of(model: Shown, metric: str) -> Any:
    """A metric with all its groups, step by step."""
    figure, ax = _figure()
    frame = pd.DataFrame(model.collected, index=range(1, len(model.collected) + 1))
    for name, group in frame.columns if len(frame) else ():
        if name == metric:
            ax.plot(frame.index, frame[name, group], label=label(group) or "all")
    ax.set_xlabel(model.side.step_name)
    ax.set_ylabel(f"{label(metric)} ({model.side.metrics[metric].unit})".removesuffix(" ()"))
    ax.set_xlim(1, max(2, model.scenario.steps))
    ax.set_ylim(bottom=0)
    if ax.get_lines():
        ax.legend(frameon=False, fontsize="small")
    return figure


def figure_of_members(model: Shown) -> Any:
    """Who has sold how much to whom so far; where nothing is sold, the members' cash in order."""
    figure, ax = _figure()
    if "contracts" in model.side.events:
        draw_network(trades(_frame(model.contracts), cast(ManufacturingScenario, model.scenario)), ax)
        ax.set_title(f"contracts until {model.side.step_name} {model.steps}", loc="left", fontsize="medium")
        return figure
    cash = sorted(((member.cash_eur, member.role_name) for member in model.agents), reverse=True)
    for i, role in enumerate(dict.fromkeys(role for _, role in cash)):
        mine = [(rank, eur) for rank, (eur, its) in enumerate(cash, start=1) if its == role]
        ax.bar(*np.array(mine).T, color=f"C{i}", label=title(role))
    ax.set_xlabel("members, the richest first")
    ax.set_ylabel("cash (EUR)")
    ax.legend(frameon=False, fontsize="small")
    return figure


@solara.component  # type: ignore[untyped-decorator]
def _page(name: str, scenario: str, metrics: tuple[str, ...], params: Mapping[str, Any]) -> None:
    model = solara.use_memo(lambda: Shown(scenario, metrics), [])  # whoever opens the page has a world of its own
    drawings = [*(partial(figure_of, metric=metric) for metric in metrics), figure_of_members]
    components = [(lambda model, draw=draw: _drawing(model, draw), 0) for draw in drawings]
    SolaraViz(model, components=components, model_params=params, name=name, play_interval=200)


@solara.component  # type: ignore[untyped-decorator]
def _drawing(model: Shown, draw: Callable[[Shown], Any]) -> None:
    update_counter.get()  # Mesa's sign that the model has moved
    solara.FigureMatplotlib(draw(model), format="png")


def _figure() -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4), layout="constrained")
    return figure, figure.subplots()


def _frame(contracts: Sequence[Table]) -> pd.DataFrame:
    """Contracts in units of goods."""
    whole = concat(contracts) if contracts else None
    columns = ("seller", "buyer", "item", "quantity")
    frame = pd.DataFrame({name: whole[name] if whole is not None else [] for name in columns})
    return frame.assign(quantity=frame["quantity"] / MILLION)


def _slider(key: str, usual: Scenario, limits: tuple[float, float]) -> Any:
    value: Any = usual.model_dump()
    for part in key.split("."):
        value = value[int(part) if isinstance(value, list) else part]
    step = 1 if isinstance(value, int) else round((limits[1] - limits[0]) / 20, 6)
    return Slider(label(key.replace(".", " ")), value, *limits, step)


page = show("smart_manufacturing", MARKET_SLIDERS, MARKET_METRICS)
