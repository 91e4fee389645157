"""The demonstration behind `make demo`: both ecosystems by rule, with trained minds, and with a language model.

Manufacturing: 20 seeds scripted, the same 20 with each role's default mind (what passed its gate), and five in which
the distributors' negotiators are SmolLM2-135M as it comes. Community: 20 seeds scripted, 20 with default minds, one in
which the AI creators' titles come from their trained writers, one in which the creators are the untrained model; titles
are embedded by MiniLM.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ecosim import api
from ecosim.explore import Comparison, Run
from ecosim.report.words import plural
from ecosim.simulate import Arm, Manner, Progress

if TYPE_CHECKING:
    from ecosim.minds.seats import Wishes

Bar = Callable[[int], AbstractContextManager[Progress | None]]
Grade = Literal["default", "writer", "untrained"]
GRADES: tuple[Grade, ...] = ("default", "writer", "untrained")
"""Who may take seats beside the scripts."""

MARKET, COMMUNITY = "smart_manufacturing", "creator_community"
SEEDS, WEEKS, DAYS = 20, 11, 6
_SEATS: Mapping[str, Mapping[Grade, tuple[dict[str, str], int]]] = {
    MARKET: {
        "default": (dict.fromkeys(("supplier", "manufacturer", "distributor"), "default"), SEEDS),
        "untrained": ({"distributor.negotiate": "untrained"}, 5),
    },
    COMMUNITY: {
        "default": (dict.fromkeys(("viewer", "human_creator", "ai_creator"), "default"), SEEDS),
        "writer": ({"ai_creator.publish": "writer"}, 1),
        "untrained": ({"ai_creator": "untrained"}, 1),
    },
}
"""Who sits where, in how many worlds, by grade."""
_FINDINGS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    MARKET: (
        ("deal_price_eur", "pump", "paid for a pump, EUR"),
        ("buyer_share", "pump", "share of a pump contract's gain that went to the buyer"),
        ("profit_eur", "distributor", "profit of all distributors, EUR"),
        ("fill_rate", "", "share of consumers' demand served at once"),
    ),
    COMMUNITY: (
        ("views", "", "views"),
        ("likes_per_view", "", "likes a view"),
        ("attention_gini", "", "inequality of attention (Gini)"),
    ),
}


def stage(name: str, grades: Sequence[Grade], out: Path, progress: Progress | None = None) -> Run:
    """One ecosystem, scripted and with minds of some grades."""
    is_market = name == MARKET
    changes = None if is_market else {"publishing.title_vectors": "minilm"}
    facts = api.facts(name, SEEDS, WEEKS if is_market else DAYS, changes)
    arms = [Arm(name="scripted")]
    for grade in grades:
        if grade in _SEATS[name]:
            minds, seeds = _SEATS[name][grade]
            arms.append(Arm(name=grade, minds=cast("Wishes", minds), num_seeds=None if seeds == SEEDS else seeds))
    return api.start(facts, arms, out, place=name, manner=Manner(progress=progress))


def findings(run: Run, name: str) -> list[str]:
    """What a run says of each grade, in sentences with their intervals."""
    lines = []
    for grade, work in run.manifest["work_by_grade"].items():
        lines.append(f"{grade}: {work['decisions']:,} decisions in {work['wall_s']:.1f} s")
    if len(run.manifest["arms"]) == 1:
        return lines
    table = Comparison(run).table.set_index(["metric", "group", "arm"]).sort_index()
    for metric, group, words in _FINDINGS[name]:
        rows = table.loc[(metric, group)]
        lines.append(f"{words}: {rows['baseline_mean'].iloc[0]:,.4g} scripted")
        lines += [
            f"    {row['mean']:,.4g} {arm}: {row['difference']:+,.3g} ({_interval(row)})"
            for arm, row in rows.iterrows()
        ]
    return lines


def _interval(row: Any) -> str:
    """The interval of a difference in words, and of how many worlds; one has none."""
    reach = f"95 % {row['low']:+,.3g} to {row['high']:+,.3g}" if row["pairs"] > 1 else "no interval"
    return f"{reach}, {plural(row['pairs'], 'paired world')}"


def run(folder: Path, grades: Sequence[Grade], say: Callable[[str], None], progress: Bar) -> list[Path]:
    """Run both, write their reports, say what was found; gives the reports.

    Args:
        folder: where the two runs go.
        grades: who takes seats beside the scripts.
        say: takes a line for the user.
        progress: shows progress over a number of steps.
    """
    start = time.perf_counter()
    pages = []
    for number, (name, steps) in enumerate(((MARKET, WEEKS), (COMMUNITY, DAYS)), start=1):
        there = [grade for grade in grades if grade in _SEATS[name]]
        say(f"{number}/2  {name}: {SEEDS} worlds scripted" + "".join(f", {_SEATS[name][g][1]} {g}" for g in there))
        with progress(steps) as tick:
            done = stage(name, grades, folder / name, tick)
        pages.append(done.report())
        for line in findings(done, name):
            say(f"  {line}")
    if "untrained" in grades:
        say(
            "An untrained 135M model is no negotiator: it answers legally but near chance, pays more than its own "
            "limit and closes too early (README: the ladder)."
        )
    say(f"{time.perf_counter() - start:.0f} s in all; reports:")
    return pages


def default_folder() -> Path:
    """`results/demo/<time>`, a new folder."""
    return Path("results") / "demo" / time.strftime("%Y%m%d-%H%M%S")
