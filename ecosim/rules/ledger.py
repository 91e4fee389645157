"""Who owns what: cash and goods as a double-entry ledger over all replicas at once.

Every account is a row, every asset a column of `balance` (asset 0 is cash), in int64 millionths. A posting takes from
one account what it gives to another, so within a replica every asset sums to zero for ever: what comes from outside
(production, customers' money) is drawn from external accounts, which go negative. `cash_by_reason` keeps the same cash
flows sorted by why they happened: a profit-and-loss statement a member, free of charge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecosim.errors import RuleError
from ecosim.fields import Array
from ecosim.words import Table

CASH = 0
Names = Sequence[str]


class Ledger:
    """A view on the table `accounts`; it owns nothing else, so a copy of the table is a copy of the books.

    Rows of a replica stand together: its members by id, then its external accounts in the order of `externals`.

    Attributes:
        is_posted: whether anything was posted since `faults` looked last.
    """

    def __init__(self, accounts: Table, assets: Names, externals: Names, reasons: Names) -> None:
        self.accounts = accounts
        self.assets = tuple(assets)
        self.externals = tuple(externals)
        self.reasons = tuple(reasons)
        self.starts = np.flatnonzero(np.diff(accounts["replica"], prepend=-1))
        self._ends = np.append(self.starts[1:], accounts.num_rows)
        sizes = self._ends - self.starts
        self._size = int(sizes[0]) if len(sizes) and (sizes == sizes[0]).all() else 0
        self.is_posted = True

    @staticmethod
    def open(num_members: Array, assets: Names, externals: Names, reasons: Names) -> Table:
        """The table `accounts` with nothing in it, for replicas of so many members each."""
        rows = np.asarray(num_members) + len(externals)
        replica = np.repeat(np.arange(len(rows)), rows)
        first = np.repeat(np.cumsum(rows) - rows, rows)
        account = np.arange(rows.sum()) - first
        return Table(
            {
                "replica": replica,
                "account": account,
                "is_member": account < np.repeat(num_members, rows),
                "balance": np.zeros((len(replica), len(assets)), np.int64),
                "cash_by_reason": np.zeros((len(replica), len(reasons)), np.int64),
            }
        )

    def asset(self, name: str) -> int:
        """The column of an asset."""
        return self.assets.index(name)

    def rows(self, replica: Array, member: Array) -> Array:
        """The accounts of members, by replica and id."""
        return self.starts[replica] + member

    def outside(self, name: str, replica: Array) -> Array:
        """The external account of that name in each replica."""
        return self._ends[replica] - len(self.externals) + self.externals.index(name)

    def pay(self, reason: str, amount: Array, payer: Array, payee: Array) -> None:
        """Move cash between accounts (row numbers); accounts may repeat.

        Raises:
            RuleError: an amount is negative.
        """
        self.move(CASH, amount, payer, payee)
        kind = self.reasons.index(reason)
        _post(self.accounts["cash_by_reason"], kind, amount, payer, payee)

    def move(self, asset: int | Array, amount: Array, giver: Array, taker: Array) -> None:
        """Move an asset between accounts (row numbers); accounts may repeat.

        Raises:
            RuleError: an amount is negative.
        """
        if (amount < 0).any():
            raise RuleError(f"a posting must be >= 0, got {int(amount.min())} of {self._name(asset)}")
        self.is_posted = True
        _post(self.accounts["balance"], asset, amount, giver, taker)

    def faults(self) -> dict[int, str]:
        """Which replicas break conservation, or have a member with negative goods, and how."""
        balance = self.accounts["balance"]
        self.is_posted = False
        if self._size and self._is_sound(balance.reshape(len(self.starts), self._size, -1)):
            return {}
        sums = np.add.reduceat(balance, self.starts, axis=0)
        found = {int(r): f"{self.assets[a]} is not conserved: off by {sums[r, a]}" for r, a in np.argwhere(sums != 0)}
        goods = balance[:, 1:]
        if (goods < 0).any():
            for row, asset in np.argwhere((goods < 0) & self.accounts["is_member"][:, None]):
                replica, member = int(self.accounts["replica"][row]), int(self.accounts["account"][row])
                found.setdefault(replica, f"member {member} has {goods[row, asset]} of {self.assets[asset + 1]}")
        return found

    def _is_sound(self, balance: Array) -> bool:
        """Whether no replica has a fault, shape (replicas, accounts, assets): replicas of one size are looked at fast.

        int64 sums wrap, so sums of parts that would overflow still add up to 0 where the whole does.
        """
        if balance.sum(axis=1).any():
            return False
        num_members = self._size - len(self.externals)
        return not balance[:, :num_members, 1:].min(initial=0) < 0

    def _name(self, asset: int | Array) -> str:
        return self.assets[asset] if isinstance(asset, int) else "goods"


def _post(book: Array, column: int | Array, amount: Array, giver: Array, taker: Array) -> None:
    """Take and give on the flat view of a (rows, columns) book: `ufunc.at` has a fast path for one plain index."""
    flat = book.reshape(-1)
    np.subtract.at(flat, giver * book.shape[1] + column, amount)
    np.add.at(flat, taker * book.shape[1] + column, amount)
