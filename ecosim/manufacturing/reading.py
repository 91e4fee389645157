"""Reading the news: bulletins as text before firms, and what firms then believe.

Each week a firm reads, of every item that it buys, up to `per_week` bulletins about makers of the item. It says whether
the text reports that something will happen; if so what, to whom and when, and whether to believe it. The row of the
event table is the truth; the question has the text, who tells it, and how often that source was right so far.

What is believed is kept in the table `beliefs` until its weeks are over. Planning sees it as `feared_weeks`, and
requests for quotes as `is_feared`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket, Choice
from ecosim.manufacturing import headlines
from ecosim.manufacturing.news import KINDS, LATER_WEEKS, NOTHING, OUTAGE, RECALL, News
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.meanings import Meaning, State, units
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

NO_YES = ("no", "yes")
SLOTS = ("first", "second", "third", "fourth")
HAPPENINGS = KINDS[1:]
WEEKS_AHEAD = 26 + LATER_WEEKS
SEES = {
    "text": Meaning("text", "the bulletin"),
    "source": Meaning("text", "who brings it"),
    "source_record": Meaning("", "of what the source said before, what proved so: (so + 1) ÷ (said + 2)"),
    "item_name": Meaning("", "the item that it is about, which the firm buys"),
    "firm": Meaning("id", "sellers of the item, one of which the bulletin is about"),
    "firm_name": Meaning("text", "their names"),
    "this_week": Meaning("week", "now"),
}
ANSWERS = {
    "news": Meaning("", "whether it says that something will happen that firms should prepare for"),
    "kind": Meaning("", "what will happen"),
    "who": Meaning("", "to which of the sellers"),
    "week": Meaning("week", "when it begins"),
    "believe": Meaning("", "whether it holds that for true"),
}
UNITS = units(SEES)
STATES = {
    "firms": State(
        "a firm",
        {"news_capacity": Meaning("1e-6", "share of its capacity that outages in the news leave it this week")},
    ),
    "beliefs": State(
        "something that a firm believes will happen to a seller of an item that it buys",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "who believes it"),
            "item": Meaning("id", "which item"),
            "about": Meaning("id", "the seller"),
            "from_week": Meaning("week", "when it begins"),
            "until_week": Meaning("week", "the last week of it"),
            "lost": Meaning("1e-6", "the share of what the item's sellers can make that is lost meanwhile"),
        },
    ),
    "sources": State(
        "a source of news",
        {
            "replica": Meaning("id", "where it is"),
            "source": Meaning("id", "which, in the order of the scenario"),
            "told": Meaning("", "bulletins of it that mattered, whose weeks are over"),
            "proved": Meaning("", "of these, how many were so"),
        },
    ),
}
FEARED = {
    "feared_weeks": Meaning("1e-6 weeks", "weeks of supply that the firm believes will be lost, all sellers' work")
}
"""What `replenish` shows of beliefs."""
IS_FEARED = {
    "is_feared": Meaning("", "for each candidate, 1 if the firm believes that something happens to it now or next week")
}
"""What `quote` shows of them."""

_ABOUT = Column("about", "i8", "id", "the maker", of="member")
_ITEM = Column("item", "i8", "id", "which item, in the order of the scenario", of="item")
_SAID = (
    Column(
        "said_kind", "i8", "", "what the text is about: " + ", ".join(f"{i} {k}" for i, k in enumerate(KINDS)), KINDS
    ),
    Column("said_week", "i8", "week", "when, by the text; −1 if it says nothing of that"),
    Column("is_denied", "i8", "", "1 if the text says that it will not happen", NO_YES),
    Column("is_true", "i8", "", "1 if things are as it says", NO_YES),
)
SCHEMAS = {
    "bulletins": Schema(
        "bulletins, what they say, and whether it is so",
        1,
        (
            _ABOUT,
            _ITEM,
            *_SAID,
            Column("source", "str", "", "who brings it"),
            Column("reliability", "i8", "1e-6", "the source's"),
            Column("text", "str", "", "as firms read it"),
        ),
        is_exogenous=True,
        is_rare=True,
    ),
    "readings": Schema(
        "what firms made of bulletins, beside what these say",
        3,
        (
            Column("member", "i8", "id", "who reads", of="member"),
            _ITEM,
            Column("slot", "i8", "", "which of the bulletins before it, from 0"),
            _ABOUT,
            Column("source", "i8", "id", "who brings it, in the order of the scenario"),
            *_SAID,
            Column("news", "i8", "", "answer: will something happen", NO_YES),
            Column("kind", "i8", "", "answer: what; −1 if nothing", ("no answer", *HAPPENINGS)),
            Column("who", "i8", "id", "answer: to whom; −1 if nothing", of="member"),
            Column("week", "i8", "week", "answer: when; −1 if nothing"),
            Column("believe", "i8", "", "answer: is it so; −1 if nothing"),
        ),
        is_rare=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Who reads what this week: rows of `positions`, rows of the week's bulletins, and how many were read before."""

    position: Array
    bulletin: Array
    slot: Array
    role: Array

    def of(self, role: int) -> Pages:
        """The rows of one role."""
        mine = np.flatnonzero(self.role == role)
        return Pages(self.position[mine], self.bulletin[mine], self.slot[mine], self.role[mine])


