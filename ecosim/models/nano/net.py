"""The network of a nano mind: a transformers Llama over a question's columns, and light heads for its fields.

Each group of columns is a token (`inputs_embeds`), a last token asks. One forward through the trunk answers all fields:
what was answered to earlier fields enters the head of the next, not the trunk, so a row of seven fields costs one pass.

    head_f(row) = W₂ · gelu(W₁ · h + S · x + Σ over earlier fields g of E_g[answer of g])

with h the trunk's last hidden state and x the encoded numbers themselves: a straight way for rules that are nearly
linear. A pointing field scores option o by v · gelu(what is read of o + the same inner state).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from ecosim.models.nano.encode import FEATURES, point_features
from ecosim.models.nano.lean import last_hidden
from ecosim.models.nano.spec import FieldSpec, NanoSpec, QuestionSpec

if TYPE_CHECKING:
    from transformers import LlamaModel

Pick = Callable[[str, Tensor], Tensor]
"""From a field and its scores (rows, options) to the options taken, int64 (rows,); −1 where the field is not asked."""

NEVER = -1e9
"""The score of an option that is not legal."""


class Net(nn.Module):
    """A network for one role.

    Args:
        spec: what it reads and answers.
        seed: of its first weights.
    """

    def __init__(self, spec: NanoSpec, seed: int = 0) -> None:
        super().__init__()
        self.spec = spec
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.trunk = _trunk(spec)
            self.questions = nn.ModuleDict({phase: _Question(spec, card) for phase, card in spec.questions.items()})

    @property
    def num_parameters(self) -> int:
        """All numbers that were learnt."""
        return sum(p.numel() for p in self.parameters())

    def flops(self, phase: str) -> int:
        """Nominal floating-point operations of one row.

        Two a parameter and position of the trunk, two a parameter of the question's own layers.
        """
        question = self.questions[phase]
        inside = sum(p.numel() for p in self.trunk.parameters())
        positions = len(self.spec.questions[phase].tokens) + 1
        return 2 * (inside * positions + sum(p.numel() for p in question.parameters()))

    def walk(self, phase: str, x: Tensor, slots: Mapping[str, Tensor], fields: tuple[str, ...], pick: Pick) -> None:
        """Score the fields in order; `pick` is told each field's scores and says what was answered.

        Args:
            x: float32 (rows, features); slots: (rows, options, features) by pointing field.
        """
        question = self.questions[phase]
        assert isinstance(question, _Question)
        tokens = question.embed(x)
        if torch.is_inference_mode_enabled():
            hidden = last_hidden(self.trunk, tokens)
        else:
            hidden = self.trunk(inputs_embeds=tokens, use_cache=False).last_hidden_state[:, -1]
        state = question.read(hidden) + question.straight(x)
        for name in fields:
            head = question.heads[name]
            assert isinstance(head, _Head)
            state = state + head.enter(pick(name, head(state, slots.get(name))), slots.get(name))

    def forward(
        self, phase: str, x: Tensor, slots: Mapping[str, Tensor], chosen: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Scores of all fields in `chosen`, (rows, options), given the options chosen in earlier fields.

        Args:
            chosen: by field, in order, int64 (rows,); −1 where the field is not asked.
        """
        found: dict[str, Tensor] = {}

        def pick(name: str, scores: Tensor) -> Tensor:
            found[name] = scores
            return chosen[name]

        self.walk(phase, x, slots, tuple(chosen), pick)
        return found


def _trunk(spec: NanoSpec) -> LlamaModel:
    from transformers import LlamaConfig, LlamaModel

    config = LlamaConfig(
        vocab_size=1,
        hidden_size=spec.hidden,
        intermediate_size=2 * spec.hidden,
        num_hidden_layers=spec.layers,
        num_attention_heads=spec.heads,
        num_key_value_heads=spec.heads,
        max_position_embeddings=max(len(card.tokens) for card in spec.questions.values()) + 1,
        use_cache=False,
        bos_token_id=None,
        eos_token_id=None,
    )
    config._attn_implementation = "eager"
    trunk = LlamaModel(config)
    del trunk.embed_tokens  # columns are embedded by the questions
    return trunk


class _Question(nn.Module):
    """The layers of one question."""

    def __init__(self, spec: NanoSpec, card: QuestionSpec) -> None:
        super().__init__()
        self.widths = [card.width(token) * FEATURES for token in card.tokens]
        self.tokens = nn.ModuleList(nn.Linear(width, spec.hidden) for width in self.widths)
        self.ask = nn.Parameter(torch.randn(spec.hidden) * 0.1)
        self.read = nn.Linear(spec.hidden, spec.head_hidden)
        self.straight = nn.Linear(sum(self.widths), spec.head_hidden, bias=False)
        self.heads = nn.ModuleDict({name: _Head(how, spec.head_hidden) for name, how in card.fields.items()})

    def embed(self, x: Tensor) -> Tensor:
        """The tokens of each row, (rows, tokens + 1, hidden)."""
        found = [layer(part) for layer, part in zip(self.tokens, torch.split(x, self.widths, dim=1), strict=True)]
        return torch.stack([*found, self.ask.expand(len(x), -1)], dim=1)


class _Head(nn.Module):
    """Scores of one field's options, and what an answer tells the fields after it."""

    def __init__(self, how: FieldSpec, hidden: int) -> None:
        super().__init__()
        self.points = bool(how.points)
        self.before = how.before
        num = how.before if how.points else len(how.options) or how.bins
        self.mix = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, max(num, 1))
        self.answers = nn.Embedding(max(num, 1), hidden)
        if self.points:
            self.slot = nn.Linear(point_features(how), hidden)
            self.weigh = nn.Linear(hidden, 1)
            self.taken = nn.Linear(point_features(how), hidden)

    def forward(self, state: Tensor, slots: Tensor | None) -> Tensor:
        """Scores (rows, options)."""
        inner = gelu(self.mix(gelu(state)))
        if not self.points:
            return self.out(inner)
        assert slots is not None
        own = slots[:, self.before :]
        scores = self.weigh(gelu(self.slot(own) + inner[:, None, :]))[:, :, 0]
        return torch.cat([self.out(inner)[:, : self.before], scores], dim=1)

    def enter(self, chosen: Tensor, slots: Tensor | None) -> Tensor:
        """What the answers tell the next fields, (rows, hidden); nothing where none was given."""
        there = (chosen >= 0)[:, None]
        place = chosen.clamp(min=0)
        if not self.points:
            return torch.where(there, self.answers(place), 0.0)
        assert slots is not None
        taken = self.taken(slots[torch.arange(len(place)), place])
        if self.before:
            word = self.answers(place.clamp(max=self.before - 1))
            taken = torch.where((place < self.before)[:, None], word, taken)
        return torch.where(there, taken, 0.0)
