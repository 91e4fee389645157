"""Numbers and names as people read them."""

from __future__ import annotations

import math
import re

MAX_TEXT = 20_000
"""Characters of one text that the page shows at most: a prompt is a few thousand."""

UNIT_SUFFIXES = ("_eur", "_units")
"""Units that stand in a name; the report shows the unit beside it."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters and those that turn or hide text; tabs, line ends and the joiners of scripts and emoji stay."""

_PROPER = {"ai": "AI", "gini": "Gini"}
_STEPS = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def shown(text: str, most: int = MAX_TEXT) -> str:
    r"""A text from a scenario or a model, fit for the page: unseen characters as escapes, cut where it is too long.

    >>> shown("pay\u202eme"), shown("a" * 9, most=4)
    ('pay\\u202eme', 'aaaa… (9 characters)')
    """
    cut = text if len(text) <= most else text[:most]
    cut = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", cut)
    return cut if len(text) <= most else f"{cut}… ({len(text):,} characters)"


def short(text: str, most: int) -> str:
    """A text on a drawing or in a narrow cell: at most so many characters.

    >>> short("distributor", 6)
    'distr…'
    """
    text = shown(text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def label(name: str) -> str:
    """A metric's name in words, without the unit that stands beside it.

    >>> label("deal_price_eur"), label("ai_creator"), label("attention_gini")
    ('deal price', 'AI creator', 'attention Gini')
    """
    for suffix in UNIT_SUFFIXES:
        name = name.removesuffix(suffix)
    return " ".join(_PROPER.get(word, word) for word in name.split("_"))


def title(name: str) -> str:
    """The same as a heading.

    >>> title("ai_view_share")
    'AI view share'
    """
    words = label(name)
    return words[:1].upper() + words[1:]


def number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, thousands apart, and a true minus sign.

    >>> number(1234567.8), number(-0.012345), number(0.0), number(float("nan"))
    ('1,234,568', '−0.01235', '0', '–')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(places, 6)}f}" if abs(value) >= 1e-6 else f"{value:.1e}"
    return text.replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """A difference, with its sign.

    >>> signed(0.5), signed(-2.0), signed(0.0)
    ('+0.500', '−2.00', '0')
    """
    return f"+{number(value, digits)}" if value > 0 else number(value, digits)


def compact(value: float) -> str:
    """A number for the end of an axis or a bar.

    >>> compact(12500), compact(3.2e15), compact(0.25), compact(-40)
    ('12.5k', '3.2P', '0.25', '−40')
    """
    size = abs(value)
    for scale, letter in _STEPS:
        if size >= scale * 0.9999:
            return f"{value / scale:.3g}{letter}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def seconds(value: float) -> str:
    """A duration.

    >>> seconds(0.0123), seconds(75.0), seconds(8000.0)
    ('0.012 s', '75 s', '2 h 13 min')
    """
    if value < 10:
        return f"{value:.2g} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "seed"), plural(20, "seed")
    ('1 seed', '20 seeds')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(words: list[str]) -> str:
    """Words as a sentence says them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
