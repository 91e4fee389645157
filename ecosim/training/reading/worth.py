"""What reading is worth: one scenario with members that read by other minds, paired over world seeds.

The value of information of a reader is what firms earn with it, less what they earn deaf; its share is that of what the
truth would earn them. Two arms of the comparison know more than a member may: `truth` knows of every text what it says
and whether that is so, `said` only what it says, and believes by the records. They are oracles, looked up in what the
world will say, which no member changes; so they are arms of their own and seats of nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.fields import NOT_ASKED, Array
from ecosim.training import intervals
from ecosim.words import Answers, Mind, Question

if TYPE_CHECKING:
    import pandas as pd

Reader = str | Callable[[Question], Answers] | Mind
DEAF, TRUTH, SAID = "deaf", "truth", "said"
KPI = "profit_eur"


def compare(
    scenario: str, readers: Mapping[str, Reader], seeds: int, roles: Sequence[str] = ("distributor",)
) -> pd.DataFrame:
    """Each reader's value against deafness, and its share of the truth's.

    Args:
        scenario: with bulletins that nobody's decisions change (no letters).
        readers: arms by name; `deaf`, `truth` and `said` are added.
        seeds: how many world seeds.
        roles: who reads.

    Returns:
        A row an arm: `arm`, `value` (EUR, of all firms, mean over seeds), `low`, `high` (95 %, paired), `share` of the
        truth's value with `share_low`, `share_high` (Fieller's interval; nan where the truth's is not above 0 for
        sure), `accuracy` (readings that were right in every field that has a right answer).
    """
    import ecosim

    def seats(reader: Reader) -> dict[str, Reader]:
        return {f"{role}.read": reader for role in roles}

    before = ecosim.run(scenario, seeds=seeds, changes={"minds": _minds(scenario) | seats(DEAF)})
    oracles = {TRUTH: _oracle(before, knows_all=True), SAID: _oracle(before, knows_all=False)}
    arms = {name: seats(reader) for name, reader in {DEAF: DEAF, **oracles, **readers}.items()}
    run = ecosim.compare(scenario, arms, seeds=seeds).run
    earned = run.kpis[(run.kpis["metric"] == KPI) & (run.kpis["group"] == "")]
    seed = run.manifest["replicas"]["world_seed"]
    wide = earned.assign(seed=[seed[r] for r in earned["replica"]]).pivot(index="seed", columns="arm", values="value")
    gains = {name: (wide[name] - wide[DEAF]).to_numpy() for name in arms if name != DEAF}
    return _table(gains, _accuracy(run))


def _table(gains: Mapping[str, Array], accuracy: Mapping[str, float]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name, gain in gains.items():
        mean, reach = intervals.mean(gain)
        low, high = intervals.ratio(gain, gains[TRUTH])
        share = mean / gains[TRUTH].mean()
        figures = {"value": mean, "low": mean - reach, "high": mean + reach, "share": share}
        rows.append({"arm": name, **figures, "share_low": low, "share_high": high, "accuracy": accuracy[name]})
    return pd.DataFrame(rows)


def _minds(scenario: str) -> dict[str, Any]:
    from ecosim import simulate

    return dict(simulate.load_scenario(scenario).minds)


def _oracle(run: Any, *, knows_all: bool) -> Callable[[Question], Answers]:
    """Reads what it looks up in a run of the same world seeds."""
    replicas = run.manifest["replicas"]
    seed = {r: int(s) for r, s in enumerate(replicas["mind_seed"])}
    voices = run.scenario.bulletins.voices
    who = {(r.replica, r.step, r.about): voices[r.source] for r in run.events("readings").itertuples()}
    known = {
        (seed[r.replica], r.step, r.text): (r.said_kind, r.is_denied, r.about, r.said_week, r.is_true,
                                            who.get((r.replica, r.step, r.about)))
        for r in run.events("bulletins").itertuples()
    }  # fmt: skip

    def read(question: Question) -> Answers:
        """Looks the text up."""
        rows = [known[int(s), question.step, t] for s, t in zip(question.seed, question["text"], strict=True)]
        kind, denied, about, week, so = (np.array([row[k] for row in rows], np.int64) for k in range(5))
        news = (kind > 0) & (denied == 0)
        slot = (question["firm"] == about[:, None]).argmax(axis=1)
        believe = so if knows_all else _by_records(question, [row[5] for row in rows])
        found = {"kind": kind - 1, "who": slot, "week": week, "believe": believe}
        return {"news": news.astype(np.int64), **{n: np.where(news, a, NOT_ASKED) for n, a in found.items()}}

    read.__name__ = TRUTH if knows_all else SAID
    return read


def _by_records(question: Question, claimant: list[str | None]) -> Array:
    """Whether whoever claims is right more often than not, or than who denies it."""
    record = question["source_record"]
    if "rival" not in question.columns:
        return np.asarray(record >= 0.5, np.int64)
    rival, other = question["rival"], question["rival_record"]
    is_ours = np.array([name == source for name, source in zip(claimant, question["source"], strict=True)])
    two = np.where(is_ours, record - other, other - record) >= 0
    return np.asarray(np.where(rival == "", record >= 0.5, two), np.int64)


def _accuracy(run: Any) -> dict[str, float]:
    """Readings right in all that the text says, by arm."""
    read = run.events("readings")
    claim = (read["said_kind"] > 0) & (read["is_denied"] == 0)
    same = (read["kind"] == read["said_kind"]) & (read["who"] == read["about"]) & (read["week"] == read["said_week"])
    right = ((read["news"] == 1) == claim) & (~claim | same)
    arms, of = run.manifest["arms"], run.manifest["replicas"]["arm"]
    names = [arm["name"] if isinstance(arm, dict) else arm for arm in arms]
    return right.groupby([names[of[r]] for r in read["replica"]]).mean().to_dict()
