"""The cases of moderation: what must follow from planted harm, whoever judges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ecosim import simulate
from ecosim.arms import Arm, Manner
from ecosim.community.moderation.classifier import SHA256
from ecosim.community.moderation.training import packed, train
from ecosim.fields import Array
from ecosim.record.store import Memory
from ecosim.simulate import Finished, load_scenario
from ecosim.validate.cases import Case, Figure, estimated, exactly, near

SHARE, ACCURACY = 0.2, 0.8


def judged(minds: Mapping[str, str], changes: Mapping[str, Any], seeds: int) -> Finished:
    """The scenario with harm in two posts of ten, the same for all; appeals decided rightly four in five times."""
    alike = {"moderation.harm.share": SHARE, "moderation.harm.spread": 0.0, "moderation.appeals.accuracy": ACCURACY}
    facts = load_scenario("moderation_on_device", {**alike, **changes}).with_changes(seeds=seeds, steps=10)
    return simulate.simulate(facts, [Arm(name="all", minds=dict(minds))], Memory(), Manner(keep_events=True))


def truth(seeds: int = 10) -> list[Figure]:
    """A moderator who knows, on the device; and how often posts are harmful."""
    done = judged({"moderator.screen": "truth"}, {"moderation.oracle": True, "moderation.where": "device"}, seeds)
    texts: pd.DataFrame = done.store.read("events/texts").to_pandas()
    by_replica: Array = (texts.harm > 0).groupby(texts.replica).mean().to_numpy()
    found = {name: float(done.kpis[name, ""].mean()) for name in ("moderation_precision", "moderation_recall")}
    return [
        estimated("share of harmful posts", by_replica, SHARE),
        exactly("precision", found["moderation_precision"], 1.0),
        exactly("recall", found["moderation_recall"], 1.0),
        exactly("false-positive rate", float(done.kpis["false_positive_rate", ""].max()), 0.0),
        exactly("days to action", float(done.kpis["days_to_action", ""].max()), 0.0),
    ]


def everything(seeds: int = 10) -> list[Figure]:
    """A moderator who removes all, and creators who appeal all: whoever decides appeals errs as often as stated."""
    all_creators = {f"{role}.appeal": "always" for role in ("human_creator", "ai_creator")}
    bars = {f"moderation.{bar}": -50.0 for bar in ("label_at", "limit_at", "remove_at")}
    done = judged(all_creators, {**bars, "moderation.where": "device"}, seeds)
    appeals: pd.DataFrame = done.store.read("events/appeals").to_pandas()
    right = ((appeals.harm == 0) == (appeals.is_granted == 1)).to_numpy()
    error = float(np.sqrt(ACCURACY * (1 - ACCURACY) / len(right)))
    precision, recall = (done.kpis[f"moderation_{name}", ""] for name in ("precision", "recall"))
    return [
        estimated("precision: the share of harmful posts", precision, SHARE),
        exactly("recall", float(recall.min()), 1.0),
        near("appeals decided rightly", float(right.mean()), error, ACCURACY),
    ]


def weights() -> list[Figure]:
    """The shipped weights of the device's classifier, from its training texts, to the bit."""
    same = hashlib.sha256(packed(train("device"))).hexdigest() == SHA256["device"]
    return [exactly("files alike", float(same), 1.0)]


CASES = (
    Case(
        name="moderation_truth", part="community", kind="V1",
        shows="a moderator who knows makes no mistakes, and harm is as frequent as planted",
        source="definitions of precision, recall and false-positive rate",
        method="the scenario moderation_on_device, harm .2 for all, the oracle on the device: 10 replicas × 10 days",
        compute=truth,
    ),
    Case(
        name="moderation_of_everything", part="community", kind="V1",
        shows="who removes all is right as often as harm is planted, and appeals are decided as rightly as stated",
        source="precision of an accuser of all is the base rate; binomial appeals, accuracy .8",
        method="the same, the device's classifier with bars at −50, every case appealed: 10 replicas × 10 days",
        compute=everything,
    ),
    Case(
        name="moderation_weights", part="community", kind="V1",
        shows="training makes the device's classifier anew, bit for bit, on this machine",
        source="the SHA-256 of agents/moderator/device.safetensors",
        method="logistic regression on 1,500 made-up texts, 300 steps, sums one after another",
        compute=weights,
    ),
)  # fmt: skip
