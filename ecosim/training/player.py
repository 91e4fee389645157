"""A negotiator that learns by play: a small network over what it sees of a talk, the same for buyers and sellers.

Prices are read and answered as *places*: 1 is the own limit, 0 the market price, −1 what the other's limit would be if
the market price were half-way. So a buyer and a seller see mirror images, and one network serves both, and goods of any
price. It reads its round and rounds left, the standing offer, its own last offer and nothing older: a negotiator with
so short a memory can be answered best by dynamic programming (`exploit`).

Answers: accept, counter or reject, and if it counters a price among `PLACES`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.manufacturing.hearing import COUNTER
from ecosim.words import Answers, Question

PLACES = np.linspace(-1.5, 1.0, 51)
"""What the bins of a price stand for."""
FEATURES = 16
_CUT = 3.0
"""Places beyond are read as this far."""
_NEAR = 8.0
"""How much more finely places near the own limit are read."""

Draw = Callable[[Tensor], Tensor]
"""From log-chances (rows, options) to the options taken, int64 (rows,)."""


def scale(question: Question) -> Array:
    """From the market price to the own limit, EUR/1e6, float64 (rows,), with its sign; at least a cent."""
    span = (question["reservation"] - question["market_price"]).astype(np.float64)
    return np.where(np.abs(span) < 10_000, np.where(question["is_buyer"] == 1, 10_000.0, -10_000.0), span)


def sight(question: Question) -> Array:
    """What the network reads of each row, float32 (rows, FEATURES)."""
    span, market = scale(question), question["market_price"]
    round_, left = question["round"] * 1.0, question["rounds_left"] * 1.0
    has_offer, has_own = question["has_offer"] == 1, question["has_own"] == 1
    offer = np.where(has_offer, np.clip((question["offer_price"] - market) / span, -_CUT, _CUT), 0.0)
    own = np.where(has_own, np.clip((question["own_price"] - market) / span, -_CUT, _CUT), 0.0)
    price = question.field("price")
    assert isinstance(price, Bucket)
    best = np.where(question["is_buyer"] == 1, price.low, price.high)
    act = question.field("act")
    assert isinstance(act, Choice)
    may_counter = act.allowed[:, COUNTER] * 1.0
    found = [
        round_ / 10,
        left / 10,
        round_ / (round_ + left),
        (left == 0) * may_counter,
        may_counter,
        has_offer * 1.0,
        has_own * 1.0,
        offer,
        own,
        np.tanh(_NEAR * (offer - 1)) * has_offer,
        np.tanh(_NEAR / 2 * offer),
        np.tanh(_NEAR / 2 * (offer - own)) * has_offer * has_own,
        np.clip((best - market) / span, -_CUT, _CUT),
        np.abs(span) / market,
        (question["is_buyer"] == 1) * 1.0,
        1 - question["discount"] if "discount" in question.columns else np.zeros(len(span)),
    ]
    return np.stack(found, axis=1).astype(np.float32)


class Player(nn.Module):
    """Scores of acts (rows, 3) and of places (rows, len(PLACES)).

    Args:
        hidden: width of both layers.
        seed: of the first weights.
    """

    def __init__(self, hidden: int = 96, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(nn.Linear(FEATURES, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
            self.act, self.place = nn.Linear(hidden, 3), nn.Linear(hidden, len(PLACES))
            for head in (self.act, self.place):
                nn.init.normal_(head.weight, std=0.01)

    def forward(self, x: Tensor, legal: Tensor) -> tuple[Tensor, Tensor]:
        """Log-chances of acts and places; illegal acts have none."""
        inner = self.body(x)
        act = self.act(inner).masked_fill(~legal, -1e9)
        return act.log_softmax(1), self.place(inner).log_softmax(1)


def prices(question: Question, place: Array) -> Array:
    """Legal prices nearest to places of the rows, EUR/1e6, int64 (rows,)."""
    field = question.field("price")
    assert isinstance(field, Bucket)
    wish = np.rint(question["market_price"] + place * scale(question)).astype(np.int64)
    return field.snap(np.minimum(np.maximum(wish, field.low), field.high) + field.step // 2)


def decided(question: Question, act: Array, place: Array) -> Answers:
    """Answers of acts and places (both (rows,)); of quantity and week what is needed and wanted."""
    counter = act == COUNTER
    quantity, week = question.field("quantity"), question.field("week")
    assert isinstance(quantity, Bucket) and isinstance(week, Bucket)
    wish = np.where(question["has_offer"] == 1, np.minimum(question["offer_quantity"], question["need"]), question["need"])
    wish = np.where(question["is_buyer"] == 1, question["need"], wish)
    answers = {"price": prices(question, place), "quantity": quantity.snap(wish), "week": week.snap(question["wanted_week"])}
    return {"act": act, **{name: np.where(counter, column, NOT_ASKED) for name, column in answers.items()}}


def greedy(log_place: Tensor) -> Array:
    """The mean place of the likeliest bin and its neighbours, weighed by their chances, float64 (rows,)."""
    best = log_place.argmax(1, keepdim=True)
    near = torch.cat([best - 1, best, best + 1], dim=1)
    inside = (near >= 0) & (near < log_place.shape[1])
    near = near.clamp(0, log_place.shape[1] - 1)
    weight = log_place.gather(1, near).exp() * inside
    return ((weight * torch.from_numpy(PLACES).float()[near]).sum(1) / weight.sum(1)).double().numpy()


def expert(player: Player) -> Callable[[Question], Answers]:
    """The player as a mind that takes the likeliest answer."""

    def answer(question: Question) -> Answers:
        act_field = question.field("act")
        assert isinstance(act_field, Choice)
        with torch.inference_mode():
            act, place = player(torch.from_numpy(sight(question)), torch.from_numpy(np.array(act_field.allowed)))
            return decided(question, act.argmax(1).numpy(), greedy(place))

    return answer