class Read:
    """Outages and recalls happen, the week's bulletins come out, and firms read those about what they buy.

    Of more bulletins than a firm reads it gets some that stand together, from a place drawn for it.

    Draws:
        From the world's seed: what happens and what is said of it, by maker and week; which bulletins a firm gets.
    """

    name = "read"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("bulletins", "readings")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.bulletins is not None
        self.net, self.facts = net, scenario.bulletins
        self.news = News(scenario.bulletins, net)
        self.names = np.array(net.names, dtype=object)
        self.items = np.array(net.items, dtype=object)
        self.sources = np.array([source.name for source in self.facts.sources], dtype=object)
        self.readers = np.flatnonzero(~net.makes)
        supply = np.array([net.capacity[sellers].sum() for sellers in net.sellers])
        self.share = net.capacity * MILLION // np.maximum(supply[net.sells], 1)  # of an item's supply, by maker

    def ask(self, world: World) -> list[Question]:
        """Firms that buy an item that is in the news; one question a role."""
        bulletins = self.news.bulletins(world, world.steps)
        pages = self._pages(world, bulletins)
        if not len(pages.position):
            return []
        text = self._texts(world, bulletins)
        slots = self._slots(bulletins)
        parts = [(code, pages.of(code)) for code in np.unique(pages.role).tolist()]
        return [self._question(world, ROLES[code], part, bulletins, text, slots) for code, part in parts]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let happen what happens, keep what is believed, and what the sources are worth."""
        self.news.happen(world)
        self._prove(world)
        bulletins = self.news.bulletins(world, world.steps)
        readings = []
        pages = self._pages(world, bulletins)
        for question, decision in zip(questions, decisions, strict=True):
            part = pages.of(ROLES.index(question.role))
            readings.append(self._reading(world, part, bulletins, question, decision))
        self._believe(world, readings)
        events = {"bulletins": self._told(world, bulletins)} if bulletins.num_rows else {}
        return {**events, "readings": concat(readings)} if readings else events

    # ---- who reads what -------------------------------------------------------------------------------------------

    def _pages(self, world: World, bulletins: Table) -> Pages:
        positions, net, num_items = world.tables["positions"], self.net, len(self.items)
        live = np.flatnonzero(world.is_live)
        rows = (live[:, None] * net.num_positions + self.readers).reshape(-1)
        firms = world.tables["firms"]
        if "is_active" in firms:
            rows = rows[firms["is_active"][net.firm_row(positions["replica"][rows], positions["member"][rows])]]
        topic = bulletins["replica"] * num_items + bulletins["item"]
        many = np.bincount(topic, minlength=world.num_replicas * num_items)
        first = np.cumsum(many) - many
        mine = positions["replica"][rows] * num_items + positions["item"][rows]
        rows, mine = rows[many[mine] > 0], mine[many[mine] > 0]
        seed = world.seed(seeds.WORLD, positions["replica"][rows])
        who = (positions["member"][rows], positions["item"][rows])
        start = seeds.integers(many[mine], seeds.WORLD, seed, world.steps, "pages", who)
        count = np.minimum(many[mine], self.facts.per_week)
        page = np.repeat(np.arange(len(rows)), count)
        slot = np.arange(len(page)) - np.repeat(np.cumsum(count) - count, count)
        bulletin = first[mine][page] + (start[page] + slot) % many[mine][page]
        return Pages(rows[page], bulletin, slot, net.role[positions["member"][rows[page]]])

    def _slots(self, bulletins: Table) -> Array:
        """Sellers that a bulletin could be about, the right one and the one beside it among them, −1 where none."""
        about, beside, item = bulletins["about"], bulletins["beside"], bulletins["item"]
        found = np.full((len(about), len(SLOTS)), NOBODY)
        found[:, 0], found[:, 1] = about, beside
        for code, sellers in enumerate(self.net.sellers):
            mine, size = np.flatnonzero(item == code), len(sellers)
            place, step = np.searchsorted(sellers, about[mine]), np.zeros(len(mine), np.int64)
            for slot in range(2, min(len(SLOTS), size)):
                step += 1
                step += sellers[(place + step) % size] == beside[mine]
                found[mine, slot] = sellers[(place + step) % size]
        turn = (bulletins["words"][:, None] + np.arange(len(SLOTS))) % len(SLOTS)
        return np.take_along_axis(found, turn, axis=1)

    def _texts(self, world: World, bulletins: Table) -> Array:
        return headlines.write(
            bulletins, self.names, self.items, self.sources.tolist(), world.steps, self.facts.outage_weeks
        )

    def _question(self, world: World, role: str, pages: Pages, bulletins: Table, text: Array, slots: Array) -> Question:
        positions, sources = world.tables["positions"], world.tables["sources"]
        replica, member, item = (positions[name][pages.position] for name in ("replica", "member", "item"))
        source, size = bulletins["source"][pages.bulletin], len(pages.position)
        firm = slots[pages.bulletin]
        is_firm = firm != NOBODY
        record = replica * len(self.sources) + source
        now = np.full(size, world.steps)
        any_of = {n: np.ones((size, n), bool) for n in (2, len(HAPPENINGS))}
        yes = ("news", 1)
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table(
                {
                    "replica": replica,
                    "subject": member,
                    "counterpart": np.full(size, NOBODY),
                    "item": item,
                    "round": pages.slot,
                }
            ),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns={
                "text": text[pages.bulletin],
                "source": self.sources[source],
                "source_record": (sources["proved"][record] + 1) / (sources["told"][record] + 2),
                "item_name": self.items[item],
                "firm": firm,
                "firm_name": np.where(is_firm, self.names[firm], ""),
                "this_week": now,
            },
            masks={"firm": is_firm, "firm_name": is_firm},
            units=UNITS,
            fields=(
                Choice(name="news", options=NO_YES, allowed=any_of[2]),
                Choice(name="kind", options=HAPPENINGS, allowed=any_of[len(HAPPENINGS)], only_if=yes),
                Choice(name="who", options=SLOTS, allowed=is_firm, only_if=yes),
                Bucket(
                    name="week", low=now, high=now + WEEKS_AHEAD, step=np.ones(size, np.int64), unit="week", only_if=yes
                ),
                Choice(name="believe", options=NO_YES, allowed=any_of[2], only_if=yes),
            ),
        )

    # ---- what comes of it -----------------------------------------------------------------------------------------

    def _reading(self, world: World, pages: Pages, bulletins: Table, question: Question, decision: Decision) -> Table:
        """Answers beside what the bulletins say, with firms by their ids and kinds by the codes of bulletins."""
        said, answers = bulletins.take(pages.bulletin), decision.answers
        is_news = answers["news"] == 1
        who = question["firm"][np.arange(question.num_rows), np.maximum(answers["who"], 0)]
        return Table(
            {
                "replica": question.key["replica"],
                "member": question.key["subject"],
                "item": question.key["item"],
                "slot": pages.slot,
                "about": said["about"],
                "source": said["source"],
                **_said(said),
                "news": answers["news"],
                "kind": np.where(is_news, answers["kind"] + 1, NOTHING),
                "who": np.where(is_news, who, NOBODY),
                "week": answers["week"],
                "believe": answers["believe"],
            }
        )

    def _believe(self, world: World, readings: list[Table]) -> None:
        """Add what is believed now; of one seller a firm believes what it read last. Drop what is over."""
        facts, old = self.facts, world.tables["beliefs"]
        tables = [old.take(old["until_week"] >= world.steps)]
        for reading in readings:
            new = reading.take(reading["believe"] == 1)
            lost = np.where(new["kind"] == OUTAGE, micro(facts.outage_share), micro(facts.recall_share))
            weeks = np.where(new["kind"] == RECALL, 1, facts.outage_weeks)
            columns = {name: new[name] for name in ("replica", "member", "item")}
            columns |= {"about": new["who"], "from_week": new["week"], "until_week": new["week"] + weeks - 1}
            tables.insert(0, Table({**columns, "lost": lost * self.share[new["who"]] // MILLION}))
        beliefs = concat(tables)
        row = self.net.position_row(beliefs["replica"], beliefs["member"], beliefs["item"])
        _, last = np.unique(row * self.net.num_members + beliefs["about"], return_index=True)
        world.tables["beliefs"] = beliefs.take(last)

    def _prove(self, world: World) -> None:
        """Count what sources said that can be known by now."""
        week = world.steps - self.facts.notice_weeks - 1
        if week < 1:
            return
        past = self.news.bulletins(world, week)
        past = past.take(past["kind"] != NOTHING)
        row = past["replica"] * len(self.sources) + past["source"]
        sources = world.tables["sources"]
        np.add.at(sources["told"], row, 1)
        np.add.at(sources["proved"], row, past["is_true"])

    def _told(self, world: World, bulletins: Table) -> Table:
        source = bulletins["source"]
        return Table(
            {
                **{name: bulletins[name] for name in ("replica", "about", "item")},
                **_said(bulletins),
                "source": self.sources[source],
                "reliability": np.array([micro(one.reliability) for one in self.facts.sources])[source],
                "text": self._texts(world, bulletins),
            }
        )


def _said(bulletins: Table) -> dict[str, Array]:
    names = {"said_kind": "kind", "said_week": "week", "is_denied": "is_denied", "is_true": "is_true"}
    return {name: bulletins[of] for name, of in names.items()}


def feared(world: World, net: Layout, rows: Array) -> dict[str, Array]:
    """What planning shows of some positions' beliefs; nothing where there are no bulletins."""
    if "beliefs" not in world.tables:
        return {}
    beliefs = world.tables["beliefs"]
    left = beliefs["until_week"] - np.maximum(beliefs["from_week"], world.steps) + 1
    weeks = np.zeros(world.tables["positions"].num_rows, np.int64)
    np.add.at(weeks, net.position_row(beliefs["replica"], beliefs["member"], beliefs["item"]), left * beliefs["lost"])
    return {"feared_weeks": weeks[rows]}


def is_feared(world: World, net: Layout, rows: Array, seller: Array) -> dict[str, Array]:
    """Whether some positions (rows,) believe that something will happen to their candidates (rows, slots)."""
    if "beliefs" not in world.tables:
        return {}
    beliefs = world.tables["beliefs"]
    beliefs = beliefs.take(beliefs["from_week"] <= world.steps + 1)  # until then it makes and ships as ever
    held = net.position_row(beliefs["replica"], beliefs["member"], beliefs["item"]) * net.num_members + beliefs["about"]
    return {"is_feared": np.isin(rows[:, None] * net.num_members + seller, held).astype(np.int64)}
