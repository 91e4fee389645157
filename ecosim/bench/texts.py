"""How fast short texts become vectors: MiniLM on titles as creators write them, each different one read once."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from ecosim.community.titles import NUM_TITLES, template_titles
from ecosim.models.encoder import Encoder

_WARM_UP = 64
TOPICS = (
    "algebra tricks", "world history", "marathon training", "street football", "guitar riffs", "bedroom pop",
    "film scores", "logo redesign", "type design", "poster art",
)  # fmt: skip


def run(num_texts: int = NUM_TITLES * len(TOPICS), repeats: int = 3) -> dict[str, Any]:
    """Seconds to embed so many texts in this process; each text is asked for `repeats` times, and read once.

    Loading the model and a first few texts are outside the measure. The titles are the templates' over ten topics, 8 to
    20 tokens, and numbered on where more are asked for.
    """
    number = np.arange(num_texts)
    turn, which = np.divmod(number, NUM_TITLES * len(TOPICS))
    topic, pick = np.divmod(which, NUM_TITLES)
    titles = template_titles(np.array(TOPICS, dtype=object)[topic], pick)
    texts = [f"{title} {n}" if n else title for title, n in zip(titles.tolist(), turn.tolist(), strict=True)]
    encoder = Encoder()
    encoder.embed([f"warming up {n}" for n in range(_WARM_UP)])
    start = perf_counter()
    encoder.embed(texts)
    first = perf_counter() - start
    for _ in range(repeats - 1):
        encoder.embed(texts)
    seconds = perf_counter() - start
    return {
        "texts": num_texts,
        "asked_for": num_texts * repeats,
        "read": encoder.num_read - _WARM_UP,
        "seconds": first,
        "texts_per_s": num_texts / first,
        "seconds_from_cache": seconds - first,
    }
