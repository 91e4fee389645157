"""The report card as a page: one HTML file without anything from elsewhere, in the look of a run's report.

Everything on it is a figure of `report.json`; nothing is computed here but places on a drawing.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from ecosim.report.page import environment
from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part, Points, Section, heads
from ecosim.report.words import compact, label, number, signed
from ecosim.training.cards import plots as card_plots
from ecosim.training.cards.report_card import Report

HERE = Path(__file__).parent
LOOK = HERE.parents[1] / "report"

FIGURES = {
    "agreement": "rows in which all answers agree with the teacher's, within the recipe's tolerance",
    "exact": "rows in which all answers are the teacher's to the last digit",
    "skill": "1 − Brier score ÷ that of the majority answer at its own base rate",
    "ece": "expected calibration error: mean distance between the chance it gave and how often it agreed",
    "regret": "mean loss a row by the recipe's value, in EUR",
    "regret_share": "loss as a share of what the majority answer loses on the same rows",
}
LIMITS = (
    "A teacher is a yardstick, not the truth: where a product disagrees it may be the better for it. The arenas tell.",
    "All minds are judged on the rows that the teacher meets; where their own answers lead is what the arenas show.",
    "Undecided is not equivalent: a wide interval is a reason to run more worlds, not to pass.",
    "A chance is given to an answer to the last digit; where the recipe lets near ones agree, a mind looks too modest.",
    "Times are of the machine named above, as busy as it was; compare ratios.",
)


def html(report: Report) -> str:
    """The page of a product's report."""
    script = (LOOK / "script.js").read_text(encoding="utf-8")
    return (
        environment(HERE)
        .get_template("card.html.j2")
        .render(
            title=f"{report['role']} / {report['product']}",
            about=(
                f"A mind of grade {report['grade']} that stands for “{report['teacher']}” when a "
                f"{label(report['role'])} is asked to {', '.join(report['questions'])}."
            ),
            facts=_facts(report),
            limits=Points(LIMITS),
            sections=[_gate(report), _fidelity(report), _arenas(report), _cost(report), _slices(report)],
            role=report["role"],
            ecosim=report["ecosim"],
            style=(LOOK / "style.css").read_text(encoding="utf-8"),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _facts(report: Report) -> list[str]:
    seeds = ", ".join(map(str, report["train_seeds"]))
    return [
        f"{report['parameters']:,} parameters, {report['bytes']:,} bytes",
        f"training seeds {seeds}; the first ships",
        f"SHA-256 {(report.get('sha256') or '–')[:12]}",
        str(report["machine"]),
    ]


def _gate(report: Report) -> Section:
    criteria = report.get("gate", [])
    if not criteria:
        return Section("gate", "Gate", "Not held against its gate yet: `ecosim models gate`.", ())
    rows = tuple(
        (
            Cell(c["question"]),
            Cell(c["figure"]),
            Cell(_n(c["value"]), "number"),
            Cell(c["wanted"]),
            Cell("pass" if c["holds"] else "fail", "good" if c["holds"] else "bad"),
        )
        for c in criteria
    )
    head = heads("question", "figure", "value", "wanted", "verdict", numbers="value")
    lead = "A question is answered by this product by default if all its criteria hold."
    return Section("gate", "Gate", lead, (Grid(head, rows),))


def _fidelity(report: Report) -> Section:
    rows: list[tuple[Cell, ...] | str] = []
    for phase, figures in report["questions"].items():
        rows.append(f"{phase}: {_count(figures['rows'])} rows of held-out seeds")
        rows += [_fidelity_row(report["product"], figures)]
        controls = report["tables"][phase]["controls"]
        rows += [_fidelity_row(_control(name, report, phase), found) for name, found in controls.items()]
        far = {k.removeprefix("families."): v for k, v in figures.items() if k.startswith("families.")}
        if far:
            rows.append(f"{phase}: {_count(far['rows'])} rows of held-out scenario families")
            rows += [_fidelity_row(report["product"], far)]
            found = report["tables"][phase].get("controls_families", {})
            rows += [_fidelity_row(name, figures_of) for name, figures_of in found.items()]
    names = ("mind", *FIGURES)
    head = (Cell("mind"), *(Cell(name, "number", about) for name, about in FIGURES.items()))
    charts = tuple(
        Chart(phase, "chance given against agreement", "reliability", card_plots.reliability(table["reliability"]))
        for phase, table in report["tables"].items()
    )
    lead = "Answers beside the teacher's, on rows that no training saw; the controls say what a figure is worth."
    parts: list[Part] = [Grid(head, tuple(rows), f"{len(names) - 1} figures; point at a name for its definition.")]
    parts.append(Charts(charts, "Dots are bins of equal chance, their area the share of rows; on the line is honest."))
    return Section("fidelity", "Fidelity and controls", lead, tuple(parts))


def _control(name: str, report: Report, phase: str) -> str:
    return f"noisy teacher, ε = {_n(report['tables'][phase]['epsilon'])}" if name == "noisy" else name


def _fidelity_row(name: str, figures: dict[str, Any]) -> tuple[Cell, ...]:
    return (Cell(name), *(Cell(_n(figures.get(figure)), "number") for figure in FIGURES))


def _arenas(report: Report) -> Section:
    parts: list[Part] = []
    for arena in report["arenas"]:
        rows: list[tuple[Cell, ...] | str] = []
        for kpi in arena["units"]:
            rows.append(f"{kpi} ({arena['units'][kpi] or 'no unit'})")
            for arm, found in arena["arms"].items():
                rows.append(_arena_row(arm, found[kpi]))
        head = heads(
            "seats", "teacher", "product", "difference", "90 % interval", "margin ±", "p", "spread", "verdict",
            numbers="teacher,product,difference,90 % interval,margin ±,p,spread",
        )  # fmt: skip
        title = f"{label(arena['scenario'])}: {', '.join(arena['questions'])}; {arena['seeds']} worlds"
        chart = Chart(title, f"wanted: {label(arena['want'])}", "", card_plots.forest(arena))
        parts.append(Charts((chart,), is_wide=True))
        parts.append(Grid(head, tuple(rows), fold="All arms and figures"))
    if not parts:
        parts = [Note("The recipe names no arena, so nothing is known of an ecosystem with this product in it.")]
    lead = (
        "The product in the teacher's seats, in paired worlds; two one-sided tests against the margin that the recipe "
        "declares, with training seeds as a second source of chance."
    )
    return Section("arenas", "Ecosystems", lead, tuple(parts))


def _arena_row(arm: str, found: dict[str, Any]) -> tuple[Cell, ...]:
    inside = f"{_n(found['low'])} … {_n(found['high'])}"
    tones = {"equivalent": "good", "different": "bad"}
    name = f"{arm} ({found['trainings']} trainings)" if found["trainings"] > 1 else arm
    return (
        Cell(name),
        Cell(_n(found["teacher"]), "number"),
        Cell(_n(found["product"]), "number"),
        Cell("–" if found["difference"] is None else signed(found["difference"]), "number"),
        Cell(inside, "number"),
        Cell(_n(found["margin"]), "number"),
        Cell(_n(found["p"]), "number"),
        Cell(_n(found["spread"]), "number"),
        Cell(found["verdict"], tones.get(found["verdict"], "quiet")),
    )


def _cost(report: Report) -> Section:
    names = ("ms_at_1", "per_s_at_1", "per_s", "per_cpu_s", "best_batch", "flops")
    rows = tuple(
        (Cell(phase), *(Cell(compact(f[f"cost.{n}"]), "number", value=f[f"cost.{n}"]) for n in names))
        for phase, f in report["questions"].items()
    )
    head = heads(
        "question", "ms a row alone", "decisions/s alone", "decisions/s at best", "a CPU second", "best batch",
        "FLOPs a decision",
        numbers="ms a row alone,decisions/s alone,decisions/s at best,a CPU second,best batch,FLOPs a decision",
    )  # fmt: skip
    lead = "Wall time of a decision on this machine, a row alone and in the best batch; FLOPs are nominal."
    return Section("cost", "Cost", lead, (Grid(head, rows),))


def _slices(report: Report) -> Section:
    rows: list[tuple[Cell, ...] | str] = []
    for phase, table in report["tables"].items():
        for key, where in (("slices", "held-out seeds"), ("slices_families", "held-out families")):
            if table.get(key):
                rows.append(f"{phase}, {where}")
                rows += [
                    (Cell(s["name"]), Cell(f"{s['rows']:,}", "number"), Cell(_n(s["agreement"]), "number"))
                    for s in table[key]
                ]
    head = heads("rows in which", "rows", "agreement", numbers="rows,agreement")
    lead = "Groups of at least 30 rows with the lowest agreement."
    return Section("slices", "Worst slices", lead, (Grid(head, tuple(rows)),))


def _n(value: float | None) -> str:
    return "–" if value is None else number(float(value))


def _count(value: float) -> str:
    return f"{int(value):,}"
