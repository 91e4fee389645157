"""Speech acts: what may be said with a move of a negotiation, what it binds to, and how it reads as a sentence.

An accept and a reject say so themselves. With an offer of its own a mover may

* propose: nothing but the offer;
* threaten to leave, once the other has made an offer: where threats are binding, the talk ends if the other's next
  offer is no better for the one who threatened; where they are cheap, the threat stands until taken back, and nothing
  follows;
* cite a rival: show the best price that stands in another of its talks about the item. It must be there, and is shown
  as it is, unless bluffing is allowed;
* promise volume: it will neither offer nor accept less, in the rest of the talk, than it offers now;
* ask: what the other needs, or can promise, of the item; the asker sees the true figure from then on;
* apologise: take back a threat that stands (cheap ones only); or, as a seller that has come late, say so.

Source of the idea of acts with conditions and effects: Searle (1969), Speech acts; for negotiation, Sierra, Jennings,
Noriega, Parsons (1998), A framework for argumentation-based negotiation (threats, rewards, appeals).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.openings import standing
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Schema
from ecosim.words import Table

PROPOSE, AGREE, REFUSE, THREATEN, CITE, PROMISE, ASK, APOLOGISE = range(8)
ACTS = ("propose", "accept", "reject", "threaten", "cite", "promise", "ask", "apologise")
"""Speech acts by code; `accept` and `reject` come with the move and are never asked for."""


@dataclass(frozen=True, slots=True)
class Said:
    """A speech act with its offer: what `sentence` says and `heard` understands; money and goods in millionths.

    Attributes:
        act: code of ACTS.
        price, quantity, week: the offer that is made, or accepted or turned down.
        penalty: share for each week late, millionths; −1 where it is not negotiated.
        cited: price of a rival, EUR/1e6; −1 if none is cited.
    """

    act: int
    price: int
    quantity: int
    week: int
    penalty: int = NOBODY
    cited: int = NOBODY


_OPENINGS = (
    "I offer",
    "I accept",
    "I will not take",
    "This is my last word, or I leave:",
    "Another firm's price is {cited}; I offer",
    "I promise to keep to this volume:",
    "How much do you need, or can you promise? I offer",
    "I am sorry for what went before; I offer",
)
_OFFER = "{quantity} at {price} EUR a unit, delivered in week {week}{penalty}."
_PENALTY = ", with {penalty}% back for each week late"
_NUMBER = r"-?\d+(?:\.\d+)?"


def sentence(said: Said) -> str:
    """One English sentence for a speech act and its offer; numbers as exact as they are.

    >>> sentence(Said(PROPOSE, 50_000_000, 20_000_000, 2, 25_000))
    'I offer 20 units at 50.00 EUR a unit, delivered in week 2, with 2.5% back for each week late.'
    >>> sentence(Said(CITE, 50_000_000, 1_000_000, 2, cited=48_990_000))
    "Another firm's price is 48.99 EUR; I offer 1 unit at 50.00 EUR a unit, delivered in week 2."
    """
    opening = _OPENINGS[said.act].format(cited=f"{_plain(said.cited, 2)} EUR")
    goods = f"{_plain(said.quantity)} unit{'' if said.quantity == MILLION else 's'}"
    penalty = "" if said.penalty == NOBODY else _PENALTY.format(penalty=_plain(said.penalty * 100))
    offer = _OFFER.format(quantity=goods, price=_plain(said.price, 2), week=said.week, penalty=penalty)
    return f"{opening} {offer}"


def heard(text: str) -> Said:
    """What a sentence of `sentence` says.

    Raises:
        ValueError: it is no such sentence.
    """
    for act, opening in enumerate(_OPENINGS):
        found = re.fullmatch(_pattern(opening), text)
        if found:
            numbers = {name: value for name, value in found.groupdict().items() if value is not None}
            penalty = _millionths(numbers["penalty"]) // 100 if "penalty" in numbers else NOBODY
            return Said(
                act=act,
                price=_millionths(numbers["price"]),
                quantity=_millionths(numbers["quantity"]),
                week=int(numbers["week"]),
                penalty=penalty,
                cited=_millionths(numbers["cited"]) if "cited" in numbers else NOBODY,
            )
    raise ValueError(
        f"no sentence of a negotiation: {text[:80]!r}; they are as `ecosim.manufacturing.speech` makes them"
    )


def _pattern(opening: str) -> str:
    def number(name: str) -> str:
        return f"(?P<{name}>{_NUMBER})"

    words = re.escape(opening).replace(re.escape("{cited}"), number("cited") + " EUR")
    penalty = rf"(?:, with {number('penalty')}% back for each week late)?"
    offer = (
        rf"{number('quantity')} units? at {number('price')} EUR a unit, delivered in week {number('week')}{penalty}\."
    )
    return f"{words} {offer}"


def _plain(millionths: int, places: int = 0) -> str:
    """A count of millionths as a decimal number, exact, with at least so many places.

    >>> _plain(2_500_000), _plain(50_000_000, 2), _plain(-1)
    ('2.5', '50.00', '-0.000001')
    """
    whole, rest = divmod(abs(millionths), MILLION)
    digits = f"{rest:06d}".rstrip("0").ljust(places, "0")
    return f"{'-' if millionths < 0 else ''}{whole}{'.' if digits else ''}{digits}"


def _millionths(text: str) -> int:
    whole, _, rest = text.lstrip("-").partition(".")
    found = int(whole) * MILLION + int(rest.ljust(6, "0")[:6] or 0)
    return -found if text.startswith("-") else found


def may_say(
    *, has_offer: bool, own_threat: Array, is_sorry: Array, has_rival: Array, may_bluff: bool, asked: Array
) -> Array:
    """Which acts may come with an offer, bool (rows, acts).

    Args:
        has_offer: whether the other side has made an offer; all talks of a round are at the same move.
        own_threat: where an own threat stands.
        is_sorry: where there is something to apologise for.
        has_rival: where another talk has an offer.
        may_bluff: whether a rival may be made up.
        asked: where it has asked before.
    """
    allowed = np.zeros((len(asked), len(ACTS)), bool)
    allowed[:, [PROPOSE, PROMISE]] = True
    allowed[:, THREATEN] = has_offer & ~own_threat
    allowed[:, CITE] = (has_rival | may_bluff) & has_offer
    allowed[:, ASK] = ~asked
    allowed[:, APOLOGISE] = is_sorry
    return allowed


_PARTY = {
    "said": Meaning("", "code of its last speech act; −1 before its first"),
    "cited": Meaning("EUR/1e6", "the price that it cited with its last move; −1 if it cited none"),
    "promise": Meaning("units/1e6", "the volume that it promised to keep to; 0 if none"),
    "threat": Meaning("", "1 while a threat of its to leave stands"),
    "asked": Meaning("", "1 once it has asked what the other needs"),
}


def _speaks(scenario: ManufacturingScenario) -> bool:
    return "negotiate" in scenario.phases and (scenario.negotiation.speech or scenario.negotiation.has_penalty)


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    names = [
        *standing(scenario.negotiation),
        *(("buyer_lateness", "seller_lateness") if scenario.negotiation.has_penalty else ()),
    ]
    empty = np.zeros(0, np.int64)
    tables["talks"] = Table({**tables["talks"], **{name: empty for name in names}})


CHAPTER = Chapter(
    is_in=_speaks,
    build=_build,
    schemas={
        "speeches": Schema(
            "what was said with the moves of negotiations, where scenarios have speech or negotiate penalties",
            4,
            (
                Column("buyer", "i8", "id", "who buys", of="member"),
                Column("seller", "i8", "id", "who sells", of="member"),
                Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
                Column("move", "i8", "", "from 0; buyers make the even moves"),
                Column("speech", "i8", "", ", ".join(f"{i} {name}" for i, name in enumerate(ACTS)), ACTS),
                Column("penalty", "i8", "share/1e6", "of the offer, or of the one at stake; −1: not negotiated"),
                Column("cited", "i8", "EUR/1e6", "price of a rival that was cited; −1: none"),
                Column("promise", "i8", "units/1e6", "volume that the mover has promised so far; 0: none"),
            ),
            is_rare=True,
        )
    },
    states={
        "talks": State(
            "",
            {f"{side}_{name}": meaning for side in ("buyer", "seller") for name, meaning in _PARTY.items()}
            | {
                f"{side}_{name}": meaning
                for side in ("buyer", "seller")
                for name, meaning in {
                    "penalty": Meaning("share/1e6", "its standing offer; −1 if there is none"),
                    "lateness": Meaning("weeks/1e6", "how late it takes a delivery to be on average; hidden"),
                }.items()
            },
        )
    },
)
