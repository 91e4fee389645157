"""The engine: many talks through one language model, each row with the same bits in any batch.

A field is asked by one forward over [text | option trie] behind what the row has read, with a tree mask; the next field
continues on the same keys. Rows of one layout (keys so far, rounded width) form batches, and a batch runs through all
its questions before the next begins, so memory stays bounded. A row has its own adapter or none: eight rows of one
adapter and layout fill a batch of their own, fewer are mixed.

What a row meets is a function of the row alone, hence its bits are: right padding only; its keys in the same slots in
any batch; one layout a batch; see `decoder`, `lora` and `write` for the products. So what was asked before, word for
word, need not be asked again: equal rows of a batch go through the model once, and scores are remembered across calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.models.adapter import Adapter
from ecosim.models.load import LanguageModel
from ecosim.pool.answer import picked, scored
from ecosim.pool.batches import Batch, Kind
from ecosim.pool.decoder import Decoder
from ecosim.pool.frame import Frame, frame_of
from ecosim.pool.hear import Hearing
from ecosim.pool.lora import Lora
from ecosim.pool.memo import Memo
from ecosim.pool.order import Twins, batches, crowds
from ecosim.pool.pack import Packed, pack
from ecosim.pool.past import Past, Place, Prefixes, gather
from ecosim.pool.row import Row
from ecosim.pool.stats import Stats
from ecosim.pool.talk import Ask, Line, Scores, Talk, Write
from ecosim.pool.vocabulary import Vocabulary
from ecosim.pool.write import Writer
from ecosim.words import Table

if TYPE_CHECKING:
    import torch

TOKEN_BUDGET = {"cpu": 2048, "cuda": 65536}
"""Padded tokens in a batch, by device: more is no faster."""

MEMO_LIMIT = 100_000
"""Answers remembered, about 50 MB."""


class Engine:
    """A language model that answers talks.

    Args:
        model: as `models.load.load` gives it.
        batch_limit: most rows in a batch; None leaves it to the token budget. Answers don't depend on it.
        memo: most answers remembered; 0 sends every row through the model. Answers don't depend on it.

    Attributes:
        decoder: the model at work, its `stats` and its record of batches.
        frame: how prompts are framed.
        hearing: spells what talks ask; training hears them through it too, so that both read the same tokens.
    """

    def __init__(self, model: LanguageModel, batch_limit: int | None = None, memo: int = MEMO_LIMIT) -> None:
        if batch_limit is not None and batch_limit < 1:
            raise ValueError(f"batch_limit must be >= 1, got {batch_limit}")
        if memo < 0:
            raise ValueError(f"memo must be >= 0, got {memo}")
        self.language = model
        self.batch_limit = batch_limit
        self.token_budget = TOKEN_BUDGET[model.device]
        self.memo = Memo(memo)
        self.decoder = Decoder(model)
        self.frame: Frame = frame_of(model.tokenizer)
        self._vocabulary = Vocabulary(model.tokenizer)
        self._loras: dict[str, Lora | None] = {"": None}
        self.hearing = Hearing(self._vocabulary, self.frame, self._lora)
        self._prefixes = Prefixes(lambda ids, lora: self.decoder.read_prefix(ids, lora))

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.decoder)

    # ---- what callers use -----------------------------------------------------------------------------------------

    @property
    def stats(self) -> Stats:
        """What was done so far; goes on counting."""
        return self.decoder.stats

    @property
    def labels(self) -> tuple[str, ...]:
        """Words of one token each that a `Pick` may offer; empty for a model without such."""
        return self._vocabulary.labels

    def drain_batches(self) -> Table:
        """A row a forward since the last time, at most `batches.KEPT` of them; columns as `batches.Batch` says."""
        return self.decoder.batches.drain()

    def add_adapter(self, name: str, adapter: Adapter) -> None:
        """Let talks ask for an adapter by a name; a name given again means the new one from then on.

        Raises:
            CatalogError: the adapter was made for another model.
            ValueError: the name is empty.
        """
        if not name:
            raise ValueError("an adapter needs a name; '' is the base model as it is")
        self._loras[name] = Lora(adapter, self.language)

    def adapter(self, name: str) -> Adapter:
        """An adapter by its name.

        Raises:
            CatalogError: none has this name.
        """
        lora = self._lora(name)
        if lora is None:
            raise CatalogError("adapter '' is no adapter: it is the base model as it is")
        return lora.adapter

    def run(self, talks: Sequence[Talk]) -> None:
        """Ask every talk until its script ends; replies go to the scripts.

        Raises:
            CatalogError: a talk names an adapter that was not added, or picks among labels of more than one token.
        """
        start = perf_counter()
        self.stats.talks += len(talks)
        for crowd in crowds(self.hearing.start(talks)):
            self._advance(crowd)
        self.stats.seconds += perf_counter() - start

    def score(
        self, prefix: str, texts: Sequence[str], options: Sequence[Sequence[str]], adapter: str = ""
    ) -> list[Scores]:
        """The options of each text scored behind one prefix, in the order given."""
        found: dict[int, Scores] = {}

        def script(i: int) -> Any:
            found[i] = yield Ask("", tuple(options[i]))

        self.run([Talk(prefix, text, script(i), adapter) for i, text in enumerate(texts)])
        return [found[i] for i in range(len(texts))]

    def write(
        self,
        prefix: str,
        texts: Sequence[str],
        max_tokens: int,
        temperature: float,
        uniforms: Array,
        adapter: str = "",
    ) -> list[Line]:
        """One line after each text; `uniforms` are draws from (0, 1), float64 (texts, max_tokens)."""
        found: dict[int, Line] = {}

        def script(i: int) -> Any:
            found[i] = yield Write("", max_tokens, temperature, uniforms[i])

        self.run([Talk(prefix, text, script(i), adapter) for i, text in enumerate(texts)])
        return [found[i] for i in range(len(texts))]

    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Token ids of texts; a control token spelt in a text is read as plain characters."""
        return self._vocabulary.ids(texts)

    # ---- one batch after another ----------------------------------------------------------------------------------

    def _advance(self, rows: Sequence[Row]) -> None:
        """Ask rows what they wait for until their scripts end."""
        for batch in batches(self._recall(rows), self._limit, has_twins=self.memo.limit > 0):
            self._advance(self._through(batch))

    def _recall(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that need the model; those whose question is remembered get their answer, and ask on."""
        need: list[Row] = []
        while rows:
            found = [(row, self.memo.get(row.keys[-1])) for row in rows]
            need += [row for row, reply in found if reply is None]
            hits = [(row, reply) for row, reply in found if reply is not None]
            if hits:
                self._count_hits([row for row, _ in hits])
                self.decoder.batches.add(Batch(kind="memo", memo_hits=len(hits)))
            rows = self._reply(hits)
        return need

    def _through(self, batch: Sequence[Twins]) -> list[Row]:
        """One forward; scripts get the replies; the rows with more to ask."""
        first, rows = [twins[0] for twins in batch], list(chain.from_iterable(batch))
        places, kind, loras = [self._place(row) for row in first], first[0].kind, [row.lora for row in first]
        start = perf_counter()
        past = gather(places)
        packed = pack([row.next for row in first], past.position, past.seen)
        hidden, after = self.decoder.read(packed, past, loras)
        flops = self.decoder.nominal(packed, loras, has_heads=kind != "reread")
        index = [i for i, twins in enumerate(batch) for _ in twins]
        for row, i in zip(rows, index, strict=True):
            row.place, row.num_held = (after, i), row.num_held + 1
        is_asked = kind in ("score", "label")
        scores = (picked if kind == "label" else scored)(self.decoder, hidden, packed, flops) if is_asked else []
        self._count(kind, batch, packed, int(flops.sum()), perf_counter() - start)
        if kind == "reread":
            return rows
        if kind == "write":
            lasts = hidden[index, packed.last[index]]
            return self._reply(zip(rows, self._lines(rows, lasts, after.take(index), flops[index]), strict=True))
        for row, found in zip(first, scores, strict=True):
            self.memo.put(row.keys[-1], found)
        return self._reply((row, scores[i]) for row, i in zip(rows, index, strict=True))

    def _lines(self, rows: Sequence[Row], lasts: torch.Tensor, past: Past, flops: Array) -> list[Line]:
        """What rows write behind the last token that they read."""
        writes = [row.asked for row in rows if isinstance(row.asked, Write)]
        return self._writer.lines(writes, lasts, past, flops, [row.lora for row in rows])

    def _reply(self, replies: Iterable[tuple[Row, Scores | Line]]) -> list[Row]:
        """Hand scripts their replies; the rows that ask on."""
        left = []
        for row, reply in replies:
            self.stats.decisions += 1
            try:
                row.asked = row.talk.script.send(reply)
                left.append(row)
            except StopIteration:
                row.place = None  # its keys and values may go
        self.hearing.spell(left)
        return left

    def _place(self, row: Row) -> Place:
        """Where a row's memory is; at first, its prefix."""
        if row.place is None:
            past, was_there = self._prefixes.get(row.prefix, row.lora)
            self.stats.prefix_hits += was_there
            self.stats.cached_prefix_tokens += was_there * past.num_keys
            row.place = (past, 0)
        return row.place

    def _lora(self, name: str) -> Lora | None:
        if name not in self._loras:
            known = ", ".join(repr(other) for other in self._loras if other) or "none"
            raise CatalogError(f"adapter {name!r} was not added to this engine; known: {known}")
        return self._loras[name]

    def _limit(self, width: int) -> int:
        """Most rows in a batch of that width."""
        by_tokens = max(1, self.token_budget // width)
        return by_tokens if self.batch_limit is None else min(self.batch_limit, by_tokens)

    # ---- counting -------------------------------------------------------------------------------------------------

    def _count(self, kind: Kind, batch: Sequence[Twins], packed: Packed, flops: int, seconds: float) -> None:
        """Note a forward: what went through the model, and the twins that did not."""
        twins = [row for _, *rest in batch for row in rest] if kind in ("score", "label") else []
        self._count_hits(twins)
        self.decoder.note(
            Batch(
                kind=kind,
                adapters=len({row.lora for row, *_ in batch}),
                rows=len(batch),
                width=packed.ids.shape[1],
                useful_tokens=sum(segment.num_tokens for segment in packed.segments),
                padded_tokens=packed.ids.size,
                memo_hits=len(twins),
                seconds=seconds,
            ),
            flops,
        )

    def _count_hits(self, rows: Sequence[Row]) -> None:
        self.stats.memo_hits += len(rows)
        self.stats.memo_tokens += sum(row.segments[-1].num_tokens for row in rows)
