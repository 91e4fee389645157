"""The scripted moderators: pure functions from what is seen of a post to what is done with it.

`device` and `central` act on the scores of the two classifiers, by the platform's policy; on the device the first is
`scripted`, after reports the second. `strict` and `lenient` act from scores one lower, or one higher, on. `keywords`
limits posts with one word of alarm and removes those with two. `hands_off` does nothing. `truth` knows: it labels
nothing, limits mild harm and removes severe harm, where the scenario shows it the truth (`oracle`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecosim.community.moderation.classifier import by_score, words
from ecosim.community.moderation.state import LIMIT, NONE, REMOVE
from ecosim.errors import DecisionError
from ecosim.words import Answers, Expert, Question

_SHIFT = 1.0
"""How much stricter or more lenient than the policy, log-odds."""

_ALARMS = frozenset(
    (
        "idiot", "idiots", "stupid", "clown", "clowns", "trash", "garbage", "loser", "rats", "pathetic", "worthless",
        "hate", "hates", "disgusting", "prize", "password", "guaranteed", "fortune", "double", "cures",
        "medicine", "pain", "kill", "killer", "destroy", "bomb", "shooting",
    )
)  # fmt: skip


def by_keywords(question: Question) -> Answers:
    """Posts with one word of alarm are limited, with two removed."""
    hits = np.array([len(_ALARMS & words(text)) for text in question["text"].tolist()], np.int64)
    return {"action": np.array([NONE, LIMIT, REMOVE])[np.minimum(hits, 2)]}


def by_truth(question: Question) -> Answers:
    """Mild harm is limited, severe harm removed, nothing else touched.

    Raises:
        DecisionError: the scenario does not show the truth.
    """
    if "severity" not in question.columns:
        raise DecisionError(
            f"{question.name}: expert 'truth' is shown the truth only with moderation.oracle: true", False
        )
    return {"action": np.array([NONE, LIMIT, REMOVE])[question["severity"]]}


def hands_off(question: Question) -> Answers:
    """Nothing is done."""
    return {"action": np.full(question.num_rows, NONE)}


def _for(classifier_name: str) -> dict[str, Expert]:
    return {
        "scripted": by_score(classifier_name),
        "device": by_score("device"),
        "central": by_score("central"),
        "truth": by_truth,
        "keywords": by_keywords,
        "strict": by_score(classifier_name, -_SHIFT),
        "lenient": by_score(classifier_name, _SHIFT),
        "hands_off": hands_off,
    }


SCREEN: Mapping[str, Expert] = _for("device")
REVIEW: Mapping[str, Expert] = _for("central")
