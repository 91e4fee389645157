"""YAML as it is meant: one document of plain keys and values, with the line of each, or faults that say what to write.

A scenario and a card are written by hand and passed on, so nothing in one may surprise: keys given twice, aliases,
merges, tags and whatever is no text are faults here, as are the words that `ecosim.scalars` refuses. Nothing is ever
made but text, numbers, true, false, null, lists and groups of keys; no alias is followed, so a small file stays small.
`--set key=value` reads values alike.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from ecosim.document import Document, Spot, dotted, shown
from ecosim.errors import printable
from ecosim.scalars import plain

MAX_BYTES = 2**20
MAX_DEPTH = 12
MAX_VALUES = 20_000
MAX_KEY = 200

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTED = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_CONTROL = re.compile(f"[{_UNPRINTED}]")
_CONTROL_IN_VALUE = re.compile(f"[\r{_UNPRINTED}]")
_TAB_BEFORE = re.compile(r"^ *\t", re.MULTILINE)


def read(path: Path) -> Document:
    """The keys and values of a file; never raises: what is wrong is in `faults`."""
    document = Document(str(path), lines={(): 1})
    text = _text(path, document)
    if document.is_whole:
        data = _parse(text, document)
        if document.is_whole and not isinstance(data, dict):
            _stop(document, 1, f"expected keys and values, got {shown(data)}")
        document.data = data if isinstance(data, dict) else {}
    return document


def text_of(path: Path) -> tuple[str, str]:
    """What a text file holds, and what is wrong with it, as a line to print."""
    document = Document(str(path), lines={(): 1})
    text = _text(path, document)
    return text, "".join(document.tell())


def value(text: str, place: str) -> tuple[Any, list[str]]:
    """A single value, such as the right-hand side of `--set`, and what is wrong with it."""
    document = Document(place)
    control = _CONTROL.search(text)
    if control:
        return None, [f"{place}: holds the control character {control[0]!r}"]
    found = _parse(text, document) if text.strip() else None
    document.lines.clear()  # a value has but one
    return found, document.tell()


def _stop(document: Document, line: int, text: str) -> None:
    """A fault after which nothing more can be read."""
    spot: Spot = ("\n", line)  # no key is called that
    document.lines[spot] = line
    document.faults.append((spot, text))
    document.is_whole = False


def _text(path: Path, document: Document) -> str:
    """What a file holds, if it is text; else a fault."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        document.lines.clear()
        document.faults.append(((), f"cannot be read: {getattr(error, 'strerror', None) or error}"))
        document.is_whole = False
        return ""
    if len(content) > MAX_BYTES:
        _stop(document, 1, f"larger than {MAX_BYTES:,} bytes; a file for people to read is not")
        return ""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _stop(document, line, f"not UTF-8 text (byte 0x{content[error.start]:02x}); save the file as UTF-8")
        return ""
    for pattern, fault in (
        (_CONTROL, "holds the control character {}; this is no text, or should be written in plain text"),
        (_TAB_BEFORE, "a line begins with a tab; YAML is indented with spaces"),
    ):
        found = pattern.search(text)
        if found:
            _stop(document, text.count("\n", 0, found.start()) + 1, fault.format(ascii(found[0])))
            return ""
    return text


