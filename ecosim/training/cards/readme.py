"""The section of a role's README that its report cards write, between two marks; the rest of the file is people's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecosim.training.cards.report_card import Report

BEGIN = "<!-- report card: written by `ecosim models card`; edits are lost -->"
_HEAD = (
    "question", "agreement", "on unseen scenarios", "boosting", "majority", "regret share", "ECE", "decisions/CPU-s",
    "default",
)  # fmt: skip
END = "<!-- end of the report card -->"


def write(path: Path, reports: Mapping[str, Report]) -> None:
    """Put the section in place of the one before, or at the end of the file."""
    text = path.read_text(encoding="utf-8") if path.is_file() else f"# {path.parent.name}\n"
    body = section(reports)
    if BEGIN in text and END in text:
        before, rest = text.split(BEGIN, 1)
        text = before + body + rest.split(END, 1)[1]
    else:
        text = f"{text.rstrip()}\n\n{body}\n"
    path.write_text(text, encoding="utf-8")


def section(reports: Mapping[str, Report]) -> str:
    """The section, in Markdown."""
    lines = [BEGIN, "", "## Report card", ""]
    lines += ["Measured on held-out seeds; `report.json` has every figure with its controls.", ""]
    for name, report in sorted(reports.items()):
        lines += [
            f"**{name}** (grade {report['grade']}, teacher {report['teacher']}): {report['parameters']:,} parameters, "
            f"{report['bytes']:,} bytes, {len(report['train_seeds'])} training seeds.",
            "",
            f"| {' | '.join(_HEAD)} |",
            "|---" * len(_HEAD) + "|",
            *(_row(report, phase) for phase in report["questions"]),
            "",
            *_arenas(report),
        ]
    return "\n".join([*lines, END])


def _row(report: Report, phase: str) -> str:
    figures, controls = report["questions"][phase], report["tables"][phase]["controls"]
    mine = [one for one in report.get("gate", []) if one["question"] == phase]
    verdict = "–" if not mine else "yes" if all(one["holds"] for one in mine) else "no"
    cells = [
        f"`{phase}`",
        _share(figures["agreement"]),
        _share(figures.get("families.agreement")),
        _share(controls["boosted"]["agreement"]),
        _share(controls["majority"]["agreement"]),
        _share(figures["regret_share"]),
        _share(figures["ece"]),
        f"{figures['cost.per_cpu_s']:,.0f}",
        verdict,
    ]
    return f"| {' | '.join(cells)} |"


def _arenas(report: Report) -> list[str]:
    lines = []
    for arena in report["arenas"]:
        for kpi, holds in arena["passes"].items():
            found = arena["arms"]["all seats"][kpi]
            lines.append(
                f"- {arena['scenario']}, {arena['seeds']} worlds × {found['trainings']} trainings, all seats: {kpi} "
                f"{_number(found['product'])} against {_number(found['teacher'])}, difference 90 % "
                f"[{_number(found['low'])}, {_number(found['high'])}], margin ±{_number(found['margin'])}: "
                f"{found['verdict']} ({'as' if holds else 'not as'} wanted: {arena['want'].replace('_', ' ')})"
            )
    return [*lines, ""] if lines else []


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"
