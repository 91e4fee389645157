"""Words without quotes in a YAML file: which are numbers, true, false or null, and which would surprise.

Plain numbers are as in YAML 1.2 and JSON: `3`, `-0.5`, `1e6` (whole, as it has no point). What YAML 1.1 silently turns
into something else (`010` is 8, `12:30` is 750, `no` is false, `2024-01-01` a date, `.nan`) is refused.
"""

from __future__ import annotations

import re
from typing import Any

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)([eE]\+?[0-9]+)?")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_MAX_INT = 2**63 - 1
_MAX_EXPONENT = 400
_SURPRISES = (
    (re.compile(r"(?i:yes|on)"), "YAML would read true; write true, or quotes around a word"),
    (re.compile(r"(?i:no|off)"), "YAML would read false; write false, or quotes around a word"),
    (re.compile(r"[-+]?0[0-9_]+"), "YAML reads a number with a leading 0 as octal; leave the 0 out"),
    (re.compile(r"[-+]?0[xob][0-9a-fA-F_]+"), "write the number in decimals"),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"), "write the number without underscores"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "YAML reads this in base 60; write a number, or quotes"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "YAML reads a date; write quotes around it"),
    (re.compile(r"(?i:[-+]?\.inf|\.nan)"), "not a number; write one that is finite"),
)
_PLAIN: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_PLAIN |= {word: value for value in (True, False) for word in (str(value), str(value).lower(), str(value).upper())}


def plain(text: str) -> tuple[Any, str]:
    """What a word without quotes is, and what is wrong with it.

    >>> plain("1e6"), plain("steel"), plain("true")[0]
    ((1000000, ''), ('steel', ''), True)
    """
    if text in _PLAIN:
        return _PLAIN[text], ""
    for pattern, fault in _SURPRISES:
        if pattern.fullmatch(text):
            return None, fault
    if not _FLOAT.fullmatch(text):
        return text, ""
    return _int(text) if _INT.fullmatch(text) else _float(text)


def _int(text: str) -> tuple[float | None, str]:
    digits, _, exponent = text.lower().partition("e")
    if len(digits) <= 20 and len(exponent) <= 4 and int(exponent or 0) <= _MAX_EXPONENT:
        found = int(digits) * 10 ** int(exponent or 0)
        if abs(found) <= _MAX_INT or exponent:
            return _float(text) if abs(found) > _MAX_INT else (found, "")
    return None, f"a whole number goes up to {_MAX_INT}"


def _float(text: str) -> tuple[float | None, str]:
    found = float(text)
    is_lost = found == 0 and any(c in "123456789" for c in text.lower().partition("e")[0])
    if is_lost or abs(found) == float("inf"):
        return None, "no number of 64 bits is that large or small"
    return found, ""
