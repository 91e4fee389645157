"""One negotiation as a transcript: who moved, on which terms, and what a language mind read and scored.

The talk is picked, not drawn: one that ended in a deal, in which a language mind moved if there is any, and among those
the longest of at most `MAX_MOVES` moves. It shows how a talk goes, not how talks go on average.
"""

from __future__ import annotations

from typing import Any, cast

import pandas as pd

from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout, layout
from ecosim.manufacturing.talks import ACTS, AGREED, OUTCOMES, REJECT
from ecosim.report.answers import ANSWERS, asked
from ecosim.report.canvas import INK, QUIET, SERIES, axes_in, canvas, honest, whole_steps
from ecosim.report.parts import Chart, Move, Note, Part, Transcript
from ecosim.report.plots import PANEL
from ecosim.report.seating import seats
from ecosim.report.source import Source
from ecosim.report.words import compact, listed

MAX_MOVES = 12
KEYS = ["replica", "step", "buyer", "seller", "item"]
BUYER, SELLER = SERIES[0], SERIES[1]

Talk = dict[str, Any]
"""A row of the event table `talks`."""


def parts(source: Source) -> list[Part]:
    """The transcript, with a sentence that says which talk it is."""
    talks, offers = source.events("talks"), source.events("offers")
    if talks.empty or offers.empty:
        return [Note("No negotiation can be shown: this run kept no offers.", "quiet")]
    answers = _answers(source.events(ANSWERS))
    talk = _pick(talks, answers)
    net = layout(cast(ManufacturingScenario, source.run.scenario))
    mine = _of(offers, talk).sort_values("move")
    moves = tuple(_move(source, net, talk, row, answers) for row in mine.itertuples())
    transcript = Transcript(moves, _outcome(talk), _secrets(talk), _chart(talk, mine))
    return [Note(_which(source, net, talk, not answers.empty)), transcript]


