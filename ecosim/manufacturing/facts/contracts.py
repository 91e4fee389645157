"""What becomes of contracts that are not kept."""

from __future__ import annotations

from ecosim.scenario import Facts, Share, Whole


class Contracts(Facts):
    """The life of contracts: concluded, signed, then executed, breached, nullified or cancelled.

    Attributes:
        grace_weeks: weeks after the one agreed in which goods may still be sent; then the rest is breached.
        penalty_share: what the party in breach pays the other, as a share of the value that it did not perform.
        cure: whether a seller in breach must buy what is missing at the spot market and deliver it.
        signing: whether both parties are asked to sign what their talk has concluded; if one will not, it is cancelled.
        refusal: whether sellers are asked, before they ship, to keep each of their contracts or to refuse.
        cash_on_delivery: whether a buyer gets only what its cash and credit limit pay for; the rest goes back.
    """

    grace_weeks: Whole = 1
    penalty_share: Share = 0.0
    cure: bool = False
    signing: bool = False
    refusal: bool = False
    cash_on_delivery: bool = True
