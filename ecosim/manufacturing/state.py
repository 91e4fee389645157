"""The tables of a supply network, and the map from firms and items to their rows.

Every replica has the same firms, so a row is replica × rows-per-replica + local row. A firm has a *position* for every
item that it handles: the one that it sells, and the parts of its bill of materials. Replicas differ in seeds and minds.

`TABLES` says what each table and column is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing import wiring
from ecosim.manufacturing.roads import Roads, roads
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.meanings import Meaning, State
from ecosim.rules.ledger import CASH, Ledger
from ecosim.side import Books
from ecosim.words import Table

ROLES = ("supplier", "manufacturer", "distributor")
EXTERNALS = ("nature", "consumers", "models", "transit", "bank", "services")
REASONS = (
    "opening", "sales", "contracts", "penalties", "production", "holding", "backlog", "models", "interventions",
    "interest", "liquidation", "compensation", "default", "fees", "adoption", "ordering", "lost_sales", "maintenance",
    "subscriptions", "transport", "terms", "disposal", "spot", "exogenous",
)  # fmt: skip
NO_PROFIT = ("opening", "interventions", "default")
"""Reasons for which cash comes and goes without being earned or spent."""
HISTORY_WEEKS = 8
SHOWN_OFFERS = 6
NOBODY = -1
REMEMBERED_LAYOUTS = 8
_REMEMBERED: dict[int, tuple[ManufacturingScenario, Layout]] = {}

_REPLICA = Meaning("id", "where it is")
_ITEM = Meaning("id", "which item, in the order of the scenario")
_PARTIES = {
    "replica": _REPLICA,
    "buyer": Meaning("id", "who buys"),
    "seller": Meaning("id", "who sells"),
    "item": _ITEM,
}
_PROMISE = {
    "signed_week": Meaning("week", "when the contract was signed, or production began"),
    "due_week": Meaning("week", "when the goods should arrive"),
    "price": Meaning("EUR/1e6", "of a unit"),
    "penalty": Meaning("share/1e6", "of the value, that the seller pays back for each week late"),
}

TABLES = {
    "firms": State(
        "a firm",
        {
            "replica": _REPLICA,
            "member": Meaning("id", "its number, in the order of the scenario"),
            "role": Meaning("", "0 supplier, 1 manufacturer, 2 distributor"),
            "name": Meaning("text", "what it is called"),
            "capacity": Meaning("units/1e6", "what it can make in a week"),
            "make_weeks": Meaning("weeks", "from a start of production until the goods are in stock"),
            "price": Meaning("EUR/1e6", "what consumers pay it for a unit"),
            "demand_factor": Meaning("", "what consumers' demand is multiplied by"),
            "num_deliveries": Meaning("", "deliveries that it has made to other firms"),
            "num_on_time": Meaning("", "of these, how many came by the week agreed"),
            "is_active": Meaning("", "whether it is in business: has entered, and has neither left nor failed"),
            "megaflops": Meaning("10^6 operations", "nominal cost of its minds so far"),
        },
    ),
    "positions": State(
        "a firm and an item that it handles: what it sells, and each part of that item's bill of materials",
        {
            "replica": _REPLICA,
            "member": Meaning("id", "the firm"),
            "item": _ITEM,
            "history": Meaning("units/1e6", "what was asked of it in each of the last weeks, the newest first"),
            "on_order": Meaning("units/1e6", "ordered or in production, not yet in stock"),
            "owed": Meaning("units/1e6", "to consumers"),
            "wish": Meaning("units/1e6", "what it means to order or make this week"),
            "room": Meaning("units/1e6", "what it can still buy, or promise, this week"),
        },
    ),
    "contracts": State(
        "a contract that is not yet fully shipped",
        {
            **_PARTIES,
            **_PROMISE,
            "from_week": Meaning("week", "when the seller knows of it"),
            "quantity": Meaning("units/1e6", "as signed"),
            "open": Meaning("units/1e6", "not yet shipped"),
        },
    ),
    "shipments": State(
        "goods on the way, or in production (then buyer and seller are the same)",
        {
            **_PARTIES,
            **_PROMISE,
            "arrive_week": Meaning("week", "when they will arrive"),
            "quantity": Meaning("units/1e6", "how much"),
        },
    ),
    "talks": State(
        "an open negotiation of this week",
        {
            **_PARTIES,
            "buyer_position": Meaning("id", "the buyer's row in positions"),
            "seller_position": Meaning("id", "the seller's row in positions"),
            "buyer_limit": Meaning("EUR/1e6", "the most that the buyer would pay for a unit; hidden"),
            "seller_limit": Meaning("EUR/1e6", "the least that the seller would take for a unit; hidden"),
            "buyer_rounds": Meaning("rounds", "the buyer's deadline; hidden"),
            "seller_rounds": Meaning("rounds", "the seller's deadline; hidden"),
            "buyer_price": Meaning("EUR/1e6", "the buyer's standing offer; −1 if there is none"),
            "buyer_quantity": Meaning("units/1e6", "the buyer's standing offer; −1 if there is none"),
            "buyer_week": Meaning("weeks", "the buyer's standing offer, from now; −1 if there is none"),
            "seller_price": Meaning("EUR/1e6", "the seller's standing offer; −1 if there is none"),
            "seller_quantity": Meaning("units/1e6", "the seller's standing offer; −1 if there is none"),
            "seller_week": Meaning("weeks", "the seller's standing offer, from now; −1 if there is none"),
            "moves": Meaning("", "moves made by both sides"),
            "prices": Meaning("EUR/1e6", "of the last offers of both sides, the newest first"),
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The network of one replica: which local row is what.

    Attributes:
        items: names; the asset of item i is i + 1.
        names: of the firms, by member id.
        role, sells, to_consumers: by member id.
        lead_weeks, order_weeks: by member id, of what it buys: from shipping to arrival, and until a partner knows.
        capacity, make_weeks: by member id, as they are before week 1 (capacity in millionths of a unit).
        owner, item, makes: by position; `makes` is true where the firm makes the item itself.
        order_cost: by member id, of each contract that it signs as the buyer, EUR/1e6.
        loses: by member id, whether demand that it cannot meet is lost.
        partner: by position, the firm that it buys the item from; -1 where it makes it, or has no partner.
        position: position of a member and item, -1 where it has none, shape (members, items).
        sellers: for each item, the ids of the firms that sell it.
        bom: units of each part in one unit of each item, shape (items, items).
        slack: weeks that sellers add to the transit time when they promise a delivery.
        roads: the transport network, if there is one.
    """

    items: tuple[str, ...]
    names: tuple[str, ...]
    role: Array
    sells: Array
    capacity: Array
    make_weeks: Array
    lead_weeks: Array
    order_weeks: Array
    to_consumers: Array
    owner: Array
    item: Array
    makes: Array
    order_cost: Array
    loses: Array
    partner: Array
    position: Array
    sellers: tuple[Array, ...]
    bom: Array
    slack: int
    roads: Roads | None

    @property
    def num_members(self) -> int:
        """Firms in a replica."""
        return len(self.names)

    @property
    def num_positions(self) -> int:
        """Positions in a replica."""
        return len(self.owner)

    def position_row(self, replica: Array, member: Array, item: Array) -> Array:
        """Row in `positions`."""
        return replica * self.num_positions + self.position[member, item]

    def partner_of(self, member: Array, item: Array) -> Array:
        """The firm that a member buys an item from where partners are fixed; -1 for none."""
        return self.partner[self.position[member, item]]

    def firm_row(self, replica: Array, member: Array) -> Array:
        """Row in `firms`."""
        return replica * self.num_members + member

    def transit_weeks(self, seller: Array, buyer: Array) -> Array:
        """Weeks from shipping until goods arrive; both sides of one shape."""
        if self.roads is None:
            return self.lead_weeks[buyer]
        return self.roads.weeks[self.roads.between(seller, buyer)]

    def promise_weeks(self, seller: Array, buyer: Array) -> Array:
        """Weeks from an order until the earliest delivery that is promised: transit, and the slack of sellers."""
        weeks = self.transit_weeks(seller, buyer)
        return weeks + self.slack if self.slack else weeks


