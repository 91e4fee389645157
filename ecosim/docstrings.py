"""Docstrings as data: what a class, a function or a module says of itself, read in one place.

They are Google style: a first paragraph, more of them, then sections: a word and a colon alone on a line with what
follows indented (`Attributes:`), or on the line itself up to the next empty line (`Source: Gini (1912)`). Whatever
tells people about a scenario (`explain`, `schema`, `odd`, the comments of `init`) reads them here, so that the words in
the code are the only copy.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

_HEADING = re.compile(r"(?P<name>[A-Z][\w +]*):\s*$")
_INLINE = re.compile(r"(?P<name>Sources?|Example): (?P<text>.+)$")
_ITEM = re.compile(r"(?P<names>[a-z_]\w*(?:, [a-z_]\w*)*): (?P<text>.+)$")


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring in its parts.

    Attributes:
        paragraphs: what stands before the first section, each on one line; a doctest or a list keeps its lines.
        sections: by heading, as written, without the indent.
    """

    paragraphs: tuple[str, ...]
    sections: Mapping[str, str]

    @property
    def summary(self) -> str:
        """The first paragraph, on one line."""
        return self.paragraphs[0] if self.paragraphs else ""

    def items(self, section: str) -> dict[str, str]:
        """What a section such as `Attributes` says of each name; several names may share a line."""
        found: dict[str, str] = {}
        names: list[str] = []
        for line in self.sections.get(section, "").splitlines():
            match = _ITEM.match(line)
            if match:
                names = match["names"].split(", ")
            text = match["text"] if match else line
            for name in names:
                found[name] = f"{found.get(name, '')} {text.strip()}".strip()
        return found


def read(thing: object) -> Docstring:
    """The docstring of a class, function or module; an empty one where it has none of its own."""
    text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
    paragraphs: list[str] = []
    sections: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        heading = _HEADING.match(block.splitlines()[0]) if block else None
        inline = _INLINE.match(block.splitlines()[0]) if block else None
        if heading:
            sections[heading["name"]] = inspect.cleandoc(" \n" + block.partition("\n")[2])
        elif inline:
            sections[inline["name"]] = _one_line(block.partition(": ")[2])
        elif block and sections and block.startswith(" "):
            last = list(sections)[-1]
            sections[last] += "\n\n" + inspect.cleandoc(" \n" + block)
        elif block and not block.startswith(">>>"):
            paragraphs.append(_one_line(block))
    return Docstring(tuple(paragraphs), sections)


def _one_line(block: str) -> str:
    """A paragraph's lines joined; what is a list or is set in a column stays as it is."""
    lines = block.splitlines()
    return block if any(line.startswith((" ", "- ", "* ")) for line in lines) else " ".join(lines)
