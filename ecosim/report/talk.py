"""Negotiations as transcripts: who moved, on which terms, and what a language mind read and scored."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd

from ecosim.exact import MILLION
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.speech import Said, sentence
from ecosim.manufacturing.state import NOBODY, ROLES, Layout, layout
from ecosim.manufacturing.talks import ACTS, AGREED, OUTCOMES, REJECT
from ecosim.report.answers import ANSWERS, asked
from ecosim.report.canvas import INK, SERIES, Drawing, Scale, level_grid, ticks
from ecosim.report.parts import Chart, Move, Note, Part, Talks, Transcript
from ecosim.report.plots import PANEL
from ecosim.report.seating import seats
from ecosim.report.source import Source
from ecosim.report.talks import KEYS, chosen, with_prices
from ecosim.report.words import compact, listed, plural, short

MAX_MOVES = 30
"""Moves of a talk that are shown."""
BUYER, SELLER = SERIES[0], SERIES[1]

Talk = dict[str, Any]
"""A row of the event table `talks`."""


def parts(source: Source) -> list[Part]:
    """The transcripts, with a sentence that says which talks they are."""
    replicas = source.examples
    talks = source.events("talks", replica=replicas)
    offers = source.events("offers", ["replica"], replica=replicas[:1])
    if talks.empty or offers.empty:
        return [Note("No negotiation can be shown: this run kept no offers.", "quiet")]
    answers = _answers(source.events(ANSWERS, replica=replicas))
    keys = pd.MultiIndex.from_frame(answers[KEYS].drop_duplicates()) if not answers.empty else _NONE
    net = layout(cast(ManufacturingScenario, source.run.scenario))
    picked = chosen(with_prices(talks, source.events("contracts", [*KEYS, "price"], replica=replicas)), keys, net)
    offers = _with_words(source, _of_all(source, "offers", [talk for talk, _ in picked]))
    shown = tuple(_transcript(source, net, talk, reasons, offers, answers) for talk, reasons in picked)
    where = listed([source.named(replica) for replica in replicas])
    note = f"{len(shown)} of {len(talks):,} negotiations of {where}: "
    note += "the ends of the scales, one of each kind, and some by lot; what is typical, the figures tell."
    return [Note(note), Talks(shown)]


_NONE = pd.MultiIndex.from_arrays([[]] * len(KEYS), names=KEYS)


def _answers(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers to `negotiate`, with buyer and seller: buyers make the even moves."""
    if answers.empty:
        return answers
    mine = answers[answers["question"].str.endswith(".negotiate")]
    is_buyer = mine["round"] % 2 == 0
    buyer = mine["subject"].where(is_buyer, mine["counterpart"])
    seller = mine["counterpart"].where(is_buyer, mine["subject"])
    return mine.assign(buyer=buyer, seller=seller)


def _of_all(source: Source, table: str, talks: list[Talk]) -> pd.DataFrame:
    """The offers of all talks shown, and of others in the same weeks between the same sort of firms."""
    wanted = {key: sorted({int(talk[key]) for talk in talks}) for key in KEYS}
    return source.events(table, (), **wanted)


def _with_words(source: Source, offers: pd.DataFrame) -> pd.DataFrame:
    """The same moves with what was said with them, where the scenario has speech or negotiates penalties."""
    speeches = _of_all(source, "speeches", offers[KEYS].to_dict("records"))
    if not {*KEYS, "move"} <= set(speeches):
        return offers
    return offers.merge(speeches, how="left", on=[*KEYS, "move"])


def _transcript(
    source: Source, net: Layout, talk: Talk, reasons: list[str], offers: pd.DataFrame, answers: pd.DataFrame
) -> Transcript:
    mine = _of(offers, talk).sort_values("move")
    spoken = _of(answers, talk) if not answers.empty else answers
    moves = tuple(_move(source, net, talk, row, spoken) for row in mine.head(MAX_MOVES).itertuples())
    arm = str(source.run.replicas["arm"].iloc[int(talk["replica"])])
    facets = (
        ("outcome", OUTCOMES[talk["outcome"]]),
        ("item", net.items[talk["item"]]),
        ("minds", "scripts only" if spoken.empty else "a language model moves"),
        *((("arm", arm),) if len(source.arms) > 1 else ()),
        ("shown as", "|".join(reasons)),
    )
    left = len(mine) - len(moves)
    ended, heading = _heading(source, net, talk, len(mine))
    secrets = _secrets(talk)
    return Transcript(ended, heading, tuple(reasons), facets, moves, left, _outcome(talk), secrets, _chart(talk, mine))


def _of(frame: pd.DataFrame, talk: Talk) -> pd.DataFrame:
    """The rows of one talk."""
    mask = pd.Series(True, index=frame.index)
    for key in KEYS:
        mask &= frame[key] == talk[key]
    return frame[mask]