def layout(scenario: ManufacturingScenario) -> Layout:
    """Who is who in a replica of a scenario; ids follow the order of the file. That of the last few is remembered."""
    if id(scenario) not in _REMEMBERED:
        if len(_REMEMBERED) == REMEMBERED_LAYOUTS:
            del _REMEMBERED[next(iter(_REMEMBERED))]
        _REMEMBERED[id(scenario)] = (scenario, _layout(scenario))  # the scenario too: so its id stays its own
    return _REMEMBERED[id(scenario)][1]


def _layout(scenario: ManufacturingScenario) -> Layout:
    items = tuple(scenario.items)
    groups = wiring.firm_names(scenario)
    number = wiring.numbers(scenario)
    sells = np.array([items.index(firms.sells) for _, firms in groups])
    bom = np.array([[scenario.items[whole].bom.get(part, 0) for part in items] for whole in items], np.int64)
    is_maker = np.array([firms.role != "distributor" for _, firms in groups])
    handles = [[sells[m], *(np.flatnonzero(bom[sells[m]]) if is_maker[m] else [])] for m in range(len(groups))]
    owner = np.repeat(np.arange(len(groups)), [len(h) for h in handles])
    item = np.array([i for h in handles for i in h], np.int64)
    position = np.full((len(groups), len(items)), NOBODY)
    position[owner, item] = np.arange(len(owner))
    makes = is_maker[owner] & (item == sells[owner])
    partners = [wiring.partner_name(groups[m][1], items[i]) for m, i in zip(owner, item, strict=True)]
    partner = np.array([NOBODY if name is None else number[name] for name in partners], np.int64)
    only_makers = "order" not in scenario.phases
    return Layout(
        items=items,
        names=tuple(name for name, _ in groups),
        role=np.array([ROLES.index(firms.role) for _, firms in groups]),
        sells=sells,
        capacity=np.array([firms.capacity_units * MILLION for _, firms in groups], np.int64),
        make_weeks=np.array([firms.make_weeks for _, firms in groups], np.int64),
        lead_weeks=_or(scenario.lead_time_weeks, [firms.lead_time_weeks for _, firms in groups]),
        order_weeks=_or(scenario.order_weeks, [firms.order_weeks for _, firms in groups]),
        to_consumers=np.array([firms.demand == "consumers" for _, firms in groups]),
        owner=owner,
        item=item,
        makes=makes,
        order_cost=np.array([micro(firms.order_cost_eur) for _, firms in groups], np.int64),
        loses=np.array([(firms.unmet or scenario.unmet) == "lost" for _, firms in groups]),
        partner=np.where(makes, NOBODY, partner),
        position=position,
        sellers=tuple(np.flatnonzero((sells == i) & (is_maker | (not only_makers))) for i in range(len(items))),
        bom=bom,
        slack=0 if scenario.transport is None else scenario.transport.slack_weeks,
        roads=None if scenario.transport is None else roads(scenario, scenario.transport),
    )


