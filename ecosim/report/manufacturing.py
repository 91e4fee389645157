"""The sections of a manufacturing report."""

from __future__ import annotations

from ecosim.report import network, talk
from ecosim.report.parts import Panel, Plan, Theme

THEME = Theme(
    headline=(
        ("profit_eur", ""),
        ("fill_rate", ""),
        ("bullwhip", "manufacturer"),
        ("agreement_rate", None),
        ("cost_eur", ""),
    ),
    plans=(
        Plan(
            title="Money and service",
            lead="What consumers asked for and got at once, and the cash of the firms.",
            panels=(
                Panel("served_units", against="demand_units", title="Served (dashed: demand)"),
                Panel("cash_eur"),
            ),
            bars=("profit_eur",),
            kpis=("profit_eur", "cost_eur", "fill_rate", "model_cost_eur"),
        ),
        Plan(
            title="Stock and backlog",
            lead="Goods on hand, and goods owed and due, at the end of each week.",
            panels=(
                Panel("stock_units"),
                Panel("backlog_units"),
                Panel("holding_cost_eur"),
                Panel("backlog_cost_eur"),
            ),
            kpis=("stock_units", "backlog_units"),
        ),
        Plan(
            title="Orders against demand",
            lead=(
                "What each role ordered or planned to make; dashed, what consumers asked for. Orders that swing more "
                "than demand are the bullwhip: a KPI above 1. Units are those of the item that a role sells."
            ),
            panels=(Panel("order_units", against="demand_units", title="Orders"),),
            bars=("bullwhip",),
            kpis=("bullwhip",),
        ),
        Plan(
            title="Prices and deals",
            lead="What negotiations came to, by item.",
            panels=(
                Panel("deal_price_eur"),
                Panel("deals"),
                Panel("talks"),
                Panel("rounds"),
                Panel("deal_units", title="Units sold by contract"),
                Panel("deal_value_eur"),
                Panel("buyer_gain_eur"),
                Panel("seller_gain_eur"),
            ),
            bars=("agreement_rate", "buyer_share"),
            kpis=("deal_price_eur", "agreement_rate", "rounds_per_talk", "buyer_share"),
        ),
        Plan(
            title="What talks came to, and could have",
            lead=(
                "Gains of both sides by the talks that ended, against the most that both could have gained, and the "
                "distance to the points of bargaining theory (`negotiation.analysis`)."
            ),
            panels=(
                Panel("welfare_eur", against="best_welfare_eur", title="Welfare (dashed: the most there was)"),
                Panel("nash_distance_eur"),
            ),
            kpis=(
                *("welfare_eur", "efficiency", "pareto_share"),
                *("nash_distance_eur", "kalai_distance_eur", "ks_distance_eur"),
            ),
        ),
        Plan(
            title="Negotiations",
            lead="Two firms at a time, move by move. Where a language model moved, unfold what it read and scored.",
            extra=talk.parts,
        ),
        Plan(
            title="Who supplied whom",
            lead="The network that came of all contracts.",
            extra=network.parts,
        ),
        Plan(
            title="Deliveries",
            lead="Deliveries between firms, and those that came after the week agreed.",
            panels=(Panel("deliveries"), Panel("late_deliveries")),
            kpis=("on_time",),
        ),
    ),
    limits=(
        "The firms, their costs and consumers’ demand are those of the scenario, not of an industry; a finding holds "
        "for these parameters until others have been tried.",
    ),
)
