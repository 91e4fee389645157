"""The engine: many talks through one language model, each row with the same bits in any batch.

A field is asked by one forward over [text | option trie] behind what the row has read, with a tree mask; the next field
continues on the same keys. Rows are grouped by prefix, then by their own rounded width, and a group runs through all
its questions before the next begins, so memory stays bounded. What is kept for `reproducible` numerics, and tested:
right padding only; a row's keys in the same slots in any batch; one prefix and one width a batch; `log_softmax` (the
last bit of logsumexp depends on the batch); at least `_MIN_HEADS` rows through the head, and `_MIN_ROWS` in a step of
writing, filled with copies (a single row takes another path through the matrix product).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.fields import Array
from ecosim.models.load import LanguageModel
from ecosim.pool.frame import Frame, frame_of
from ecosim.pool.pack import NO_OPTIONS, Packed, Segment, pack
from ecosim.pool.past import Past, Prefixes, empty_seen
from ecosim.pool.stats import Cost, Stats
from ecosim.pool.talk import Ask, Line, Scores, Talk, Write
from ecosim.pool.trie import build
from ecosim.pool.write import Writer

if TYPE_CHECKING:
    import torch

TOKEN_BUDGET = {"cpu": 2048, "cuda": 65536}
"""Padded tokens in a batch, by device: more is no faster."""

_MIN_HEADS = 16
_MAX_HEADS = 512  # logits of that many positions at a time


@dataclass(slots=True, eq=False)
class _Row:
    """A talk under way: what it waits for, and its place in the order of the call."""

    talk: Talk
    pending: Ask | Write


class Engine:
    """A language model that answers talks.

    Args:
        model: as `models.load.load` gives it.
        batch_limit: most rows in a batch; None leaves it to the token budget. Answers don't depend on it.
    """

    def __init__(self, model: LanguageModel, batch_limit: int | None = None) -> None:
        if batch_limit is not None and batch_limit < 1:
            raise ValueError(f"batch_limit must be >= 1, got {batch_limit}")
        self.language = model
        self.batch_limit = batch_limit
        self.token_budget = TOKEN_BUDGET[model.device]
        self.stats = Stats()
        self.cost = _cost(model)
        self.frame: Frame = frame_of(model.tokenizer)
        self._prefixes = Prefixes(self._read_prefix)
        self._words: dict[str, tuple[int, ...]] = {}
        self._writer = Writer(self)

    # ---- what callers use -----------------------------------------------------------------------------------------

    def run(self, talks: Sequence[Talk]) -> None:
        """Ask every talk until its script ends; replies go to the scripts."""
        start = perf_counter()
        rows = [_Row(talk, first) for talk in talks if (first := next(talk.script, None)) is not None]
        self.stats.talks += len(talks)
        for prefix, members in _groups(rows, lambda row: row.talk.prefix).items():
            past, was_cached = self._prefixes.get(self._prefix_ids(prefix))
            if was_cached:
                self.stats.cached_prefix_tokens += past.num_keys
            texts = self.ids([row.talk.text for row in members])
            opening = [(*text, *self.frame.close) for text in texts]
            self._advance(members, past, opening)
        self.stats.seconds += perf_counter() - start

    def score(self, prefix: str, texts: Sequence[str], options: Sequence[Sequence[str]]) -> list[Scores]:
        """The options of each text scored behind one prefix, in the order given."""
        found: dict[int, Scores] = {}

        def script(i: int) -> Any:
            found[i] = yield Ask("", tuple(options[i]))

        self.run([Talk(prefix, text, script(i)) for i, text in enumerate(texts)])
        return [found[i] for i in range(len(texts))]

    def write(
        self, prefix: str, texts: Sequence[str], max_tokens: int, temperature: float, uniforms: Array
    ) -> list[Line]:
        """One line after each text; `uniforms` are draws from (0, 1), float64 (texts, max_tokens)."""
        found: dict[int, Line] = {}

        def script(i: int) -> Any:
            found[i] = yield Write("", max_tokens, temperature, uniforms[i])

        self.run([Talk(prefix, text, script(i)) for i, text in enumerate(texts)])
        return [found[i] for i in range(len(texts))]

    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Token ids of texts; a control token spelt in a text is read as plain characters."""
        if not len(texts):
            return []
        encode: Any = self.language.tokenizer
        read = encode(list(texts), add_special_tokens=False, split_special_tokens=True).input_ids
        return [tuple(row) for row in read]

    # ---- one group of rows after another --------------------------------------------------------------------------

    def _advance(self, rows: Sequence[_Row], past: Past, opening: Sequence[Sequence[int]]) -> None:
        """Ask rows that share a layout of keys what they wait for, in batches of one width, and go on with each."""
        asks = self.ids([row.pending.text for row in rows])
        segments = [
            Segment(np.array([*first, *ask], np.int64), self._trie(row.pending))
            for row, first, ask in zip(rows, opening, asks, strict=True)
        ]
        layouts = _groups(range(len(rows)), lambda i: (segments[i].width, type(rows[i].pending).__name__))
        for (width, _), members in layouts.items():
            for batch in _chunks(members, self._rows_of(width)):
                self._ask([rows[i] for i in batch], past.take(batch), [segments[i] for i in batch])

    def _ask(self, rows: Sequence[_Row], past: Past, segments: Sequence[Segment]) -> None:
        """One forward for rows of one width; their scripts get the replies; those with more to ask go on."""
        packed = pack(segments, past.position, past.seen)
        hidden, after = self._read(packed, past, segments)
        flops = self._nominal(packed, segments)
        replies: list[Scores] | list[Line]
        if isinstance(rows[0].pending, Write):
            lasts = hidden[list(range(len(rows))), [len(s.ids) - 1 for s in segments]]
            replies = self._writer.lines([r.pending for r in rows if isinstance(r.pending, Write)], lasts, after, flops)
        else:
            replies = self._scores(hidden, packed, segments, flops)
        self.stats.decisions += len(rows)
        left = []
        for i, row in enumerate(rows):
            try:
                row.pending = row.talk.script.send(replies[i])
                left.append(i)
            except StopIteration:
                continue
        if left:
            self._advance([rows[i] for i in left], after.take(left), [()] * len(left))

    def _scores(self, hidden: torch.Tensor, packed: Packed, segments: Sequence[Segment], flops: Array) -> list[Scores]:
        logp = self.next_token_logp(hidden[packed.row, packed.slot])
        steps = logp[packed.step_place, packed.step_token].double().cpu().numpy()
        first = np.cumsum([0, *(len(s.trie.lengths) for s in segments)])
        sums = np.zeros(first[-1])
        np.add.at(sums, first[packed.step_row] + packed.step_option, steps)
        return [
            Scores(sums[first[i] : first[i + 1]], segment.trie.lengths, int(flops[i]))
            for i, segment in enumerate(segments)
        ]

    # ---- through the model ----------------------------------------------------------------------------------------

    def forward(self, ids: Array, positions: Array, sees: Array, past: Past) -> tuple[torch.Tensor, Past]:
        """Hidden states (rows, width, size), and the keys and values with the new ones behind (`seen` not yet)."""
        import torch

        start = perf_counter()
        device = self.language.device
        lowest = torch.finfo(self.language.model.dtype).min
        hide = torch.from_numpy(~sees[:, None]).to(device)
        mask = torch.zeros(hide.shape, dtype=self.language.model.dtype, device=device).masked_fill_(hide, lowest)
        cache = past.cache(self.language.model.config)
        with torch.inference_mode():
            hidden: torch.Tensor = self.language.model.model(
                torch.from_numpy(ids).to(device),
                attention_mask=mask,
                position_ids=torch.from_numpy(positions).to(device),
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state
        self.stats.forwards += 1
        self.stats.model_seconds += perf_counter() - start
        return hidden, Past([(layer.keys, layer.values) for layer in cache.layers], past.seen, past.position)

    def next_token_logp(self, hidden: torch.Tensor) -> torch.Tensor:
        """Log-likelihood of every token at some positions, float32 (positions, vocabulary)."""
        import torch

        start = perf_counter()
        few = len(hidden) < _MIN_HEADS
        rows = torch.cat([hidden, hidden[:1].expand(_MIN_HEADS - len(hidden), -1)]) if few else hidden
        with torch.inference_mode():
            parts = [
                self.language.model.lm_head(part).float().log_softmax(-1) for part in torch.split(rows, _MAX_HEADS)
            ]
        self.stats.model_seconds += perf_counter() - start
        return torch.cat(parts)[: len(hidden)]

    def _read(self, packed: Packed, past: Past, segments: Sequence[Segment]) -> tuple[torch.Tensor, Past]:
        """One forward; afterwards a row may look at its text, not at the options."""
        hidden, after = self.forward(packed.ids, packed.positions, packed.sees, past)
        lengths = np.array([len(s.ids) for s in segments])
        is_text = np.arange(packed.ids.shape[1]) < lengths[:, None]
        self.stats.useful_tokens += sum(s.num_tokens for s in segments)
        self.stats.padded_tokens += packed.ids.size
        return hidden, Past(after.layers, np.concatenate([past.seen, is_text], axis=1), past.position + lengths)

    def _read_prefix(self, ids: tuple[int, ...]) -> Past:
        n = len(ids)
        nothing = Past([], empty_seen(1), np.zeros(1, np.int64))
        _, past = self.forward(np.array([ids], np.int64), np.arange(n)[None], np.tri(n, dtype=bool)[None], nothing)
        self.stats.prefix_tokens += n
        self.stats.flops += self.cost.of(n, n * (n + 1) // 2, 0)
        return Past(past.layers, np.ones((1, n), bool), np.array([n]))

    def _nominal(self, packed: Packed, segments: Sequence[Segment]) -> Array:
        """Operations for each row, a function of the row alone, int64 (rows,); also added to the statistics."""
        pairs = packed.sees.sum(axis=(1, 2))
        heads = np.bincount(packed.row, minlength=len(segments))
        tokens = np.array([s.num_tokens for s in segments])
        flops = self.cost.core * tokens + self.cost.pair * pairs + self.cost.head * heads
        self.stats.flops += int(flops.sum())
        return np.asarray(flops, np.int64)

    # ---- words ----------------------------------------------------------------------------------------------------

    def _trie(self, pending: Ask | Write) -> Any:
        if isinstance(pending, Write):
            return NO_OPTIONS
        new = [option for option in dict.fromkeys(pending.options) if option not in self._words]
        if new:
            if len(self._words) > _MAX_WORDS:
                self._words.clear()
                new = list(dict.fromkeys(pending.options))
            self._words.update(zip(new, self.ids(new), strict=True))
        return build([self._words[option] for option in pending.options])

    def _prefix_ids(self, prefix: str) -> tuple[int, ...]:
        return (*self.frame.open, *self.ids([prefix])[0], *self.frame.turn)

    def _rows_of(self, width: int) -> int:
        by_tokens = max(1, self.token_budget // width)
        return by_tokens if self.batch_limit is None else min(self.batch_limit, by_tokens)


_MAX_WORDS = 50_000  # options whose ids are kept


def _cost(language: LanguageModel) -> Cost:
    config: Any = language.model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Cost(
        core=2 * language.num_core_parameters,
        pair=4 * size * config.num_attention_heads * config.num_hidden_layers,
        head=2 * config.hidden_size * config.vocab_size,
    )


def _groups(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    """Items by key, both in order of first appearance."""
    groups: dict[Any, list[Any]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _chunks(items: Sequence[int], size: int) -> Iterable[list[int]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