def _or(usual: int, own: list[int | None]) -> Array:
    return np.array([usual if weeks is None else weeks for weeks in own], np.int64)


def books(scenario: ManufacturingScenario) -> Books:
    """Cash and one asset an item."""
    return Books(assets=("cash", *scenario.items), externals=EXTERNALS, reasons=REASONS)


def num_bytes(scenario: ManufacturingScenario) -> dict[str, int]:
    """What the tables of one replica take at least, in bytes, by the counts that make them: 8 a number."""
    num_items = len(scenario.items)
    firms = sum(firms.count for firms in scenario.firms)
    positions = sum(firms.count * (1 + len(scenario.items[firms.sells].bom)) for firms in scenario.firms)
    arriving = sum(firms.count * len(firms.arriving_units) for firms in scenario.firms)
    talks = firms * min(scenario.negotiation.requests, firms) if "negotiate" in scenario.phases else 0
    weeks = [scenario.order_weeks if group.order_weeks is None else group.order_weeks for group in scenario.firms]
    unseen = sum(group.count * n for group, n in zip(scenario.firms, weeks, strict=True))
    return {
        "firms (count × items)": 8 * firms * (8 + 1 + num_items + len(REASONS) + num_items),
        "firms (count × parts)": 8 * positions * (7 + HISTORY_WEEKS),
        "firms (count × arriving_units)": 8 * 9 * arriving,
        "firms (count × negotiation.requests)": 8 * talks,
        "order_weeks (× firms)": 8 * 10 * unseen if "order" in scenario.phases else 0,
    }


