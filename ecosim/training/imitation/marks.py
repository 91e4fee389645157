"""Marks: how often a network answers as its teacher would, field by field, given the teacher's earlier answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ecosim.training.imitation.collect import Examples
from ecosim.training.imitation.pupil import batch_of, losses

if TYPE_CHECKING:
    from ecosim.models.nano.net import Net


def marks(net: Net, phase: str, found: Examples) -> dict[str, float]:
    """By `field`, the share of asked rows answered alike; by `field.kl`, nats beyond the teacher's own doubt.

    A number is alike if the likeliest bin is the nearest or a neighbour of the nearest to the teacher's answer.
    """
    batch = batch_of(found)
    with torch.inference_mode():
        scores = net.eval()(phase, batch.x, batch.slots, batch.chosen)
        nats = losses(net, phase, batch)
    told = {}
    for name, one in scores.items():
        asked = (batch.chosen[name] >= 0).numpy()
        if not asked.any():
            continue
        place = one.masked_fill(~batch.legal[name], -1e9).argmax(dim=1).numpy()
        right = place == batch.chosen[name].numpy()
        if name in found.encoded.fine:
            right = np.abs(place - batch.chosen[name].numpy()) <= 1
            right |= batch.same[name].numpy()[np.arange(len(place)), place]
        told[name] = float(right[asked].mean())
        sure = batch.targets[name].clamp(min=1e-9).log() * batch.targets[name]
        told[f"{name}.kl"] = float(nats[name]) + float(sure.sum(dim=1).numpy()[asked].mean())
    return told
