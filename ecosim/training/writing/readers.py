"""How audiences read titles: the encoder of those who choose what writers learn from, and that of those who judge.

They share nothing. `choosing` reads with the untrained language model itself (hidden states of a late layer, less what
titles have in common) beside the letters of the words, and knows the words that its vocabulary spells in one token.
`judging` reads with MiniLM, a sentence encoder trained on other data for another purpose, and knows the words of its
own vocabulary. The feed of the scenario `creator_community` uses neither: it hashes words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.community.titles import NUM_TITLES, letter_vectors, template_titles
from ecosim.fields import Array
from ecosim.training.writing.audiences import Reader

if TYPE_CHECKING:
    from ecosim.models.load import LanguageModel

_LAYER = 24
"""Of 30: among layers 4, 8, 16 and 24 the one whose states told best which of 104 topics 42 titles were about."""
_SAMPLE = 24  # titles by rule, whose mean is what titles have in common


def choosing(language: LanguageModel, topics: Sequence[str]) -> Reader:
    """The reader of those who choose.

    Args:
        topics: that titles will be about; what is common to titles is measured on titles by rule about them.
    """
    common = _States(language)
    picks = np.arange(_SAMPLE) * 7 % NUM_TITLES
    about = [topics[i % len(topics)] for i in range(_SAMPLE)]
    middle = common(template_titles(np.array(about, object), picks).tolist()).mean(axis=0)

    def embed(texts: Sequence[str]) -> Array:
        states = _unit(common(texts) - middle)
        letters = _unit(letter_vectors(texts).astype(np.float64))
        return np.concatenate([states, letters], axis=1) / np.sqrt(2.0)

    return Reader("hidden states and letters", embed, _knows(language.tokenizer, " "), far=0.05, near=0.4)


def judging() -> Reader:
    """The reader of those who judge.

    Raises:
        CatalogError: the encoder can't be had.
    """
    from transformers import AutoTokenizer

    from ecosim.models.encoder import Encoder
    from ecosim.models.sources import ENCODER, resolve

    encoder = Encoder()
    tokenizer: Any = AutoTokenizer.from_pretrained(resolve(ENCODER), local_files_only=True)

    def embed(texts: Sequence[str]) -> Array:
        return _unit(encoder.embed(texts).astype(np.float64))

    return Reader("minilm", embed, _knows(tokenizer, ""), far=0.1, near=0.5)


def _knows(tokenizer: Any, before: str) -> Any:
    """Whether a word is one token, as it is or with a capital letter."""
    known: dict[str, bool] = {}

    def knows(word: str) -> bool:
        if word not in known:
            stem = word.split("'")[0].split("’")[0]
            spelt = [f"{before}{form}" for form in (stem, stem.capitalize())]
            ids = tokenizer(spelt, add_special_tokens=False).input_ids
            known[word] = stem.isdigit() or min(map(len, ids)) == 1
        return known[word]

    return knows


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


class _States:
    """The mean hidden state of a text at `_LAYER`, its first token left out; each text is read once."""

    def __init__(self, language: LanguageModel) -> None:
        self._language = language
        self._known: dict[str, Array] = {}

    def __call__(self, texts: Sequence[str]) -> Array:
        new = sorted({text for text in texts if text not in self._known})
        ids = self._language.tokenizer([f" {text}" for text in new], add_special_tokens=False).input_ids if new else []
        by_length: dict[int, list[int]] = {}
        for i, row in enumerate(ids):
            by_length.setdefault(len(row), []).append(i)
        for rows in by_length.values():
            for at in range(0, len(rows), _ROWS):
                self._read([new[i] for i in rows[at : at + _ROWS]], [ids[i] for i in rows[at : at + _ROWS]])
        return np.stack([self._known[text] for text in texts])

    def _read(self, texts: Sequence[str], ids: Sequence[Sequence[int]]) -> None:
        import torch

        model: Any = self._language.model
        layer = min(_LAYER, model.config.num_hidden_layers)
        with torch.inference_mode():
            states = model.model(torch.tensor(ids), output_hidden_states=True).hidden_states[layer].float()
        kept = states[:, 1:] if states.shape[1] > 1 else states
        for text, row in zip(texts, kept.mean(dim=1).double().numpy(), strict=True):
            self._known[text] = row


_ROWS = 64  # texts of one length read at once