def build(scenario: ManufacturingScenario, replicas: Table) -> dict[str, Table]:
    """All tables as they stand before week 1.

    Firms have the stock and cash of their group, goods of `arriving_units` are on the way and paid for, the first
    forecast stands in for the demand of the weeks before. With `order`, partners have still to see orders of the first
    forecast, one for each of the `order_weeks`. Nothing is drawn: all replicas start alike.
    """
    net = layout(scenario)
    num_replicas = replicas.num_rows
    tables = {
        "firms": _firms(scenario, net, num_replicas),
        "positions": _positions(scenario, net, num_replicas),
        "contracts": _contracts(scenario, net, num_replicas),
        "shipments": _shipments(scenario, net, num_replicas),
        "talks": no_talks(),
        "accounts": Ledger.open(np.full(num_replicas, net.num_members), books(scenario).assets, EXTERNALS, REASONS),
    }
    _endow(scenario, net, tables, num_replicas)
    return tables


def _firms(scenario: ManufacturingScenario, net: Layout, num_replicas: int) -> Table:
    def tile(column: Array) -> Array:
        return np.tile(column, num_replicas)

    return Table(
        {
            "replica": np.repeat(np.arange(num_replicas), net.num_members),
            "member": tile(np.arange(net.num_members)),
            "role": tile(net.role),
            "name": tile(np.array(net.names, dtype=object)),
            "capacity": tile(net.capacity),
            "make_weeks": tile(net.make_weeks),
            "price": tile(np.full(net.num_members, micro(scenario.demand.price_eur))),  # what consumers pay
            "demand_factor": tile(np.ones(net.num_members)),
            "num_deliveries": tile(np.zeros(net.num_members, np.int64)),
            "num_on_time": tile(np.zeros(net.num_members, np.int64)),
            "is_active": tile(np.ones(net.num_members, bool)),
            "megaflops": tile(np.zeros(net.num_members, np.int64)),
        }
    )


def _positions(scenario: ManufacturingScenario, net: Layout, num_replicas: int) -> Table:
    expected = [micro(scenario.first_forecast_units.get(net.items[i], 0.0)) for i in net.item]
    history = np.zeros((net.num_positions * num_replicas, HISTORY_WEEKS), np.int64)
    history[:] = np.tile(np.array(expected, np.int64), num_replicas)[:, None]
    zero = np.zeros(net.num_positions * num_replicas, np.int64)
    return Table(
        {
            "replica": np.repeat(np.arange(num_replicas), net.num_positions),
            "member": np.tile(net.owner, num_replicas),
            "item": np.tile(net.item, num_replicas),
            "history": history,  # newest first; the first forecast stands in for weeks before week 1
            "on_order": zero.copy(),
            "owed": zero.copy(),  # to consumers
            "wish": zero.copy(),  # this week's order or production target
            "room": zero.copy(),  # what it can still buy or promise this week
        }
    )


def _contracts(scenario: ManufacturingScenario, net: Layout, num_replicas: int) -> Table:
    """Orders that partners have not seen before week 1: the first forecast, for each week of `order_weeks`."""
    buying = np.flatnonzero(net.partner >= 0) if "order" in scenario.phases else np.zeros(0, np.int64)
    weeks = net.order_weeks[net.owner[buying]]
    position = np.repeat(buying, weeks)
    buyer, seller, item = net.owner[position], net.partner[position], net.item[position]
    week = np.concatenate([np.arange(1, n + 1) for n in weeks]) if len(position) else np.zeros(0, np.int64)
    units = np.array([micro(scenario.first_forecast_units.get(net.items[i], 0.0)) for i in item], np.int64)
    rows = len(buyer)

    def tile(column: Array) -> Array:
        return np.tile(column, num_replicas)

    return Table(
        {
            "replica": np.repeat(np.arange(num_replicas), rows),
            "buyer": tile(buyer),
            "seller": tile(seller),
            "item": tile(item),
            "signed_week": tile(week - net.order_weeks[buyer]),
            "from_week": tile(week),
            "due_week": tile(week + net.promise_weeks(seller, buyer)),
            "quantity": tile(units),
            "open": tile(units),
            "price": tile(np.array([_wholesale(scenario, net.items[i]) for i in item], np.int64)),
            "penalty": tile(np.full(rows, micro(scenario.late_penalty_share))),
        }
    )


