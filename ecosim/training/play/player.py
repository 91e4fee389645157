"""A negotiator that learns by play: a small network over what it sees of a talk, the same for buyers and sellers.

Prices are read and answered as *places*: 1 is the own limit, 0 the market price, −1 what the other's limit would be if
the market price were half-way. So a buyer and a seller see mirror images, and one network serves both, and goods of any
price. It reads its round and rounds left, the standing offer, its own last offer and nothing older: a negotiator with
so short a memory can be answered best by dynamic programming (`exploit`).

Answers: accept, counter or reject, and if it counters a price among `PLACES`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ecosim.errors import CatalogError
from ecosim.fields import Array, Bucket, Choice
from ecosim.manufacturing import tactics
from ecosim.manufacturing.hearing import ACCEPT, COUNTER
from ecosim.words import Answers, Expert, Question

PLACES = np.linspace(-1.5, 1.0, 51)
"""What the bins of a price stand for."""
FEATURES = 16
_CUT = 3.0
"""Places beyond are read as this far."""
_NEAR = 8.0
"""How much more finely places near the own limit are read."""


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
    """Answers of acts and places, both (rows,); all that is not the price is said as the market's tactics say it."""
    wish = np.rint(question["market_price"] + place * scale(question)).astype(np.int64)
    field = question.field("act")
    assert isinstance(field, Choice)
    allowed = np.array(field.allowed)
    allowed[:, ACCEPT], allowed[:, COUNTER] = False, act == COUNTER
    asked = (replace(field, allowed=allowed), *(item for item in question.fields if item.name != "act"))
    both = _with_columns(replace(question, fields=asked), wish=wish)
    answers = tactics.moved(both, lambda some, _: some["wish"])
    return {**answers, "act": act}


def _with_columns(question: Question, **columns: Array) -> Question:
    return replace(question, columns={**question.columns, **columns})


def greedy(log_place: Tensor) -> Array:
    """The mean place of the likeliest bin and its neighbours, weighed by their chances, float64 (rows,)."""
    best = log_place.argmax(1, keepdim=True)
    near = torch.cat([best - 1, best, best + 1], dim=1)
    inside = (near >= 0) & (near < log_place.shape[1])
    near = near.clamp(0, log_place.shape[1] - 1)
    weight = log_place.gather(1, near).exp() * inside
    return ((weight * torch.from_numpy(PLACES).float()[near]).sum(1) / weight.sum(1)).double().numpy()


def valued(question: Question) -> Question:
    """The question with the standing offer at what a unit of it comes to, waiting and penalties counted.

    A seller may not take an offer for a week in which it can't deliver.
    """
    is_buyer, has_offer = question["is_buyer"] == 1, question["has_offer"] == 1
    comes_to = np.where(is_buyer, tactics.worth(question, True), tactics.worth(question, False))
    field = question.field("act")
    assert isinstance(field, Choice)
    allowed = np.array(field.allowed)
    allowed[:, ACCEPT] &= is_buyer | (question["offer_week"] >= question["wanted_week"])
    fields = (replace(field, allowed=allowed), *(item for item in question.fields if item.name != "act"))
    offer = np.where(has_offer, comes_to, question["offer_price"])
    return _with_columns(replace(question, fields=fields), offer_price=offer)


def weighed(player: Player, question: Question) -> tuple[Array, Array]:
    """The chances of acts, float64 (rows, 3), and the place that it would offer at, (rows,)."""
    field = question.field("act")
    assert isinstance(field, Choice)
    with torch.inference_mode():
        acts, places = player(torch.from_numpy(sight(question)), torch.from_numpy(np.array(field.allowed)))
        return acts.exp().double().numpy(), greedy(places)


def expert(player: Player) -> Expert:
    """The player as a mind that takes the likeliest answer."""

    def answer(question: Question) -> Answers:
        chances, place = weighed(player, valued(question))
        return decided(question, chances.argmax(axis=1), place)

    return answer


def save(player: Player, path: Path) -> None:
    """Write a player as safetensors, float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().contiguous() for name, tensor in player.state_dict().items()}
    save_file(tensors, path, metadata={"player": "1"})


def load(path: Path) -> Player:
    """The player in a file.

    Raises:
        CatalogError: no such file, or no player in it.
    """
    if not path.is_file():
        raise CatalogError(f"{path}: no such file; make it with `ecosim models train distributor/play`")
    try:
        tensors = load_file(path)
        player = Player(len(tensors["act.weight"][0]))
        player.load_state_dict(tensors)
    except (SafetensorError, KeyError, RuntimeError, OSError) as error:
        raise CatalogError(f"{path}: not a player: {str(error).splitlines()[0]}") from error
    return player.eval().requires_grad_(False)
