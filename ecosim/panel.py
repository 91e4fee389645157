"""A run as it goes, in a notebook: buttons to play, step and stop, a choice of metrics, and a plot that grows.

Needs ipywidgets (`pip install 'ecosim[notebook]'`). It can be driven by code as well: `panel.step()`, `panel.wait()`.
"""

from __future__ import annotations

import importlib
import io
import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path
from time import monotonic
from typing import Any

from ecosim.arms import Arm, Manner
from ecosim.errors import RunError
from ecosim.live import Live
from ecosim.report.words import plural, title
from ecosim.scenario import Scenario

REDRAW_S = 0.2
"""A picture of a run that is going is at least so old before the next one is drawn."""
LONGEST_DELAY_S = 2.0
ALL = ("all groups", None)


class Panel(Live):
    """A run and its controls; show it as the last line of a cell. Arguments are those of `Live`.

    Attributes:
        box: the widgets.
        metric, group: the choices of what is drawn; their `value` may be set.

    Raises:
        RunError: ipywidgets is not installed.
    """

    def __init__(
        self,
        scenario: Scenario,
        arms: Sequence[Arm],
        out: str | Path | None = None,
        *,
        place: str = "scenario",
        manner: Manner | None = None,
        metric: str | None = None,
    ) -> None:
        widgets = _widgets()
        super().__init__(scenario, arms, out, place=place, manner=manner)
        self._showing, self._is_offering, self._drawn_at = threading.RLock(), False, 0.0
        self._play, self._step, self._stop = (
            widgets.Button(description=text, layout={"width": "6em"}) for text in ("pause", "step", "stop")
        )
        self._delay = widgets.FloatSlider(
            0.0, min=0, max=LONGEST_DELAY_S, step=0.1, description="wait (s)", readout_format=".1f"
        )
        self.metric = widgets.Dropdown(options=[metric] if metric else [], description="metric")
        self.group = widgets.Dropdown(options=[ALL], description="group")
        self._bar = widgets.IntProgress(0, 0, scenario.steps, layout={"width": "18em"})
        self._told = widgets.HTML()
        self._picture = widgets.Image(format="png", layout={"max_width": "100%"})
        rows = [[self._play, self._step, self._stop, self._bar, self._told], [self.metric, self.group, self._delay]]
        self.box = widgets.VBox([*(widgets.HBox(row) for row in rows), self._picture])
        self._wire()
        self.changed()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.box._repr_mimebundle_(**options)

    def changed(self) -> None:
        """Bring the controls and the picture up to date."""
        status = self.status
        self._play.description = "pause" if status == "running" else "play"
        is_over = status in ("done", "stopped", "failed")
        for button in (self._play, self._step, self._stop):
            button.disabled = is_over
        self._bar.value = self.steps_done
        fault = f": {escape(str(self.error))}" if self.error is not None else ""
        self._told.value = f"{plural(self.steps_done, 'step')} of {self.scenario.steps}, {status}{fault}"
        self._show(is_urgent=status != "running")

    def _wire(self) -> None:
        self._play.on_click(lambda _: self.pause() if self.status == "running" else self.play())
        self._step.on_click(lambda _: self.step())
        self._stop.on_click(lambda _: self.stop(0))
        self._delay.observe(lambda change: setattr(self, "delay_s", change["new"]), "value")
        for choice in (self.metric, self.group):
            choice.observe(lambda _: self._show(is_urgent=True), "value")

    def _show(self, is_urgent: bool) -> None:
        """The metrics that there are, and a picture of the one chosen; either thread may ask for it."""
        with self._showing:
            if not self._series or self._is_offering:  # changing what is offered counts as choosing
                return
            self._is_offering = True
            self._offer()
            self._is_offering = False
            if is_urgent or monotonic() - self._drawn_at > REDRAW_S:
                self._picture.value = self._draw()
                self._drawn_at = monotonic()

    def _offer(self) -> None:
        """Offer the metrics that there are, and the groups of the one chosen; a choice stays where it can."""
        metrics = list(dict.fromkeys(name for name, _ in self._series))
        _set_options(self.metric, [(title(name), name) for name in metrics])
        groups = [group for name, group in self._series if name == self.metric.value and group]
        _set_options(self.group, [ALL, *((group, group) for group in groups)])

    def _draw(self) -> bytes:
        """The picture; pyplot, which is not for threads, is not touched."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.5, 3.4), dpi=90, layout="constrained")
        ax = self.so_far.plot(self.metric.value, self.group.value, ax=figure.subplots())
        ax.set_xlim(1, max(2, self.scenario.steps))
        png = io.BytesIO()
        figure.savefig(png, format="png")
        return png.getvalue()


def _set_options(choice: Any, options: list[tuple[str, Any]]) -> None:
    if list(choice.options) == options:
        return
    values = [value for _, value in options]
    value = choice.value if choice.value in values else values[0]
    choice.options = options
    choice.value = value


def _widgets() -> Any:
    try:
        return importlib.import_module("ipywidgets")  # an extra, without types
    except ImportError:
        raise RunError("a view of a run as it goes needs ipywidgets: pip install 'ecosim[notebook]'") from None
