"""What a bargaining table's members see and may answer, and what its tables hold, column by column."""

from __future__ import annotations

from ecosim.meanings import Meaning, State, units

SIDES = ("buyer", "seller")
ENDS = ("open", "agreed", "rejected")
SEES = {
    "is_buyer": Meaning("", "1 if it buys in this talk, 0 if it sells"),
    "issue": Meaning("", "what is to be agreed, in the order of the answers"),
    "points": Meaning("1/1e6", "what each option adds to its utility, issue after issue; the other's are hidden"),
    "round": Meaning("rounds", "this round, from 1; both sides move once a round"),
    "rounds_left": Meaning("rounds", "after this one, until its own deadline; the other's is hidden"),
    "reservation": Meaning("1/1e6", "what it has without a deal; the other's is hidden"),
    "discount": Meaning("", "what the utility of an agreement in this round is multiplied by"),
    "best": Meaning("1/1e6", "its utility of its best outcome"),
    "has_offer": Meaning("", "1 if an offer of the other side stands"),
    "offer": Meaning("", "the other's standing offer: which option of each issue, from 0"),
    "offer_utility": Meaning("1/1e6", "its own utility of that; −1 if there is none"),
    "offer_before": Meaning("1/1e6", "its own utility of the other's offer one move earlier; −1 if there was none"),
    "offer_first": Meaning("", "the other's first offer: which option of each issue"),
    "offer_changes": Meaning("", "how often the other has changed its offer"),
    "offer_kept": Meaning("", "in how many of these changes each issue stayed as it was"),
    "has_own": Meaning("", "1 if it has made an offer before"),
    "own": Meaning("", "its own standing offer: which option of each issue"),
    "own_utility": Meaning("1/1e6", "its own utility of that; −1 if there is none"),
    "own_place": Meaning("", "where that stands among its own outcomes, 0 the best; −1 if there is none"),
    "below_utility": Meaning("1/1e6", "its own utility of its next worse outcome; −1 if there is none"),
    "ranked": Meaning("", "all outcomes from its best to its worst, by number (the last issue counts fastest)"),
    "ladder": Meaning("1/1e6", "its own utility of these, in the same order"),
}  # fmt: skip
ANSWERS = {
    "act": Meaning("", "take the other's offer, make another, insist on the own (until its own deadline), or end it"),
    **{f"issue_{i + 1}": Meaning("", f"of another offer: the option of issue {i + 1}") for i in range(6)},
}
UNITS = units(SEES)
_LASTING = {
    "rounds": Meaning("rounds", "its deadline; hidden"),
    "worth": Meaning("1/1e6", "its utility of each outcome; hidden"),
    "standing": Meaning("", "where each outcome stands in its ranking, 0 the best"),
}
_SIDE = {
    "mind": Meaning("id", "the mind that answers for it"),
    "rounds": Meaning("rounds", "its deadline; hidden"),
    "points": Meaning("1/1e6", "what each option of each issue adds to its utility; hidden"),
    "ranked": Meaning("", "outcomes from its best to its worst"),
    "ladder": Meaning("1/1e6", "its utility of these"),
    "offer": Meaning("", "the outcome that it offers; −1 if none yet"),
    "options": Meaning("", "the same as an option of each issue"),
    "place": Meaning("", "where that stands among its own outcomes, 0 the best; −1 if none yet"),
    "asks": Meaning("1/1e6", "its own utility of its offer; −1 if none yet"),
    "below": Meaning("1/1e6", "its utility of its next worse outcome; −1 if there is none"),
    "hears": Meaning("1/1e6", "its utility of the other's offer; −1 if none yet"),
    "heard": Meaning("1/1e6", "the same before the other's last move"),
    "first": Meaning("", "its first offer as an option of each issue"),
    "best": Meaning("1/1e6", "its utility of its best outcome"),
    "changes": Meaning("", "how often it has changed its offer"),
    "kept": Meaning("", "in how many of these changes each issue stayed as it was"),
}
PARTIES = {
    "replica": Meaning("id", "where it is"),
    "buyer": Meaning("id", "who buys"),
    "seller": Meaning("id", "who sells"),
}
STATES = {
    "bargains": State(
        "a talk of this week's bargaining table",
        {
            **PARTIES,
            "moves": Meaning("", "moves made by both sides until it ended; 0 while it is open"),
            "end": Meaning("", ", ".join(f"{i} {name}" for i, name in enumerate(ENDS))),
            "agreed": Meaning("", "the outcome agreed; −1 if none"),
            "bids": Meaning("", "what was offered in each move; −1 if nothing else than before"),
            **{f"{s}_{n}": Meaning(m.unit, f"the {s}: {m.about}") for s in SIDES for n, m in _LASTING.items()},
            "front": Meaning("", "its efficient outcomes, from the buyer's best on; filled up with the first"),
            **{f"front_{s}": Meaning("1/1e6", f"the {s}'s utility of these") for s in SIDES},
        },
    ),
    "bargaining": State(
        "an open talk of the bargaining table",
        {
            **PARTIES,
            "talk": Meaning("id", "its row among this week's talks"),
            "moves": Meaning("", "moves made by both sides"),
            "seed": Meaning("", "keys what minds draw"),
            **{f"{s}_{n}": Meaning(m.unit, f"the {s}: {m.about}") for s in SIDES for n, m in _SIDE.items()},
        },
    ),
}
