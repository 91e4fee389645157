"""News, and what there is to tell."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.fields import is_plain
from ecosim.scenario import Facts, Share

Weeks = Annotated[int, Field(ge=1, le=26)]


class Source(Facts):
    """Who brings news.

    Attributes:
        name: as bulletins are signed.
        reliability: the chance that what it says of a firm is so.
    """

    name: Annotated[str, Field(min_length=1, max_length=40)]
    reliability: Share


SOURCES = (
    Source(name="registry", reliability=0.98),
    Source(name="trade press", reliability=0.85),
    Source(name="grapevine", reliability=0.4),
)


class Letters(Facts):
    """Letters from partners: of sellers that cannot keep a week, and of buyers that want more.

    Attributes:
        honesty: the chance that what a letter says is so.
        calm_chance: the chance that a partner with nothing to report writes all the same, as a rule that all is well.
        more_share: by how much a buyer's demand of last week is above its usual when it asks for more.
    """

    honesty: Share = 0.9
    calm_chance: Share = 0.1
    more_share: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 0.5


PARTNERS, CONTRACTS = "partners", "contracts"
"""Sources beside those of the scenario: who writes letters, and what was signed."""


class Bulletins(Facts):
    """Bulletins as text: outages and recalls of makers, announced before they happen, denied, or made up.

    Attributes:
        per_week: how many bulletins about an item that it buys a firm reads in a week, at most.
        sources: who brings them; each bulletin is from one of these, drawn evenly.
        notice_weeks: weeks from the news until it happens.
        outage_chance: the chance that an outage of a maker begins in a week.
        outage_weeks: how long it lasts.
        outage_share: the share of its capacity that the maker loses meanwhile.
        recall_chance: the chance that a maker recalls goods in a week.
        recall_share: the share of its stock of the item that it sells, which it then destroys.
        rumour_chance: the chance that a maker to whom nothing will happen is in the news for it all the same.
        idle_chance: the chance that there is a bulletin of no matter about any other maker.
        letters: letters from partners, which depend on what firms do; none without it.
        clauses: whether buyers read the contracts that they signed last week.
        shock_notice_weeks: weeks from the news of one of the scenario's `shocks` until it begins, 0: it is reported as
            it begins; without it shocks are in no news.
        wordings: the words of texts: `plain`, or `intricate`, with negations that deny nothing, other firms, weeks
            counted from now; no reader is trained on either.
        conflict_chance: of bulletins about outages and recalls, true or made up, how many tell that another source says
            the opposite; one of the two is right. Needs intricate wordings.
    """

    per_week: Annotated[int, Field(ge=1, le=8)] = 3
    sources: list[Source] = Field(default=list(SOURCES), min_length=1, max_length=8)
    notice_weeks: Weeks = 3
    outage_chance: Share = 0.02
    outage_weeks: Weeks = 4
    outage_share: Share = 1.0
    recall_chance: Share = 0.0
    recall_share: Share = 0.5
    rumour_chance: Share = 0.02
    idle_chance: Share = 0.05
    letters: Letters | None = None
    clauses: bool = False
    shock_notice_weeks: Annotated[int, Field(ge=0, le=26)] | None = None
    wordings: Literal["plain", "intricate"] = "plain"
    conflict_chance: Share = 0.0

    @property
    def voices(self) -> tuple[str, ...]:
        """Whoever tells something: the sources, then partners and contracts, where these are read."""
        more = {PARTNERS: self.letters is not None, CONTRACTS: self.clauses}
        return (*(source.name for source in self.sources), *(name for name, is_in in more.items() if is_in))

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        names = list(self.voices)
        faults = [f"sources: two are called {name!r}" for name in dict.fromkeys(names) if names.count(name) > 1]
        faults += [f"sources: a name is one plain line, got {name!r}" for name in names if not is_plain(name)]
        total = self.outage_chance + self.recall_chance
        if total > 1:
            faults.append(f"outage_chance and recall_chance add up to {total:g}, more than 1; lower one")
        if self.conflict_chance and (self.wordings == "plain" or len(self.sources) < 2):
            faults.append(
                "conflict_chance: sources disagree in wordings: intricate only, and where there are two or more"
            )
        if faults:
            raise ValueError("; ".join(faults))
        return self
