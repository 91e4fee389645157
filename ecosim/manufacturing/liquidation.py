"""What becomes of a firm's promises, goods and debts when it goes out of business.

A firm that fails is wound up within its week, in this order:

1. Its open contracts are nullified. Buyers that it owes goods claim their contract price; sellers that owe it goods
   keep them.
2. Goods on their way to it, not yet paid, go back to their sellers' stock (stoppage in transit); its own work in
   progress counts as stock; goods on their way from it still arrive: the bank pays it for them now, and is paid by the
   buyers then (and stands in for penalties).
3. Its stock is sold to outside, at a share of the going price.
4. Cash above zero and what 2 and 3 brought are its estate; the bank (its cash below zero) and its buyers share that
   pro rata (`rules.claims`). What the bank does not get is written off. Anything left over stays with its owners.

Penalties are paid as goods arrive, so none is outstanding. Claims between firms that fail in the same week are void:
neither can wait for the other. Consumers who wait for goods have not paid, and get nothing.

Source: rules of the common kind, simplified: equal ranks of creditors, stoppage in transit (as in UCC § 2-705).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.exact import MILLION, value
from ecosim.fields import Array
from ecosim.manufacturing.companies import BANKRUPT
from ecosim.manufacturing.planning import market_price
from ecosim.manufacturing.register import note_void, nullify
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.rules import terms
from ecosim.rules.claims import pro_rata
from ecosim.rules.ledger import CASH
from ecosim.side import Events
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

BANK = -1
"""The bank, where a column names a creditor."""


def going_prices(world: World, net: Layout, scenario: ManufacturingScenario, replica: Array) -> Array:
    """What a unit of each item goes for, EUR/1e6, shape (rows, items): as the bulletin board says, where there is one.

    Elsewhere it is the price that everyone holds for usual, half-way between unit cost and value.
    """
    num_items = len(net.items)
    if "board" in world.tables:
        return world.tables["board"]["trading_price"].reshape(-1, num_items)[replica]
    usual = np.array([market_price(net, scenario, i) for i in range(num_items)], np.int64)
    return np.broadcast_to(usual, (len(replica), num_items))


def sell_stock(world: World, firm: Array, price: Array) -> Array:
    """Sell all goods of some firms to outside; what each got, int64 (firms,).

    Args:
        world: where.
        firm: rows of `firms`.
        price: of a unit of each item, EUR/1e6, shape (firms, items).
    """
    firms, ledger = world.tables["firms"], world.ledger
    replica = firms["replica"][firm]
    account, nature = ledger.rows(replica, firms["member"][firm]), ledger.outside("nature", replica)
    stock = ledger.accounts["balance"][account, 1:]
    for i in range(stock.shape[1]):
        ledger.move(i + 1, stock[:, i], account, nature)
    proceeds = value(price, stock).sum(axis=1)
    ledger.pay("liquidation", proceeds, nature, account)
    return cast(Array, proceeds)


def wind_up(world: World, net: Layout, firm: Array, price: Array) -> Events:
    """Close firms that can't pay; gives rows of `exits`, `compensations` and, with a register, `contract_ends`.

    Args:
        world: where; its `firms.is_active` is written.
        net: the network.
        firm: rows of `firms`, ascending.
        price: what their stock brings, a unit of each item, EUR/1e6, shape (firms, items).
    """
    firms, ledger = world.tables["firms"], world.ledger
    replica, member = firms["replica"][firm], firms["member"][firm]
    account, bank = ledger.rows(replica, member), ledger.outside("bank", replica)
    cash = ledger.accounts["balance"][account, CASH]
    place = np.full(firms.num_rows, -1)
    place[firm] = np.arange(len(firm))
    close(world, net, firm)
    debtor, creditor, claim = _claims(world, net, place)
    receivables = _stop_goods(world, net, place)
    ended = nullify(world, net, place >= 0)
    ledger.pay("contracts", receivables, bank, account)
    estate = np.maximum(cash, 0) + receivables + sell_stock(world, firm, price)
    in_debt = np.flatnonzero(cash < 0)
    debtor = np.concatenate([in_debt, debtor])
    creditor = np.concatenate([np.full(len(in_debt), BANK), creditor])
    claim = np.concatenate([-cash[in_debt], claim])
    paid = pro_rata(debtor, creditor, claim, estate)
    buys = creditor != BANK
    home = replica[debtor[buys]]
    ledger.pay("compensation", paid[buys], account[debtor[buys]], ledger.rows(home, creditor[buys]))
    ledger.pay("default", np.maximum(-ledger.accounts["balance"][account, CASH], 0), bank, account)
    owed, settled = np.zeros(len(firm), np.int64), np.zeros(len(firm), np.int64)
    np.add.at(owed, debtor, claim)
    np.add.at(settled, debtor, paid)
    found = {**ended, "exits": exits(firms, firm, BANKRUPT, cash, owed, estate, settled)}
    if len(debtor):
        parties = {"replica": replica[debtor], "member": member[debtor], "creditor": creditor}
        found["compensations"] = Table({**parties, "claim": claim, "paid": paid})
    return found


def exits(firms: Table, firm: Array, reason: int, cash: Array, owed: Array, estate: Array, paid: Array) -> Table:
    """Rows of the event table `exits`; amounts in EUR/1e6."""
    return Table(
        {
            "replica": firms["replica"][firm],
            "member": firms["member"][firm],
            "reason": np.full(len(firm), reason),
            "cash": cash,
            "owed": owed,
            "estate": estate,
            "level": np.where(owed > 0, paid / np.maximum(owed, 1), 1.0),
        }
    )


def close(world: World, net: Layout, firm: Array) -> None:
    """Firms stop, at once: they are asked nothing any more, and want nothing."""
    firms, positions = world.tables["firms"], world.tables["positions"]
    firms["is_active"][firm] = False
    firms["left_week"][firm] = world.steps
    theirs = np.zeros(firms.num_rows, bool)
    theirs[firm] = True
    rows = np.flatnonzero(theirs[net.firm_row(positions["replica"], positions["member"])])
    for column in ("wish", "room", "owed"):
        positions[column][rows] = 0


def _claims(world: World, net: Layout, place: Array) -> tuple[Array, Array, Array]:
    """What firms that fail owe of goods: debtor (place among these), creditor (id), claim, by pair."""
    contracts = world.tables["contracts"]
    replica, buyer, seller = contracts["replica"], contracts["buyer"], contracts["seller"]
    bought_by, sold_by = place[net.firm_row(replica, buyer)], place[net.firm_row(replica, seller)]
    owes = (sold_by >= 0) & (bought_by < 0)
    claim = value(contracts["price"][owes], contracts["open"][owes])
    pairs, which = np.unique(sold_by[owes] * net.num_members + buyer[owes], return_inverse=True)
    total = np.zeros(len(pairs), np.int64)
    np.add.at(total, which, claim)
    pairs, total = pairs[total > 0], total[total > 0]
    return pairs // net.num_members, pairs % net.num_members, total


def _stop_goods(world: World, net: Layout, place: Array) -> Array:
    """Turn round what is on its way to firms that fail; gives what goods on their way from each will bring."""
    on_way, ledger, firms = world.tables["shipments"], world.ledger, world.tables["firms"]
    replica, buyer, seller, item = (on_way[name] for name in ("replica", "buyer", "seller", "item"))
    bought_by, sold_by = place[net.firm_row(replica, buyer)], place[net.firm_row(replica, seller)]
    stopped = np.flatnonzero(bought_by >= 0)
    home, quantity = replica[stopped], on_way["quantity"][stopped]
    back = (buyer == seller)[stopped] | firms["is_active"][net.firm_row(home, seller[stopped])]
    taker = np.where(back, ledger.rows(home, seller[stopped]), ledger.outside("nature", home))
    ledger.move(item[stopped] + 1, quantity, ledger.outside("transit", home), taker)
    rows = net.position_row(home, buyer[stopped], item[stopped])
    np.subtract.at(world.tables["positions"]["on_order"], rows, quantity)
    note_void(world, on_way.take(stopped))
    going = (sold_by >= 0) & (bought_by < 0)
    brings = np.zeros(int((place >= 0).sum()), np.int64)
    np.add.at(brings, sold_by[going], terms.payment(on_way["price"][going], on_way["quantity"][going]))
    world.tables["shipments"] = on_way.take(bought_by < 0)
    return brings


def share_of(price: Array, share: int) -> Array:
    """A share, in millionths, of prices."""
    return price * share // MILLION
