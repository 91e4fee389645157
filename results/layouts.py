"""Every layout against one process: does any change a digest?

`python results/layouts.py MODEL` runs both ecosystems with three arms (scripted minds, a language model as it comes,
the same with a random adapter) in one process, then over {no, 1, 2, 3} hosts × {1, 2} workers × batches of at most
{1, 7, 64} rows, and says which digests of events and scores differ. With a tiny model 48 layouts take a quarter of an
hour on two cores. MODEL is a base model's name, such as path:/folder.
"""

from __future__ import annotations

import sys
import time
import warnings
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from ecosim import simulate
from ecosim.cluster.layout import Layout
from ecosim.models.adapter import write_random
from ecosim.models.load import load
from ecosim.record.store import Memory
from ecosim.simulate import Arm, Manner

WORLDS = {
    "smart_manufacturing": ("distributor.negotiate", "supplier.negotiate"),
    "creator_community": ("ai_creator",),
}
STEPS = {"smart_manufacturing": 1, "creator_community": 2}


def digests(world: str, models: dict[str, dict[str, str]], manner: Manner) -> list[list[str]]:
    """Digests of events and of scores, of every replica."""
    facts = simulate.load_scenario(world, {"models": models, "seeds": 1, "steps": STEPS[world]})
    arms = [Arm(name=name, minds=dict.fromkeys(WORLDS[world], name)) for name in ("scripted", *models)]
    done = simulate.simulate(facts, arms, Memory(), manner).manifest
    return [done["digests"], done["score_digests"]]


def main(base: str) -> None:
    """Print a line a layout."""
    with TemporaryDirectory() as folder:
        write_random(Path(folder), load(base).model, seed=1, rank=4)
        models = {"plain": {"base": base}, "taught": {"base": base, "adapter": folder}}
        expected = {world: digests(world, models, Manner()) for world in WORLDS}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import ray

            ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="error")
        same = count = 0
        for world, hosts, workers, limit in product(WORLDS, (0, 1, 2, 3), (1, 2), (1, 7, 64)):
            start = time.perf_counter()
            manner = Manner(layout=Layout(hosts=hosts, workers=workers), batch_limit=limit)
            is_same = digests(world, models, manner) == expected[world]
            same, count = same + is_same, count + 1
            verdict = "same" if is_same else "OTHER"
            seconds = time.perf_counter() - start
            print(f"{world:20} hosts {hosts} workers {workers} batch {limit:2}  {verdict}  {seconds:.0f} s", flush=True)
        print(f"{same} of {count} layouts have the digests of one process")
        ray.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
