"""Reading the news: bulletins as text before firms, and what firms then believe.

Each week a firm reads, of every item that it buys, up to `per_week` texts: letters from its own partners and contracts
that it signed first (`mail`), then bulletins about makers of the item and shocks (`news`, `shock_news`). Sellers read
the letters that buyers write to them. A firm says whether
the text reports that something will happen; if so what, to whom and when, and whether to believe it. The row of the
event table is the truth; the question has the text, who tells it, and how often that source was right so far.

What is believed is `beliefs`' to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket, Choice
from ecosim.manufacturing import beliefs, disputes, headlines, notices, wordings
from ecosim.manufacturing.bulletins import HAPPENINGS, NO_YES, said_columns
from ecosim.manufacturing.facts.bulletins import CONTRACTS
from ecosim.manufacturing.intricate import INTRICATE
from ecosim.manufacturing.mail import Mail
from ecosim.manufacturing.news import CLAUSE, KINDS, LATE, LATER_WEEKS, MORE, NOTHING, OF_NEWS, SHORT, News
from ecosim.manufacturing.pages import SLOTS, Pages, Pools, pages
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.shock_news import ShockNews
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

WEEKS_AHEAD = 26 + LATER_WEEKS
SEES = {
    "text": Meaning("text", "the bulletin, letter or contract"),
    "source": Meaning("text", "who brings it"),
    "source_record": Meaning("", "of what the source said before, what proved so: (so + 1) ÷ (said + 2)"),
    "item_name": Meaning("", "the item that it is about, which the firm buys"),
    "firm": Meaning("id", "sellers of the item, one of which the bulletin is about"),
    "firm_name": Meaning("text", "their names"),
    "this_week": Meaning("week", "now"),
    "rival": Meaning("text", "another source that by the text says the opposite; empty if there is none"),
    "rival_record": Meaning("", "of what that source said before, what proved so: (so + 1) ÷ (said + 2)"),
}
ANSWERS = {
    "news": Meaning("", "whether it says that something will happen that firms should prepare for"),
    "kind": Meaning("", "what will happen"),
    "who": Meaning("", "to which of the sellers"),
    "week": Meaning("week", "when it begins"),
    "believe": Meaning("", "whether it holds that for true"),
}
UNITS = units(SEES)


@dataclass(frozen=True, slots=True)
class Week:
    """The texts of a week: bulletins for all, letters to single firms, both in one table, and who reads which."""

    bulletins: Table
    mail: Table | None
    every: Table
    pages: Pages


def kinds(scenario: ManufacturingScenario) -> tuple[str, ...]:
    """What a text of a scenario can report, of HAPPENINGS, in their order."""
    facts = scenario.bulletins
    assert facts is not None
    found = set(KINDS[1:OF_NEWS])
    if facts.letters is not None:
        found |= {KINDS[kind] for kind in (LATE, SHORT, MORE)}
    if facts.clauses:
        found.add(KINDS[CLAUSE])
    if facts.shock_notice_weeks is not None:
        found |= {shock.kind for shock in scenario.shocks or []}
    return tuple(kind for kind in HAPPENINGS if kind in found)


class Read:
    """Outages and recalls happen, the week's bulletins come out, and firms read those about what they buy.

    Of more bulletins than a firm reads it gets some that stand together, from a place drawn for it.

    Draws:
        From the world's seed: what happens and what is said of it, by maker and week; which bulletins a firm gets.
    """

    name = "read"
    repeats = False
    sees, answers = SEES, ANSWERS
    writes: tuple[str, ...] = ("bulletins", "readings")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.bulletins is not None
        self.net, self.facts = net, scenario.bulletins
        self.news = News(scenario.bulletins, net)
        self.pools = Pools(net)
        self.mail = Mail(self.facts, net, self.pools)
        has_shocks = self.facts.shock_notice_weeks is not None and bool(scenario.shocks)
        self.shock_news = ShockNews(self.facts, scenario, net) if has_shocks else None
        has_mail = self.facts.letters is not None or self.facts.clauses
        self.writes = (*self.writes, "letters") if has_mail else self.writes
        self.kinds = kinds(scenario)
        self.names = np.array(net.names, dtype=object)
        self.items = np.array(net.items, dtype=object)
        self.sources = np.array(self.facts.voices, dtype=object)
        self.readers = np.flatnonzero(~net.makes)
        supply = np.array([net.capacity[sellers].sum() for sellers in net.sellers])
        self.share = net.capacity * MILLION // np.maximum(supply[net.sells], 1)  # of an item's supply, by maker

    def ask(self, world: World) -> list[Question]:
        """Firms that buy an item that is in the news; one question a role."""
        week = self._week(world)
        if not len(week.pages.position):
            return []
        text, slots = self._texts(world, week), self.pools.slots(week.every)
        parts = [(code, week.pages.of(code)) for code in np.unique(week.pages.role).tolist()]
        return [self._question(world, ROLES[code], part, week.every, text, slots) for code, part in parts]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let happen what happens, keep what is believed, and what the sources are worth."""
        week = self._week(world)
        self.news.happen(world)
        self._prove(world, week.mail)
        readings = []
        for question, decision in zip(questions, decisions, strict=True):
            part = week.pages.of(ROLES.index(question.role))
            readings.append(self._reading(part, week.every, question, decision))
        beliefs.believe(world, self.net, self.facts, self.share, readings)
        text = self._texts(world, week) if week.every.num_rows else np.zeros(0, object)
        num = week.bulletins.num_rows
        events = {"bulletins": self._told(week.bulletins, text[:num])} if num else {}
        if week.mail is not None and week.mail.num_rows:
            events["letters"] = self._sent(week.mail, text[num:])
        return {**events, "readings": concat(readings)} if readings else events

    # ---- who reads what -------------------------------------------------------------------------------------------

    def _week(self, world: World) -> Week:
        bulletins = self._bulletins(world, world.steps)
        mail = self.mail.of(world)
        every = bulletins if mail is None else concat([_said(bulletins), _said(mail, like=bulletins)])
        return Week(bulletins, mail, every, pages(world, self.net, self.readers, bulletins, mail, self.facts.per_week))

    def _bulletins(self, world: World, week: int) -> Table:
        """All that is public, of makers and of shocks, by replica and item; `shock` is −1 of makers' own troubles."""
        bulletins = self.news.bulletins(world, week)
        if self.shock_news is None:
            return bulletins
        same = np.ones(bulletins.num_rows, np.int64)
        plain = Table({**bulletins, "shock": NOBODY * same, "weeks": self.facts.outage_weeks * same})
        every = concat([plain, *(disputes.with_rivals(told, plain) for told in self.shock_news.bulletins(world, week))])
        return every.take(np.lexsort((every["shock"], every["about"], every["item"], every["replica"])))

    def _texts(self, world: World, week: Week) -> Array:
        """The text of each bulletin, then of each letter."""
        public, mail = week.bulletins, week.mail
        is_shock = public["shock"] >= 0 if "shock" in public else np.zeros(public.num_rows, bool)
        about = (self.names, self.items, self.facts.voices, world.steps)
        if self.facts.wordings == "intricate":
            tables = [public] if mail is None else [public, mail]
            return np.concatenate([wordings.write(t, *about, self.facts.outage_weeks, INTRICATE)[0] for t in tables])
        text = np.empty(public.num_rows, object)
        text[~is_shock] = headlines.write(public.take(~is_shock), *about, self.facts.outage_weeks)
        if is_shock.any():
            text[is_shock] = notices.of_shocks(public.take(is_shock), *about)
        return text if mail is None else np.concatenate([text, notices.of_mail(mail, *about)])

    def _question(self, world: World, role: str, pages: Pages, bulletins: Table, text: Array, slots: Array) -> Question:
        positions, sources = world.tables["positions"], world.tables["sources"]
        replica, member, item = (positions[name][pages.position] for name in ("replica", "member", "item"))
        source, size = bulletins["source"][pages.bulletin], len(pages.position)
        firm = slots[pages.bulletin]
        is_firm = firm != NOBODY
        record = replica * len(self.sources) + source
        now = np.full(size, world.steps)
        any_of = np.ones((size, 2), bool)
        may_be = np.broadcast_to(np.array([kind in self.kinds for kind in HAPPENINGS]), (size, len(HAPPENINGS)))
        plain = self.kinds == HAPPENINGS[: OF_NEWS - 1]
        happenings, may_be = (self.kinds, any_of) if plain else (HAPPENINGS, may_be)
        yes = ("news", 1)
        rivals = (
            disputes.shown(sources, self.sources, replica, bulletins["rival"][pages.bulletin])
            if "rival" in bulletins
            else {}
        )
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
                "source_record": np.where(  # what was signed is signed
                    self.sources[source] == CONTRACTS, 1.0, disputes.record(sources, record)
                ),
                "item_name": self.items[item],
                "firm": firm,
                "firm_name": np.where(is_firm, self.names[firm], ""),
                "this_week": now,
                **rivals,
            },
            masks={"firm": is_firm, "firm_name": is_firm},
            units=UNITS,
            fields=(
                Choice(name="news", options=NO_YES, allowed=any_of),
                Choice(name="kind", options=happenings, allowed=may_be, only_if=yes),
                Choice(name="who", options=SLOTS, allowed=is_firm, only_if=yes),
                Bucket(
                    name="week", low=now, high=now + WEEKS_AHEAD, step=np.ones(size, np.int64), unit="week", only_if=yes
                ),
                Choice(name="believe", options=NO_YES, allowed=any_of, only_if=yes),
            ),
        )

    # ---- what comes of it -----------------------------------------------------------------------------------------

    def _reading(self, pages: Pages, bulletins: Table, question: Question, decision: Decision) -> Table:
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
                "source": disputes.claimant(said),
                **said_columns(said),
                "news": answers["news"],
                "kind": np.where(is_news, answers["kind"] + 1, NOTHING),
                "who": np.where(is_news, who, NOBODY),
                "week": answers["week"],
                "believe": answers["believe"],
            }
        )

    def _prove(self, world: World, mail: Table | None) -> None:
        """Count what sources said that can be known by now, and keep what letters say until it can."""
        self._count(world, self.news.bulletins, self.facts.notice_weeks)
        if self.shock_news is not None:
            for topic in range(len(self.shock_news.topics)):
                self._count(world, self.shock_news.of(topic), self.shock_news.notice)
        if mail is not None and self.facts.letters is not None:
            self._count_letters(world, mail.take(mail["kind"] != CLAUSE))

    def _count(self, world: World, said: Callable[[World, int], Table], notice: int) -> None:
        week = world.steps - notice - 1
        if week < 1:
            return
        past = said(world, week)
        disputes.tally(world.tables["sources"], len(self.sources), past.take(past["kind"] != NOTHING))

    def _count_letters(self, world: World, mail: Table) -> None:
        """By the week that a letter names, what it says is so or not."""
        new = {name: mail[name] for name in ("replica", "source", "week", "is_true")}
        pending = concat([world.tables["pending_letters"], Table(new)])
        known = (pending["week"] <= world.steps) & world.is_live[pending["replica"]]
        disputes.tally(world.tables["sources"], len(self.sources), pending.take(known))
        world.tables["pending_letters"] = pending.take(~known)

    def _told(self, bulletins: Table, text: Array) -> Table:
        source = bulletins["source"]
        return Table(
            {
                **{name: bulletins[name] for name in ("replica", "about", "item")},
                **said_columns(bulletins),
                "source": self.sources[source],
                "reliability": np.array([micro(one.reliability) for one in self.facts.sources])[source],
                "text": text,
            }
        )

    def _sent(self, mail: Table, text: Array) -> Table:
        kept = ("replica", "member", "item", "slot", "about", "quantity", "due_week", "price", "penalty")
        source = self.sources[mail["source"]]
        return Table({**{name: mail[name] for name in kept}, **said_columns(mail), "source": source, "text": text})


def _said(texts: Table, like: Table | None = None) -> Table:
    """What bulletins and letters have in common; letters get what bulletins `like` these have of rivals."""
    names = ("replica", "item", "about", "kind", "week", "is_denied", "is_true", "source", "words", "beside")
    texts = texts if like is None else disputes.with_rivals(texts, like)
    return Table({name: texts[name] for name in (*names, *(name for name in disputes.RIVALS if name in texts))})