def _move(source: Source, net: Layout, talk: Talk, row: Any, spoken: pd.DataFrame) -> Move:
    is_buyer = row.move % 2 == 0
    firm = int(talk["buyer"] if is_buyer else talk["seller"])
    goods = f"{compact(row.quantity)} unit" + ("" if row.quantity == 1 else "s")
    terms = f"{goods} at {row.price:.2f} EUR, delivery in {row.week} wk"
    if row.act == REJECT:
        terms = "walks away"
    elif hasattr(row, "speech"):
        terms = sentence(_said(row))
    mine = spoken[spoken["round"] == row.move] if not spoken.empty else spoken
    return Move(
        number=int(row.move) + 1,
        who=net.names[firm],
        mind=_mind(source, net, int(talk["replica"]), firm),
        side="buyer" if is_buyer else "seller",
        act=ACTS[row.act],
        terms=terms,
        asked=asked(mine),
    )


def _said(row: Any) -> Said:
    """A move of the event tables, in natural units, as the speech act that it was."""
    millionths = {name: round(getattr(row, name) * MILLION) for name in ("price", "quantity", "penalty", "cited")}
    return Said(act=int(row.speech), week=int(row.week), **{name: _known(n) for name, n in millionths.items()})


def _known(millionths: int) -> int:
    return millionths if millionths >= 0 else NOBODY


def _mind(source: Source, net: Layout, replica: int, firm: int) -> str:
    """Who negotiates for a firm: minds are dealt out to the members of a role in turn."""
    arm = source.run.replicas["arm"].iloc[replica]
    names = seats(source, arm)[ROLES[net.role[firm]], "negotiate"]
    rank = int((net.role[:firm] == net.role[firm]).sum())
    return names[rank % len(names)]


def _heading(source: Source, net: Layout, talk: Talk, num_moves: int) -> tuple[str, str]:
    """How it ended, and who, what and where."""
    item, buyer, seller = (
        short(name, 30) for name in (net.items[talk["item"]], net.names[talk["buyer"]], net.names[talk["seller"]])
    )
    price = f" at {talk['price']:.2f} EUR" if talk["outcome"] == AGREED and talk["price"] == talk["price"] else ""
    ended = f"{OUTCOMES[talk['outcome']]}{price}, {plural(num_moves, 'move')}"
    where = f"{source.run.side.step_name} {talk['step']}"
    if len(source.examples) > 1:
        where += f", arm “{short(str(source.run.replicas['arm'].iloc[int(talk['replica'])]), 40)}”"
    return ended, f"{buyer} negotiates with {seller} about {item} in {where}"


def _outcome(talk: Talk) -> str:
    outcome = OUTCOMES[talk["outcome"]]
    told = {
        "agreed": "a deal on the last terms",
        "rejected": "one side walked away",
        "left": "a threat to leave was not heeded",
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
    """The prices offered, and the limits that were hidden; this axis has prices only, and says so."""
    width, height = PANEL[0] + 80, PANEL[1] + 20
    spoken = offers[offers["act"] != REJECT]
    limits = {name: float(talk[f"{name}_limit"]) for name in ("buyer", "seller")}
    prices = [*spoken["price"].tolist(), *limits.values()]
    room = 0.1 * max(max(prices) - min(prices), 1.0)
    drawing = Drawing(width, height, "prices offered by buyer and seller, and their private limits")
    y = Scale(min(prices) - room, max(prices) + room, height - 34, 26)
    x = Scale(0.5, float(max(spoken["move"].max() + 1, 2)) + 0.3, 50, width - 84)
    level_grid(drawing, y, 46, width - 84)
    drawing.text(4, 10, "EUR/unit" + (", axis broken: it does not begin at 0" if y.low > 0 else ""))
    for move in (value for value in ticks(1, x.high, 7) if value == int(value)):
        drawing.text(x(move), height - 22, f"{move:.0f}", "middle")
    drawing.text(width - 84, height - 7, "move", "end")
    for color, first, name in ((BUYER, 0, "buyer"), (SELLER, 1, "seller")):
        side = spoken[spoken["move"] % 2 == first]
        points = [(x(move + 1), y(price)) for move, price in zip(side["move"], side["price"], strict=True)]
        drawing.line(points, color, 1.6)
        for point in points:
            drawing.dot(*point, 2.6, color)
        drawing.line([(46, y(limits[name])), (width - 84, y(limits[name]))], color, 1.2, dash="4 2")
    for name, place in _apart({name: y(limit) for name, limit in limits.items()}).items():
        drawing.text(width - 80, place, f"{name}’s limit", "start", BUYER if name == "buyer" else SELLER)
    if talk["outcome"] == AGREED and not spoken.empty:
        drawing.ring(x(spoken["move"].iloc[-1] + 1), y(spoken["price"].iloc[-1]), 6, INK)
    about = "dots are offers, the ring is the deal, dashes are private limits"
    return Chart("Prices offered, with the limits", "", about, drawing.svg())


def _apart(places: dict[str, float], gap: float = 13.0) -> dict[str, float]:
    """The same places, moved until no two words overlap."""
    (upper, high), (lower, low) = sorted(places.items(), key=lambda pair: pair[1])
    push = max(0.0, gap - (low - high)) / 2
    return {upper: high - push, lower: low + push}
