"""The demonstration behind `make demo`: both ecosystems with a real language model in some seats, beside none.

Manufacturing: 20 seeds scripted, and in five of them the distributors' negotiators are SmolLM2-135M as it comes.
Community: 20 seeds scripted, and in one of them the AI creators are; their titles are embedded by MiniLM.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from ecosim import api
from ecosim.explore import Comparison, Run
from ecosim.simulate import Arm, Manner, Progress

Bar = Callable[[int], AbstractContextManager[Progress | None]]

MARKET_WEEKS, MARKET_SEEDS = 11, 5
COMMUNITY_DAYS, COMMUNITY_SEEDS = 6, 1


def market(out: Path, progress: Progress | None = None) -> Run:
    """Distributors who negotiate by the untrained model, against Boulware, linear and Conceder ones."""
    facts = api.facts("smart_manufacturing", 20, MARKET_WEEKS, None)
    arms = [
        Arm(name="scripted"),
        Arm(name="untrained 135M", minds={"distributor.negotiate": "untrained"}, num_seeds=MARKET_SEEDS),
    ]
    return api.start(facts, arms, out, place="smart_manufacturing", manner=Manner(progress=progress))


def community(out: Path, progress: Progress | None = None) -> Run:
    """AI creators whose topics, effort and titles come from the untrained model, against a bandit with word lists."""
    facts = api.facts("creator_community", 20, COMMUNITY_DAYS, {"publishing.title_vectors": "minilm"})
    arms = [
        Arm(name="scripted"),
        Arm(name="untrained 135M", minds={"ai_creator": "untrained"}, num_seeds=COMMUNITY_SEEDS),
    ]
    return api.start(facts, arms, out, place="creator_community", manner=Manner(progress=progress))


def findings(run: Run) -> list[str]:
    """What the market run says of the untrained model, in sentences with their intervals."""
    table = Comparison(run).table.set_index(["metric", "group"])
    untrained = run.manifest["work_by_grade"]["untrained"]
    answers = run.events("answers")
    lines = [
        f"The model decided {untrained['decisions']:,} times ({len(answers):,} fields asked) in "
        f"{untrained['wall_s']:.0f} s, {untrained['nominal_flops'] / 1e12:.1f} TFLOP; "
        f"{table['pairs'].max()} paired seeds, so intervals are wide."
    ]
    for metric, group, words in (
        ("deal_price_eur", "pump", "paid for a pump"),
        ("buyer_share", "pump", "of the gain of pump contracts went to the buyer"),
        ("profit_eur", "distributor", "profit of all distributors"),
        ("fill_rate", "", "of consumers' demand served at once"),
    ):
        row = table.loc[(metric, group)]
        lines.append(
            f"{words}: {row['mean']:,.2f} untrained, {row['baseline_mean']:,.2f} scripted "
            f"(difference {row['difference']:+,.2f}, 95 % interval {row['low']:+,.2f} to {row['high']:+,.2f})"
        )
    return lines


def run(folder: Path, say: Callable[[str], None], progress: Bar) -> list[Path]:
    """Run both, write their reports, say what was found; gives the reports.

    Args:
        folder: where the two runs go.
        say: takes a line for the user.
        progress: shows progress over a number of steps.
    """
    start = time.perf_counter()
    say("1/2  smart manufacturing: 20 seeds scripted, and 5 of them with an untrained language model at the table")
    with progress(MARKET_WEEKS) as tick:
        trade = market(folder / "smart_manufacturing", tick)
    say("2/2  creator community: 20 seeds scripted, and 1 of them with untrained AI creators")
    with progress(COMMUNITY_DAYS) as tick:
        posts = community(folder / "creator_community", tick)
    reports = [trade.report(), posts.report()]
    say("")
    for line in findings(trade):
        say(line)
    say(
        "An untrained 135M model is no negotiator: it answers legally but near chance, pays more than its own limit "
        "and closes too early. Trained specialists of the same size are to take these seats (README: the ladder)."
    )
    say(f"{time.perf_counter() - start:.0f} s in all; reports:")
    return reports


def default_folder() -> Path:
    """`results/demo/<time>`, a new folder."""
    return Path("results") / "demo" / time.strftime("%Y%m%d-%H%M%S")
