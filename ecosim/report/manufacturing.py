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
            panels=(
                Panel("deliveries"),
                Panel("late_deliveries"),
                Panel("missed_lines", against="lines", title="Order lines missed (dashed: agreed)"),
                Panel("missed_units", against="line_units", title="Units missed (dashed: in lines agreed)"),
                Panel("carried_units"),
                Panel("held_units"),
                Panel("transport_cost_eur"),
            ),
            kpis=("on_time", "otif", "in_full", "transport_eur_per_unit", "load_factor"),
        ),
        Plan(
            title="Service and turnover",
            lead="How much of demand was served at once, how fast stock turned over, and what was lost.",
            panels=(
                Panel("service"),
                Panel("weeks_served"),
                Panel("sold_units"),
                Panel("sold_stock_units"),
                Panel("price_dispersion"),
                Panel("lost_units"),
                Panel("ordered_units_lost"),
                Panel("scrap_units"),
                Panel("perished_units"),
            ),
            kpis=("fill_rate_type_1", "turns", "price_dispersion", "lost_units", "scrap_share", "gini_profit", "hhi"),
        ),
        Plan(
            title="Contracts and the spot market",
            lead="How contracts ended (`contracts`), and what was bought and sold as a last resort (`spot`).",
            panels=(
                Panel("contracts_ended"),
                Panel("breaches"),
                Panel("breach_penalty_eur"),
                Panel("cure_cost_eur"),
                Panel("performed_units", against="ended_units", title="Performed (dashed: promised)"),
                Panel("spot_units"),
                Panel("spot_sold_units"),
                Panel("shortfall_cost_eur"),
            ),
            kpis=("execution_rate", "breach_rate", "breach_level", "performed", "cure_cost_eur"),
        ),
        Plan(
            title="Firms in business",
            lead="Who came, left and failed (`entry`, `finance`), and which minds firms chose (`adoption`).",
            panels=(
                Panel("active_firms"),
                Panel("entries"),
                Panel("bankruptcies"),
                Panel("departures"),
                Panel("compensated_eur", against="claims_eur", title="Paid to creditors (dashed: owed)"),
                Panel("mind_share"),
            ),
            kpis=("survival_of_incumbents", "survival_of_entrants", "compensation_level", "interest_eur"),
        ),
        Plan(
            title="Equipment",
            lead="Machines that stood still, and what their upkeep cost (`equipment`).",
            panels=(
                Panel("failures"),
                Panel("maintenances"),
                Panel("good_time", against="planned_time", title="Good output in machine-weeks (dashed: planned)"),
                Panel("upkeep_eur"),
            ),
            bars=("oee",),
            kpis=("oee", "availability", "performance", "quality", "uptime", "mtbf_weeks", "mttr_weeks"),
        ),
        Plan(
            title="Shocks",
            lead="When shocks began, and how long it took to feel them and to get over them (`shocks`).",
            panels=(Panel("shocks_begun"),),
            kpis=("time_to_survive_weeks", "time_to_recover_weeks", "lost_performance_weeks", "unmet_units"),
        ),
        Plan(
            title="Forecasts and news",
            lead="How far off forecasts were (`forecaster`), and how well firms read the news (`bulletins`).",
            panels=(
                Panel("forecast_error_units", against="naive_error_units", title="Error (dashed: seasonal naive)"),
                Panel("read_right", against="readings", title="Read rightly (dashed: read)"),
                Panel("believed_claims", against="claims", title="Believed (dashed: claimed)"),
            ),
            kpis=("mase", "pinball_ratio", "forecast_coverage", "reading_accuracy", "trust_gap"),
        ),
        Plan(
            title="At the bargaining table",
            lead="Talks over several issues at once, and how far from the points of bargaining theory they ended.",
            panels=(
                Panel("bargain_deals", against="bargains", title="Agreed (dashed: talks)"),
                Panel("bargain_rounds"),
                Panel("bargain_welfare"),
                Panel("bargain_to_nash"),
            ),
            kpis=("bargain_agreement_rate", "bargain_welfare", "bargain_to_pareto", "bargain_to_nash"),
        ),
    ),
    limits=(
        "The firms, their costs and consumers’ demand are those of the scenario, not of an industry; a finding holds "
        "for these parameters until others have been tried.",
    ),
)