def _parse(text: str, document: Document) -> Any:
    """The value of the one document in a text; faults go to the document."""
    parser = _LOADER(text)
    try:
        parser.get_event()  # the stream starts
        if parser.check_event(yaml.StreamEndEvent):
            return _stop(document, 1, "is empty; expected keys and values")
        start = parser.get_event()
        if start.version or start.tags:
            return _stop(
                document, start.start_mark.line + 1, "directives (%YAML, %TAG) are not used here; leave them out"
            )
        data = _Builder(parser, document).node((), 0)
        parser.get_event()  # the document ends
        if not parser.check_event(yaml.StreamEndEvent):
            line = parser.get_event().start_mark.line + 1
            return _stop(document, line, "a second document begins (---); give each a file of its own")
        return data
    except _TooMuch as error:
        return _stop(document, error.line, error.text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        return _stop(document, mark.line + 1 if mark else 1, f"not valid YAML: {printable(problem, 200)}")
    finally:
        parser.dispose()


class _TooMuch(Exception):
    def __init__(self, line: int, text: str) -> None:
        self.line, self.text = line, text


class _Builder:
    """Makes plain data of a parser's events, and notes lines and faults."""

    def __init__(self, parser: Any, document: Document) -> None:
        self.parser, self.document, self.count = parser, document, 0

    def node(self, spot: Spot, depth: int) -> Any:
        """The next value."""
        event = self.parser.get_event()
        line = event.start_mark.line + 1
        self.document.lines[spot] = line
        self.count += 1
        if self.count > MAX_VALUES:
            raise _TooMuch(line, f"more than {MAX_VALUES:,} keys and values; give groups a count instead")
        if depth > MAX_DEPTH:
            raise _TooMuch(line, f"nested deeper than {MAX_DEPTH} levels; no key lies that deep")
        if isinstance(event, yaml.AliasEvent):
            self.fault(spot, f"aliases (*{printable(str(event.anchor), 40)}) are not used here; write the value out")
            return None
        if event.anchor is not None:
            self.fault(spot, f"anchors (&{printable(str(event.anchor), 40)}) are not used here; leave it out")
        if event.tag is not None:
            self.fault(
                spot, f"tags ({printable(event.tag, 60)}) are not used here; a scenario or card is data: leave it out"
            )
        if isinstance(event, yaml.MappingStartEvent):
            return self.group(spot, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.items(spot, depth)
        return self.scalar(event, spot)

    def items(self, spot: Spot, depth: int) -> list[Any]:
        found: list[Any] = []
        while not self.parser.check_event(yaml.SequenceEndEvent):
            found.append(self.node((*spot, len(found)), depth + 1))
        self.parser.get_event()
        return found

    def group(self, spot: Spot, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self.parser.check_event(yaml.MappingEndEvent):
            key, line = self.key(spot, depth)
            if key in found:
                first = self.document.lines[*spot, key]
                self.fault_at(
                    spot, line, f"{self.place((*spot, key))}key {shown(key)} is given twice, first in line {first}"
                )
                self.node((*spot, key, "\n", line), depth + 1)
            elif key is None:
                self.node((*spot, "\n", line), depth + 1)
            else:
                found[key] = self.node((*spot, key), depth + 1)
                self.document.lines[*spot, key] = line
        self.parser.get_event()
        return found

    def key(self, spot: Spot, depth: int) -> tuple[str | None, int]:
        """The next key and its line; None where it is not text."""
        event = self.parser.peek_event()
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            self.parser.get_event()
            self.fault_at(spot, line, f"{self.place(spot)}merges (<<) are not used here; write the keys out")
            return None, line
        known = len(self.document.faults)
        inside = (*spot, "\n", line)
        key = self.node(inside, depth + 1)
        if len(self.document.faults) > known:
            return None, line
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY or "\n" in key:
            fault = f"a key is a word or a short line of text, got {shown(key)}"
            hint = "; put it in quotes" if isinstance(key, int | float) or key is None else ""
            self.fault_at(spot, line, self.place(spot) + fault + hint)
            return None, line
        return key, line

    def scalar(self, event: Any, spot: Spot) -> Any:
        text: str = event.value
        found, fault = plain(text) if event.implicit[0] and event.style in (None, "") else (text, "")
        control = _CONTROL_IN_VALUE.search(text)
        if control:
            fault = f"holds the control character {control[0]!a}; write plain text"
        if fault:
            self.fault(spot, f"{fault}, got {shown(text)}")
            return None
        return found

    def place(self, spot: Spot) -> str:
        """The place as it stands before a fault; nothing at the top."""
        outer = tuple(part for i, part in enumerate(spot) if part != "\n" and (i == 0 or spot[i - 1] != "\n"))
        return f"{dotted(outer)}: " if outer else ""

    def fault(self, spot: Spot, text: str) -> None:
        self.document.faults.append((spot, self.place(spot) + text))

    def fault_at(self, spot: Spot, line: int, text: str) -> None:
        """A fault in a line where no value stands."""
        here = (*spot, "\n", line)
        self.document.lines[here] = line
        self.document.faults.append((here, text))
