"""What a text is about, by the words in it: how the scripted reader tells kinds of letters and shocks apart."""

from __future__ import annotations

import re

DENIAL = re.compile(r"\b(den(y|ies|ied)|not|no|false|unfounded|called off|contrary|whatever|nobody|nothing|over)\b")
_WORDS = {
    "clause": r"\b(undertakes|signed in week|penalty|owes \d+)",
    "short": r"\b(a part|short|missing)\b",
    "late": r"\b(late|delayed|behind|in time|do not wait|cannot keep)\b",
    "more": r"\b(asks for|additional|another|needs)\b",
    "recall": r"\b(recall\w*|withdraw\w*)\b",
    "surge": r"\b(surge|rush|demand)\b",
    "closure": r"\b(closed|blockade|lorry)\b",
    "delay": r"\b(hold up|held up|slows?|longer)\b",
    "cost_jump": r"\b(costs?|dearer)\b",
    "value_jump": r"\b(worth|valued|jumps?|prices)\b",
    "outage": r"\b(outage|capacity|breaks down)\b",
}
"""In the order in which they are looked for."""
_SIGNS = {kind: re.compile(words) for kind, words in _WORDS.items()}


def kind_of(text: str, kinds: tuple[str, ...]) -> str | None:
    """The first kind of those that can be of which a word stands in a text; None if none does.

    >>> kind_of("partners: mill_1 cannot send your 20 flour in time", ("late", "short"))
    'late'
    """
    return next((kind for kind in _SIGNS if kind in kinds and _SIGNS[kind].search(text)), None)
