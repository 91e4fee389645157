"""What a nano network reads and answers: which columns of a question, on which scale, and how an answer is laid out.

A network knows one role and some of its questions. Columns are grouped into tokens, and every number is read on a scale
of its own row, so that one network serves a corner shop and a wholesaler: stock in weeks of demand, prices in shares of
the firm's own limit. As data (part of a recipe, and kept beside the weights):

```yaml
replenish:
  tokens:                                     # token: {term: scale}
    stock: {on_hand: "mean(demand_history, 4)", on_order: "mean(demand_history, 4)"}
    gap: {order_up_to - position: "mean(demand_history, 4)"}          # terms are columns, or sums and differences
    demand: {demand_history: "mean(demand_history, 4)"}               # (rows, slots): see `slots`
    time: {lead_time: 4}
  slots: {demand_history: 8}                  # how many slots are read of such a column, from the first
  derived: {cover: "on_hand / mean(demand_history)"}                # columns of its own making, see `derived`
  fields:                                     # in the order of the question; what a question leaves out is left out
    quantity: {scale: "mean(demand_history, 4)", low: 0, high: 12, bins: 49}             # a Bucket
publish:
  fields:
    topic: {points: {views_by_topic: "sum(views_by_topic)", trend: 10}}                  # a Choice among slots
    effort: {options: [low, medium, high]}                                               # a Choice among words
```

A scale is a number, a term, or the `mean` or `sum` of the filled slots of a column (of its first k). Where it is 0 or
the column is missing, the term counts as absent. `price.low` and `price.high` are the row's lowest and highest legal
answers to a Bucket: `{offer_price - price.low: price.high - price.low}` is where an offer lies between them.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ecosim.catalog import Entry
from ecosim.models.nano.derived import Expression

_COLUMN = r"[A-Za-z_]\w*(?:\.(?:low|high))?"
_TERM = re.compile(rf"{_COLUMN}(\s*[+-]\s*{_COLUMN})*")
_SCALE = re.compile(
    rf"(?P<term>{_COLUMN}(\s*[+-]\s*{_COLUMN})*)|(?P<how>mean|sum)\((?P<of>{_COLUMN})(,\s*(?P<first>[1-9]\d?))?\)"
)

MAX_BINS = 512
MAX_SLOTS = 64


def _is_term(text: str) -> str:
    if not _TERM.fullmatch(text):
        raise ValueError(f"{text!r}: a term is a column, or columns with + and - between them")
    return text


def _is_scale(scale: float | str) -> float | str:
    if isinstance(scale, str) and not _SCALE.fullmatch(scale):
        raise ValueError(f"{scale!r}: a scale is a number, a term, mean(column), sum(column) or mean(column, 4)")
    if isinstance(scale, int | float) and scale <= 0:
        raise ValueError(f"{scale}: a scale is above 0")
    return scale


Term = Annotated[str, AfterValidator(_is_term)]
Scale = Annotated[float | int | str, AfterValidator(_is_scale)]
Terms = dict[Term, Scale]


def parts(term: str) -> list[tuple[int, str]]:
    """The columns of a term with their signs, in order.

    >>> parts("order_up_to - position")
    [(1, 'order_up_to'), (-1, 'position')]
    """
    found = re.findall(rf"([+-]?)\s*({_COLUMN})", term)
    return [(-1 if sign == "-" else 1, name) for sign, name in found]


def scale_parts(scale: str) -> tuple[str, str, int]:
    """How ("" for a plain column), which column, and how many of its slots (0: all).

    >>> scale_parts("mean(demand_history, 4)")
    ('mean', 'demand_history', 4)
    """
    match = _SCALE.fullmatch(scale)
    assert match is not None
    return match["how"] or "", match["term"] or match["of"], int(match["first"] or 0)


class FieldSpec(Entry):
    """How one field is answered: among words, among slots, or on a grid of bins.

    Attributes:
        options: the words of a Choice, in the network's order; a question may offer some of them.
        points: for a Choice whose options are the slots of (rows, slots) columns: what is read of each slot.
        before: how many options stand before those that are slots (such as `nobody`).
        base, scale, low, high, bins, power: of a Bucket: bin i stands for base + scale · u, with
            u = low + (high − low) · (i / (bins − 1))^power. `base` is a term or 0. With scale `limits` u runs from the
            row's lowest legal answer (0) to its highest (1).
        choose: the likeliest answer (of a Bucket: the mean over the likeliest bin and its neighbours), or a draw.
        temperature: of the draw.
    """

    options: list[str] = Field(default_factory=list)
    points: Terms = Field(default_factory=dict)
    before: Annotated[int, Field(ge=0, le=8)] = 0
    base: Term | Literal[""] = ""
    scale: Scale = 1.0
    low: float = 0.0
    high: float = 1.0
    bins: Annotated[int, Field(ge=0, le=MAX_BINS)] = 0
    power: Annotated[float, Field(gt=0, le=4)] = 1.0
    choose: Literal["argmax", "sample"] = "argmax"
    temperature: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _is_one_kind(self) -> FieldSpec:
        kinds = [bool(self.options), bool(self.points), self.bins > 0]
        if sum(kinds) != 1:
            raise ValueError("a field has options, or points, or bins: one of them")
        if self.bins == 1 or (self.bins and self.low >= self.high):
            raise ValueError("bins need at least two, and low below high")
        return self


class QuestionSpec(Entry):
    """What is read of a question, and how each field is answered; the module's docstring has an example."""

    tokens: Annotated[dict[str, Terms], Field(min_length=1)]
    slots: dict[str, Annotated[int, Field(ge=1, le=MAX_SLOTS)]] = Field(default_factory=dict)
    derived: dict[str, Expression] = Field(default_factory=dict)
    fields: Annotated[dict[str, FieldSpec], Field(min_length=1)]

    def width(self, token: str) -> int:
        """How many numbers a token reads: one a term, or one a slot."""
        return sum(self.term_width(term) for term in self.tokens[token])

    def term_width(self, term: str) -> int:
        """How many numbers a term is."""
        return max(self.slots.get(name, 1) for _, name in parts(term))


class NanoSpec(Entry):
    """A network: its size, and what it reads and answers, by phase.

    Attributes:
        hidden: width of the trunk; heads must divide it.
        head_hidden: width of the answer heads.
    """

    role: str
    hidden: Annotated[int, Field(ge=8, le=512)] = 64
    layers: Annotated[int, Field(ge=1, le=12)] = 2
    heads: Annotated[int, Field(ge=1, le=16)] = 4
    head_hidden: Annotated[int, Field(ge=8, le=512)] = 64
    questions: Annotated[dict[str, QuestionSpec], Field(min_length=1)]

    @model_validator(mode="after")
    def _heads_divide(self) -> NanoSpec:
        if self.hidden % (2 * self.heads):
            raise ValueError(f"hidden {self.hidden} must be a multiple of 2 × heads ({2 * self.heads})")
        return self
