"""A run on a card, for notebooks: what it was, who answered, and its main figures; whatever it names is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import escape

from ecosim.report.words import listed, number, plural, seconds, title

if TYPE_CHECKING:
    from ecosim.explore import Run

MAX_FIGURES = 6


def card(run: Run) -> str:
    """The run as a few lines of HTML."""
    manifest = run.manifest
    steps = plural(int(manifest.get("steps_done", 0)), run.side.step_name)
    facts = [plural(len(manifest["replicas"]["arm"]), "replica"), steps, *_status(run)]
    minds = listed(list(dict.fromkeys(mind["name"] for mind in manifest.get("minds", []))))
    lines = [f"<b>{escape(run.title)}</b> · {escape(' · '.join(facts))}"]
    if len(run.arms) > 1:
        lines.append(f"arms: {escape(listed(run.arms))}")
    lines.append(f"minds: {escape(minds)}")
    lines.append(f"tables: <code>{escape(', '.join(run.tables))}</code>")
    return "<div>" + "<br>".join(lines) + _figures(run) + "</div>"


def _status(run: Run) -> list[str]:
    if run.manifest["status"] == "done":
        return [seconds(float(run.manifest["wall_s"]))]
    return [f"{run.manifest['status']}, of {run.manifest['scenario']['steps']} planned"]


def _figures(run: Run) -> str:
    """Means over replicas, with the standard deviation, of KPIs that are not split up; a column an arm."""
    if run.manifest["status"] != "done":
        return ""
    whole = run.kpis[run.kpis["group"] == ""]
    names = list(dict.fromkeys(whole["metric"]))[:MAX_FIGURES]
    heads = "".join(f"<th>{escape(arm)}</th>" for arm in run.arms) if len(run.arms) > 1 else "<th>mean ± sd</th>"
    rows = [
        f"<tr><td>{escape(title(name))}</td>"
        + "".join(f"<td>{_spread(run, name, arm)}</td>" for arm in run.arms)
        + f"<td>{escape(run.side.kpis[name].unit)}</td></tr>"
        for name in names
    ]
    return f"<table><tr><th></th>{heads}<th></th></tr>{''.join(rows)}</table>"


def _spread(run: Run, name: str, arm: str) -> str:
    kpis = run.kpis
    values = kpis[(kpis["metric"] == name) & (kpis["group"] == "") & (kpis["arm"] == arm)]["value"]
    deviation = f" ± {number(float(values.std()), 2)}" if len(values) > 1 else ""
    return f"{number(float(values.mean()), 4)}{deviation}"