def _wholesale(scenario: ManufacturingScenario, item: str) -> int:
    terms = (scenario.terms or {}).get(item)
    return micro(terms.price_eur) if terms is not None else 0


def _shipments(scenario: ManufacturingScenario, net: Layout, num_replicas: int) -> Table:
    """Goods that will arrive in the first weeks, already paid for; a maker's come from its own production."""
    groups = [firms for firms in scenario.firms for _ in range(firms.count)]
    rows = [(m, w + 1, units) for m, firms in enumerate(groups) for w, units in enumerate(firms.arriving_units)]
    member, week, units = (
        (np.array(c, np.int64) for c in zip(*rows, strict=True)) if rows else (np.zeros(0, np.int64),) * 3
    )
    item = net.sells[member]
    position = net.position[member, item]

    def tile(column: Array) -> Array:
        return np.tile(column, num_replicas)

    return Table(
        {
            "replica": np.repeat(np.arange(num_replicas), len(member)),
            "buyer": tile(member),
            "seller": tile(np.where(net.makes[position], member, net.partner[position])),
            "item": tile(item),
            "signed_week": tile(np.zeros(len(member), np.int64)),
            "due_week": tile(week),
            "arrive_week": tile(week),
            "quantity": tile(units * MILLION),
            "price": tile(np.zeros(len(member), np.int64)),
            "penalty": tile(np.full(len(member), micro(scenario.late_penalty_share))),
        }
    )


def no_talks() -> Table:
    """The empty table `talks`; `prices` are the last offers of both sides, the newest first."""
    empty = np.zeros(0, np.int64)
    names = (
        "replica", "buyer", "seller", "item", "buyer_position", "seller_position", 
        "buyer_limit", "seller_limit", "buyer_rounds", "seller_rounds",
        "buyer_price", "buyer_quantity", "buyer_week", "seller_price", "seller_quantity", "seller_week", "moves",
    )  # fmt: skip
    return Table({**{n: empty for n in names}, "prices": np.zeros((0, SHOWN_OFFERS), np.int64)})


def _endow(scenario: ManufacturingScenario, net: Layout, tables: dict[str, Table], num_replicas: int) -> None:
    """Give firms their cash and stock, and put goods that are on the way into transit."""
    names = books(scenario)
    ledger = Ledger(tables["accounts"], names.assets, names.externals, names.reasons)
    groups = [firms for firms in scenario.firms for _ in range(firms.count)]
    replica = np.repeat(np.arange(num_replicas), net.num_members)
    firm = ledger.rows(replica, np.tile(np.arange(net.num_members), num_replicas))
    nature = ledger.outside("nature", replica)
    ledger.pay("opening", np.tile([micro(g.cash_eur) for g in groups], num_replicas), nature, firm)
    for i, item in enumerate(net.items):
        stock = np.array([g.stock_units.get(item, 0) * MILLION for g in groups], np.int64)
        ledger.move(CASH + 1 + i, np.tile(stock, num_replicas), nature, firm)
    on_way = tables["shipments"]
    home = on_way["replica"]
    ledger.move(on_way["item"] + 1, on_way["quantity"], ledger.outside("nature", home), ledger.outside("transit", home))
    positions = tables["positions"]
    np.add.at(positions["on_order"], net.position_row(home, on_way["buyer"], on_way["item"]), on_way["quantity"])
    ordered = tables["contracts"]
    rows = net.position_row(ordered["replica"], ordered["buyer"], ordered["item"])
    np.add.at(positions["on_order"], rows, ordered["open"])
