"""What the catalogue holds: a folder a role (`agents/<role>/`) and a file a scenario (`scenarios/<name>.yaml`).

Both are data, never code, and neither is a Python package: the wheel carries them in `ecosim/_catalog/`, a checkout has
them at its top. A new kind of member for a question that a world already asks is a folder here and no line of Python.

`agents/<role>/card.yaml` says what a member of the role reads, how a language mind asks it, and on which weights:

```yaml
role: distributor                       # the folder's name
about: Buys finished goods, ships them to shops.
licence: Apache-2.0                     # of the card and its prompts
weights:                                # the ladder of weights trained for this role, by grade; untrained needs none
  specialist: {model: smollm2-135m-instruct, adapter: ../negotiator/specialist, sha256: "9f…", licence: Apache-2.0,
               training: "agents/negotiator/recipe.yaml, seed 1", answers: [negotiate], asks: {negotiate: {…}}}
  nano: {model: nano, adapter: nano.safetensors, sha256: "3c…", licence: Apache-2.0, training: "recipe.yaml, seed 1",
         answers: [negotiate]}
default: {negotiate: nano}              # who answers where a seat is called `default`; elsewhere the scripted mind
questions:
  negotiate:                            # a phase
    prompt: negotiate.j2                # this is the default: <phase>.j2 beside the card
    reads: {round: rounds, market_price: EUR/1e6, item_name: ""}   # column: its unit; "" for text and pure numbers
    may_read: {otif: ""}                # columns that only some scenarios have: `{% if otif is defined %}`
    fields:                             # in the order of the question
      act: {ask: "Answer:", choose: sample, temperature: 1.0, normalise: mean}
      price: {ask: "Price in EUR:", choose: argmax, normalise: sum, menu: 8}
      title: {ask: "Title:", temperature: 0.8}                      # a Text: choose, normalise and menu do not apply
      week: {ask: "Week:", answer: label, menu: 4}                  # for trained weights: see below
```

`answer` says how a Choice or Bucket is answered. `words` (the default) scores the options as they are spelt: right for
a model that was never trained on the question. `label` lists them, each behind a letter, and scores the letters alone:

```
A: 1
B: 2
Week: B
```

One forward without option tokens, and the chances of the letters among themselves: cheaper, for weights that were
trained to answer so. At most 52 options (A … Z a … z); `normalise` does not matter, as every label is one token.

A prompt is a Jinja template. Above a line `=====` stands the part that all rows share (its keys and values are
computed once and cached; it may vary only through columns of few values), below it the part of the row: changing
numbers last. It sees the columns that the card `reads`, as numbers or text, a (rows, slots) column as the list of its
filled slots, `filled.<column>` (which slots these are), `options.<field>` (the words of a Choice), `step`, `role`,
`phase`. Filters: `eur` (12400000 → 12.40), `units` (57000000 → 57), `percent` (0.934 → 93), `share` (25000 → 2.5%),
`dated(6)` ("in week 9" → "in week 9 (+3)"), `lettered(names, slots)` ("mill_1" → "mill_1 (C)").
Each field's `ask` follows on a line of its own, then the answer; later fields see earlier answers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecosim import strict
from ecosim.document import shown
from ecosim.errors import CatalogError, printable
from ecosim.faults import checked

SPLIT = "====="
"""The line of a prompt between the part that rows share and the part of the row."""

LETTERS = ascii_uppercase + ascii_lowercase
NUM_LABELS = len(LETTERS)
"""Most options that can be offered by letter: A … Z a … z."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Entry(BaseModel):
    """A group of keys of a card: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class FieldCard(Entry):
    """How a language mind asks for one field.

    Attributes:
        ask: the words before the answer, on a line of their own.
        choose: the likeliest answer, or one drawn by the likelihoods.
        temperature: of the draw, > 0; 1 draws by the likelihoods as they are.
        normalise: an option's score is the sum of its tokens' log-likelihoods (favours short options) or their mean
            (favours long ones).
        menu: how many values of a Bucket are offered.
        answer: the options in words, or letters that stand for them (for trained weights).
        listed: whether letters are listed with what they stand for; weights that know them by heart need no list. Then
            an option of a Choice has the letter of its place among all options, allowed or not.
        anchors: columns whose value in a row, where it is legal, takes the place of the nearest on a Bucket's menu.
    """

    ask: str = Field(min_length=1)
    choose: Literal["argmax", "sample"] = "argmax"
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    normalise: Literal["sum", "mean"] = "sum"
    menu: Annotated[int, Field(ge=2, le=64)] = 8
    answer: Literal["words", "label"] = "words"
    listed: bool = True
    anchors: list[str] = []

    @model_validator(mode="after")
    def _there_are_letters_enough(self) -> FieldCard:
        if self.answer == "label" and self.menu > NUM_LABELS:
            raise ValueError(f"menu is {self.menu}, but answer: label has {NUM_LABELS} letters; give a shorter menu")
        return self


class QuestionCard(Entry):
    """How a language mind is asked in one phase: its template, the columns it reads with their units, its fields.

    Attributes:
        prompt: the template's file, beside the card.
        reads: columns that every question of the phase has.
        fields: answers that every question of the phase asks for, in order.
        may_read: columns that it has in some scenarios only; a template asks `{% if column is defined %}`.
        may_ask: answers that are asked for in some scenarios only, after the others, in order.
    """

    prompt: Annotated[str, Field(pattern=r"^[\w-]+\.j2$")]
    reads: dict[str, str]
    fields: Annotated[dict[str, FieldCard], Field(min_length=1)]
    may_read: dict[str, str] = {}
    may_ask: dict[str, FieldCard] = {}

    def asks(self, names: Sequence[str]) -> dict[str, FieldCard] | None:
        """How the fields of a question are asked, in its order; None where they are not those of the card."""
        more = {name: card for name, card in self.may_ask.items() if name in names}
        found = {**self.fields, **more}
        return found if list(found) == list(names) else None


class Mixed(Entry):
    """Several adapters over one model: each row of a question has the one that a text column of its own names.

    Attributes:
        column: of the question; rows whose text has no adapter are answered by the model as it is.
        folders: of adapters in PEFT's format, beside the card, by text.
        sha256: of their weights, by text.
    """

    column: str
    folders: Annotated[dict[str, str], Field(min_length=1)]
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]

    @model_validator(mode="after")
    def _each_has_its_hash(self) -> Mixed:
        if set(self.sha256) != set(self.folders):
            raise ValueError(f"sha256: has {', '.join(self.sha256)}; folders: has {', '.join(self.folders)}")
        return self


class Weights(Entry):
    """One rung of the ladder: which model, what was trained on top of it, and how well it did.

    Attributes:
        model: the base model; `nano` for a network of its own.
        adapter: the file or folder of weights, beside the card.
        mixed: several adapters, in the place of one.
        chooser: the grade, or the scripted mind, that settles the fields before the first text; "" for none.
        answers: the phases that they were trained on: what a seat that is called by the grade can be asked.
        asks: by phase, how they are asked where not as the card asks everyone: a prompt of their own, with its name.
    """

    model: str
    adapter: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    mixed: Mixed | None = None
    chooser: str = ""
    licence: str
    training: str
    answers: list[str] = []
    asks: dict[str, QuestionCard] = {}
    scores: dict[str, float] = {}


NANO = "nano"
"""The `model` of weights that are a nano network: they stand on no base model."""


class Card(Entry):
    """One role's entry in the catalogue; the module's docstring has an example.

    Attributes:
        default: by phase, the grade that answers where a seat is called `default`: one that passed its gate. The
            phases that are not named have the scripted mind.
        folder: where card and prompts lie.
    """

    role: str
    about: str
    licence: str
    weights: dict[str, Weights] = {}
    default: dict[str, str] = {}
    questions: Annotated[dict[str, QuestionCard], Field(min_length=1)]
    folder: Annotated[Path, Field(exclude=True)]

    @model_validator(mode="before")
    @classmethod
    def _a_prompt_is_named_after_its_phase(cls, data: Any) -> Any:
        questions = data.get("questions") if isinstance(data, dict) else None
        if not isinstance(questions, dict):
            return data
        named = {p: {"prompt": f"{p}.j2", **q} if isinstance(q, dict) else q for p, q in questions.items()}
        return {**data, "questions": named}

    @model_validator(mode="after")
    def _a_default_is_there(self) -> Card:
        for phase, grade in self.default.items():
            if phase not in self.questions:
                raise ValueError(f"default.{phase}: no such question; the card answers {', '.join(self.questions)}")
            if grade not in self.weights:
                known = ", ".join(self.weights) or "none"
                raise ValueError(f"default.{phase}: no weights {grade!r}; the card has {known}")
        return self

    def asking(self, grade: str) -> Card:
        """The card as the weights of a grade are asked; the card itself where they have no way of their own."""
        weights = self.weights.get(grade)
        if weights is None or not weights.asks:
            return self
        return self.model_copy(update={"questions": {**self.questions, **weights.asks}})

    def file(self, grade: str) -> tuple[Path, str | None]:
        """Where the weights of a grade lie, and their SHA-256.

        Raises:
            CatalogError: the card has no such weights, or they name no file.
        """
        weights = self.weights.get(grade)
        if weights is None or weights.adapter is None:
            known = ", ".join(name for name, w in self.weights.items() if w.adapter) or "none"
            raise CatalogError(f"{self.folder / 'card.yaml'}: weights: no file of grade {grade!r}; files of {known}")
        return self.folder / weights.adapter, weights.sha256

    def template(self, phase: str) -> tuple[str, str]:
        """The two parts of a prompt's template: what rows share, and the row's own.

        Raises:
            CatalogError: the card has no such question, or its file is missing or has no dividing line.
        """
        if phase not in self.questions:
            raise CatalogError(
                f"{self.folder / 'card.yaml'}: questions: no {phase!r}; the card answers {', '.join(self.questions)}"
            )
        path = self.folder / self.questions[phase].prompt
        lines = _read(path).splitlines()
        if lines.count(SPLIT) != 1:
            raise CatalogError(
                f"{path}: needs one line {SPLIT!r} between the part that rows share and the part of the row, "
                f"found {lines.count(SPLIT)}"
            )
        middle = lines.index(SPLIT)
        return "\n".join(lines[:middle]) + "\n", "\n".join(lines[middle + 1 :])


@cache
def root() -> Path:
    """The folder that holds `agents/` and `scenarios/`: the packed copy of a wheel if there is one, else the checkout.

    Raises:
        CatalogError: neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_catalog", package.parent):
        if (folder / "agents").is_dir() and (folder / "scenarios").is_dir():
            return folder
    raise CatalogError(f"{package}: no catalogue: neither _catalog/ nor a checkout's agents/ and scenarios/; reinstall")


