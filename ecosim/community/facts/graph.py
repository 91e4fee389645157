"""Who is tied to whom among viewers, and how what they share passes along ties."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Count, Facts, Share

_OF_KIND = {
    "links": "barabasi_albert",
    "neighbours": "small_world",
    "rewired": "small_world",
    "power": "configuration",
    "least_ties": "configuration",
    "most_ties": "configuration",
    "contacts": "well_mixed",
    "file": "file",
    "is_directed": "file",
}
"""Keys that one kind alone has, and which one."""


class Graph(Facts):
    """The social graph of viewers; posts that one shares come before those tied to it.

    A graph of networkx becomes a file by `nx.to_pandas_edgelist(graph, "viewer", "friend").to_csv(path, index=False)`.

    Attributes:
        kind: `barabasi_albert`: newcomers tie themselves to who has many ties; `configuration`: ties by a power law,
            else by lot; `small_world`: a ring with short cuts (Watts, Strogatz); `file`: your own; `well_mixed`: no
            ties, who shares reaches others by lot.
        links: ties that each newcomer makes, m (`barabasi_albert` only).
        neighbours: ties of each viewer on the ring, an even number (`small_world` only).
        rewired: the chance that a tie of the ring is moved to anybody (`small_world` only).
        power: a viewer has k ties with a chance in proportion to k^-power (`configuration` only).
        least_ties, most_ties: the fewest and most ties (`configuration` only).
        contacts: mean number of viewers, a Poisson one, whom a sharer reaches a day (`well_mixed` only).
        file: a CSV or Parquet file with the columns viewer and friend, numbers from 0, a row a tie (`file` only);
            a relative path starts from the scenario's folder.
        is_directed: whether only the friend sees what the viewer shares, not the other way round (`file` only).
        share_chance: the chance that a viewer who has seen a post shares it; where viewers are asked whether they
            share what the feed showed them, of posts that came by ties.
        pass_chance: the chance that a shared post is seen by each who is tied to the sharer, a day.
        pass_days: on how many days a viewer passes on what it shared.
        hops_per_day: how often a post may be passed on in a day, from one to the next; what is left goes on tomorrow.
    """

    kind: Literal["barabasi_albert", "configuration", "small_world", "well_mixed", "file"] = "barabasi_albert"
    links: Count = 2
    neighbours: Annotated[int, Field(ge=2)] = 6
    rewired: Share = 0.1
    power: Annotated[float, Field(gt=0, le=10)] = 2.5
    least_ties: Count = 2
    most_ties: Count = 100
    contacts: Annotated[float, Field(gt=0, le=500)] = 4.0
    file: str = ""
    is_directed: bool = False
    share_chance: Share = 0.1
    pass_chance: Share = 1.0
    pass_days: Count = 1
    hops_per_day: Annotated[int, Field(ge=1, le=1000)] = 24

    @property
    def has_ties(self) -> bool:
        """Whether viewers are tied to certain others."""
        return self.kind != "well_mixed"

    @model_validator(mode="after")
    def _keys_are_of_its_kind(self) -> Self:
        faults = [
            f"{key}: only for kind: {kind}, not {self.kind}"
            for key, kind in _OF_KIND.items()
            if kind != self.kind and getattr(self, key) != type(self).model_fields[key].default
        ]
        if self.kind == "file" and not self.file:
            faults.append("file: missing; kind: file needs it")
        if self.neighbours % 2:
            faults.append(f"neighbours: must be even, half on each side, got {self.neighbours}")
        if self.most_ties < self.least_ties:
            faults.append(f"most_ties: at least least_ties = {self.least_ties}, got {self.most_ties}")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def size_faults(self, num_viewers: int) -> list[str]:
        """What so few viewers cannot have."""
        if self.kind == "barabasi_albert" and self.links >= num_viewers:
            return [f"graph.links: must be below viewers.count = {num_viewers}, got {self.links}"]
        if self.kind == "small_world" and 2 * self.neighbours > num_viewers:
            return [f"graph.neighbours: at most half of viewers.count = {num_viewers}, got {self.neighbours}"]
        if self.kind == "configuration" and self.most_ties >= num_viewers:
            return [f"graph.most_ties: must be below viewers.count = {num_viewers}, got {self.most_ties}"]
        return []
