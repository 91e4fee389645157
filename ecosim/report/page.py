"""The page: what ran, the comparison first, the sections of the side, all KPIs, costs, and where it all came from.

One HTML file without anything from elsewhere; its small script sorts and filters, and nothing is missing without it.
Everything that a scenario or a model wrote is escaped by the template, cut to a bound, and its unseen characters made
visible, at the one place where text becomes markup (`_fit`); and the page's own policy lets no browser run any script
but ours, or fetch anything. The same run gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ecosim.report import answers, costs, differences, outside, seating, tables, trouble
from ecosim.report.parts import Part, Points, Section, Theme, Verbatim
from ecosim.report.sections import bands_note, sections, theme
from ecosim.report.source import Source
from ecosim.report.words import label, listed, number, plural, seconds, short, shown, title

if TYPE_CHECKING:
    from ecosim.explore import Run

HERE = Path(__file__).parent
MAX_TITLE, MAX_ABOUT, MAX_NAME, MAX_VALUE = 200, 2_000, 80, 2_000
"""Characters of the title, of the description, of an arm's name, and of a value of the scenario, that are shown."""


def write(run: Run, path: Path) -> None:
    """Write the report of a run.

    Args:
        run: finished, interrupted or failed; it shows what there is.
        path: the HTML file; it is replaced, and its folder must be there.
    """
    path.write_text(html(run), encoding="utf-8")