def roles() -> list[str]:
    """The roles that have a card, in alphabetical order."""
    return sorted(path.parent.name for path in (root() / "agents").glob("*/card.yaml"))


def card(role: str) -> Card:
    """The card of a role.

    Raises:
        CatalogError: no such role, or any number of faults in its card, one a line.
    """
    folder = root() / "agents" / role
    if not _NAME.fullmatch(role) or not (folder / "card.yaml").is_file():
        raise CatalogError(f"{root() / 'agents'}: no role {role!r}; known: {', '.join(roles())}")
    return read_card(folder / "card.yaml")


def cards() -> dict[str, Card]:
    """All cards, by role; read again when a file has changed.

    Raises:
        CatalogError: as `card`.
    """
    files = sorted((root() / "agents").glob("*/card.yaml"))
    return dict(_cards(tuple((path, path.stat().st_mtime_ns) for path in files)))


@lru_cache(maxsize=4)
def _cards(files: tuple[tuple[Path, int], ...]) -> dict[str, Card]:
    return {path.parent.name: read_card(path) for path, _ in files}


def scenario_path(name: str) -> Path:
    """The file of a scenario of the catalogue, by its name.

    Raises:
        CatalogError: no such scenario.
    """
    path = root() / "scenarios" / f"{name}.yaml"
    if not _NAME.fullmatch(name) or not path.is_file():
        known = sorted(p.stem for p in (root() / "scenarios").glob("*.yaml"))
        close = difflib.get_close_matches(name[:100], known, n=1)
        way_out = (
            f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}; or give a path to a .yaml file"
        )
        raise CatalogError(f"{root() / 'scenarios'}: no scenario {name!r}{way_out}")
    return path


def read_card(path: Path) -> Card:
    """The card in a file, with all its faults at once.

    Raises:
        CatalogError: not a readable YAML file, or any number of unknown keys and impossible values, one a line.
    """
    document = strict.read(path)
    given = (
        [(("folder",), "folder: unknown key 'folder'; it is where the card lies")] if "folder" in document.data else []
    )
    document.data["folder"] = path.parent
    found, faults = checked(Card, document) if document.is_whole else (None, [])
    faults += given
    if found is not None and found.role != path.parent.name:
        faults += [(("role",), f"role: must be the folder's name {path.parent.name!r}, got {shown(found.role)}")]
    if found is None or faults or document.faults:
        raise CatalogError("\n".join(map(printable, document.tell(faults))))
    return found


def _read(path: Path) -> str:
    text, fault = strict.text_of(path)
    if fault:
        raise CatalogError(fault)
    return text