def _answers(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers to `negotiate`, with buyer and seller: buyers make the even moves."""
    if answers.empty:
        return answers
    mine = answers[answers["question"].str.endswith(".negotiate")]
    is_buyer = mine["round"] % 2 == 0
    buyer = mine["subject"].where(is_buyer, mine["counterpart"])
    seller = mine["counterpart"].where(is_buyer, mine["subject"])
    return mine.assign(buyer=buyer, seller=seller)


def _pick(talks: pd.DataFrame, answers: pd.DataFrame) -> Talk:
    """The talk to show: with a language mind, with a deal, long; ties go to the first."""
    has_language = pd.Series(False, index=talks.index)
    if not answers.empty:
        spoken = pd.MultiIndex.from_frame(answers[KEYS].drop_duplicates())
        has_language = pd.Series(pd.MultiIndex.from_frame(talks[KEYS]).isin(spoken), index=talks.index)
    length = talks["moves"].where(talks["moves"] <= MAX_MOVES, 0)
    rank = pd.DataFrame({"language": has_language, "deal": talks["outcome"] == AGREED, "length": length, **talks[KEYS]})
    order = rank.sort_values(
        ["language", "deal", "length", *KEYS], ascending=[False, False, False, *[True] * len(KEYS)]
    )
    return cast(Talk, talks.loc[[order.index[0]]].to_dict("records")[0])


def _of(frame: pd.DataFrame, talk: Talk) -> pd.DataFrame:
    """The rows of one talk."""
    mask = pd.Series(True, index=frame.index)
    for key in KEYS:
        mask &= frame[key] == talk[key]
    return frame[mask]


def _move(source: Source, net: Layout, talk: Talk, row: Any, answers: pd.DataFrame) -> Move:
    is_buyer = row.move % 2 == 0
    firm = int(talk["buyer"] if is_buyer else talk["seller"])
    terms = f"{compact(row.quantity)} units at {row.price:.2f} EUR, delivery in {row.week} wk"
    if row.act == REJECT:
        terms = "walks away"
    mine = _of(answers, talk) if not answers.empty else answers
    mine = mine[mine["round"] == row.move] if not mine.empty else mine
    return Move(
        number=int(row.move) + 1,
        who=net.names[firm],
        mind=_mind(source, net, int(talk["replica"]), firm),
        side="buyer" if is_buyer else "seller",
        act=ACTS[row.act],
        terms=terms,
        asked=asked(mine),
    )


def _mind(source: Source, net: Layout, replica: int, firm: int) -> str:
    """Who negotiates for a firm: minds are dealt out to the members of a role in turn."""
    arm = source.run.replicas["arm"].iloc[replica]
    names = seats(source, arm)[ROLES[net.role[firm]], "negotiate"]
    rank = int((net.role[:firm] == net.role[firm]).sum())
    return names[rank % len(names)]


def _which(source: Source, net: Layout, talk: Talk, has_language: bool) -> str:
    item, buyer, seller = net.items[talk["item"]], net.names[talk["buyer"]], net.names[talk["seller"]]
    reasons = ["a language model moves in it"] if has_language else []
    reasons += ["it ended in a deal"] if talk["outcome"] == AGREED else []
    reasons += ["it is long"]
    where = source.named(int(talk["replica"]))
    return (
        f"{buyer} negotiates with {seller} about {item} in week {talk['step']} of {where}. "
        f"Picked because {listed(reasons)}; it shows how a talk goes, not what is typical."
    )


def _outcome(talk: Talk) -> str:
    outcome = OUTCOMES[talk["outcome"]]
    told = {
        "agreed": "a deal on the last terms",
        "rejected": "one side walked away",
        "withdrawn": "the accept did not fit the room left, so it was withdrawn",
        "satisfied": "one side had no room left for one more unit",
    }
    return f"Outcome: {outcome}, {told.get(outcome, 'still open')}."


def _secrets(talk: Talk) -> tuple[str, ...]:
    """What only one side knew, as far as the run kept it."""
    zone = talk["buyer_limit"] - talk["seller_limit"]
    told = [
        f"The buyer would have paid up to {talk['buyer_limit']:.2f} EUR a unit, the seller would have gone down to "
        f"{talk['seller_limit']:.2f} EUR: "
        + (f"any price in this gap of {zone:.2f} EUR is good for both." if zone > 0 else "no price is good for both.")
    ]
    if "buyer_rounds" in talk and "seller_rounds" in talk:
        told.append(
            f"The buyer could make offers up to round {talk['buyer_rounds']:.0f}, the seller up to round "
            f"{talk['seller_rounds']:.0f}; a round is two moves."
        )
    else:
        told.append("Each side also had a private deadline; the record does not keep it.")
    return tuple(told)


def _chart(talk: Talk, offers: pd.DataFrame) -> Chart:
    """The prices offered, and the limits that were hidden."""
    size = (PANEL[0] + 80, PANEL[1] + 20)
    with canvas(size, salt="talk") as (figure, done):
        ax = axes_in(figure, size, (44, 84, 24, 34))
        spoken = offers[offers["act"] != REJECT]
        for color, first, name in ((BUYER, 0, "buyer"), (SELLER, 1, "seller")):
            side = spoken[spoken["move"] % 2 == first]
            ax.plot(side["move"] + 1, side["price"], "o-", color=color, linewidth=1.6, markersize=4)
            limit = talk[f"{name}_limit"]
            ax.axhline(limit, color=color, linewidth=1.2, linestyle=(0, (4, 2)))
            ax.annotate(f"{name}’s limit", (1.01, limit), xycoords=("axes fraction", "data"), va="center", color=color)
        if talk["outcome"] == AGREED and not spoken.empty:
            ax.plot(spoken["move"].iloc[-1] + 1, spoken["price"].iloc[-1], "o", mec=INK, mfc="none", markersize=11)
        _scale(ax, offers, talk)
        svg = done()
    return Chart(
        "Prices offered, with the limits", "", "dots are offers, the ring is the deal, dashes are private limits", svg
    )


def _scale(ax: Any, offers: pd.DataFrame, talk: Talk) -> None:
    prices = [*offers["price"], talk["buyer_limit"], talk["seller_limit"]]
    honest(ax, pd.Series(prices))
    gap = max(max(prices) - min(prices), 1.0)
    ax.set_ylim(min(prices) - 0.1 * gap, max(prices) + 0.1 * gap)
    whole_steps(ax)
    ax.set_xlabel("move", loc="right", labelpad=1)
    ax.set_title("EUR/unit", loc="left", x=-0.09, fontsize=11, color=QUIET)
