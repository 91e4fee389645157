"""How a prompt is framed for a model that was tuned to chat.

The frame is ours, for the one format of the default model (ChatML); a template that comes with a model is never
rendered. A model without these control tokens reads the prompt as plain text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_START, _END = "<|im_start|>", "<|im_end|>"


@dataclass(frozen=True, slots=True)
class Frame:
    """Token ids around the shared prefix (system) and the row's text (user), as ids and as people read them.

    Attributes:
        open, turn, close: before the prefix, between prefix and text, after the text.
    """

    open: tuple[int, ...] = ()
    turn: tuple[int, ...] = ()
    close: tuple[int, ...] = ()
    texts: tuple[str, str, str] = ("", "", "\n")

    def show(self, prefix: str, text: str) -> str:
        """The prompt verbatim, before the first ask."""
        opening, turn, close = self.texts
        return f"{opening}{prefix}{turn}{text}{close}"


def frame_of(tokenizer: Any) -> Frame:
    """The frame that a model's tokenizer has control tokens for."""
    bos = (tokenizer.bos_token_id,) if tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id] else ()
    if not {_START, _END} <= set(tokenizer.get_added_vocab()):
        return Frame(open=bos, close=tuple(tokenizer("\n", add_special_tokens=False).input_ids))
    texts = (f"{_START}system\n", f"{_END}\n{_START}user\n", f"{_END}\n{_START}assistant\n")
    opening, turn, close = (tuple(tokenizer(text, add_special_tokens=False).input_ids) for text in texts)
    return Frame(open=(*bos, *opening), turn=turn, close=close, texts=texts)