def html(run: Run) -> str:
    """The report as text."""
    source = Source(run)
    look = theme(run.side.name)
    page, script = environment().get_template("page.html.j2"), (HERE / "script.js").read_text(encoding="utf-8")
    return page.render(
        source=source,
        header=_header(source),
        tiles=_tiles(source, look),
        faults=tables.faults(source),
        limits=_limits(source, look),
        sections=_all_sections(source, look),
        bands_note=bands_note(source),
        style=(HERE / "style.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def environment(*folders: Path) -> Environment:
    """Templates of these folders and of this one, in which all text is escaped and cut to a bound."""
    found = Environment(
        loader=FileSystemLoader([*folders, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
    )
    found.filters["numbers"] = lambda figures: {name: value for name, _, value in figures}
    return found


def _fit(value: Any) -> Any:
    """What a template puts out; only markup made here passes as it is."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _all_sections(source: Source, look: Theme) -> list[Section]:
    """In the order of the page."""
    found = [
        outside.section(source),
        differences.section(source, look),
        *sections(source, look.plans),
        answers.section(source),
    ]
    found += [_figures(source, look), costs.section(source), trouble.section(source), _provenance(source)]
    return [section for section in found if section is not None]


def _header(source: Source) -> dict[str, Any]:
    manifest, run = source.manifest, source.run
    step, done = run.side.step_name, manifest.get("steps_done", 0)
    asked = manifest["scenario"]["steps"]
    length = plural(done, step) if done == asked else f"{done:,} of {plural(asked, step)}"
    counts = source.replicas_by_arm()
    same = len(set(counts.values())) == 1
    seeds = plural(max(counts.values()), "seed") if same else " + ".join(f"{n:,}" for n in counts.values()) + " seeds"
    arms = f"{plural(len(counts), 'arm')} × " if len(counts) > 1 else ""
    work = manifest.get("work_by_grade", {}).values()
    facts = [f"{arms}{seeds} × {length}"]
    if work:
        facts.append(f"{sum(w['decisions'] for w in work):,} decisions in {seconds(manifest.get('wall_s', 0.0))}")
    if manifest.get("digests"):
        facts.append(f"digest of replica 0: {manifest['digests'][0][:12]}")
    machine = manifest.get("machine", {})
    if machine:
        facts.append(f"{plural(machine.get('cores') or 0, 'core')}, {machine.get('processor', '')}")
    return {
        "side": label(run.side.name),
        "title": shown(run.title, MAX_TITLE),
        "about": shown(" ".join(str(manifest["scenario"].get("about", ""))[: 2 * MAX_ABOUT].split()), MAX_ABOUT),
        "status": manifest.get("status", "unknown"),
        "facts": facts,
        "arms": [
            {
                "name": short(arm, MAX_NAME),
                "code": i % 8 + 1,
                "replicas": plural(counts[arm], "replica"),
                "told": seating.told(source, arm),
                "like": seating.like(source, arm),
            }
            for i, arm in enumerate(source.arms)
        ],
    }


def _tiles(source: Source, look: Theme) -> list[dict[str, Any]]:
    """The headline KPIs: of the first arm, and smaller those of the others."""
    tiles = []
    for kpi, wanted in look.headline:
        frame = source.kpis[source.kpis["metric"] == kpi].dropna(subset="value")
        group = wanted if wanted is not None or frame.empty else frame["group"].iloc[-1]
        by_arm: dict[str, pd.Series[float]] = {
            str(arm): part["value"] for arm, part in frame[frame["group"] == group].groupby("arm", sort=False)
        }
        if source.arms[0] not in by_arm:
            continue
        first, figure = by_arm[source.arms[0]], source.figure(kpi, "kpis")
        spread = (
            f"{number(float(first.quantile(0.05)), 3)} … {number(float(first.quantile(0.95)), 3)}"
            if len(first) > 1
            else ""
        )
        others = [(i % 8 + 1, arm, by_arm[arm]) for i, arm in enumerate(source.arms) if i and arm in by_arm]
        tiles.append(
            {
                "name": title(kpi) + (f", {label(group)}" if group else ""),
                "value": number(float(first.mean()), 3),
                "unit": figure.unit,
                "about": figure.about,
                "spread": "" if others else spread,
                "others": [{"code": code, "arm": arm, "value": number(float(v.mean()), 3)} for code, arm, v in others],
            }
        )
    return tiles


def _limits(source: Source, look: Theme) -> Points:
    """What this run shows, and what it does not."""
    counts = source.replicas_by_arm()
    grades = source.language_grades()
    told = []
    alone = [f"“{arm}”" for arm, n in counts.items() if n < 2]
    if alone:
        who = f"{listed(alone)} has one seed" if len(counts) > 1 else "There is one seed"
        told.append(f"{who}, so no error bar: nothing that it shows can be told from luck.")
    if len(alone) < len(counts):
        told.append("Bands show how far replicas lie apart; they are not the error of the mean, which is smaller.")
    if "untrained" in grades:
        told.append(answers.UNTRAINED)
    if not grades:
        told.append(
            "Every mind here is scripted: rules from the literature, or functions of the user. No model was asked."
        )
    if len(counts) > 1:
        told.append(
            "A difference between arms is the effect of all that differs between them, in this scenario and length."
        )
    return Points((*told, *look.limits))


def _figures(source: Source, look: Theme) -> Section | None:
    if source.kpis.empty:
        text = "The run did not reach its end, so it has no KPIs of whole replicas."
        return Section("kpis", "All KPIs", text, (tables.glossary(source),))
    lead = "Figures of whole replicas; point at a name for its definition."
    return Section("kpis", "All KPIs", lead, (tables.kpis(source, look), tables.glossary(source)))


def _provenance(source: Source) -> Section:
    manifest = source.manifest
    facts: dict[str, Any] = {"ecosim": manifest["ecosim"], "scenario file": manifest.get("scenario_file", "–")}
    facts |= {"numerics of models": manifest.get("numerics", "–"), **manifest.get("machine", {})}
    resolved = yaml.safe_dump(_cut(manifest["scenario"]), sort_keys=False, allow_unicode=True, width=110)
    parts: list[Part] = [tables.facts(facts), tables.minds(source)]
    parts += [Verbatim("The scenario as it ran, with all defaults", resolved), tables.replicas(source)]
    lead = "What is needed to run this again. Equal digests mean equal events, bit for bit."
    return Section("provenance", "Provenance", lead, tuple(parts))


def _cut(value: Any) -> Any:
    """A scenario with its longest texts cut, which YAML would take seconds over."""
    if isinstance(value, dict):
        return {shown(key, MAX_VALUE) if isinstance(key, str) else key: _cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    return shown(value, MAX_VALUE) if isinstance(value, str) and len(value) > MAX_VALUE else value
