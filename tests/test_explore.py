"""Runs in a researcher's hands: DataFrames in natural units, plots with units, differences with their intervals."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib import pyplot

import ecosim
from ecosim import contrast
from ecosim.arms import OTHER_LUCK
from ecosim.errors import DecisionError, RunError, ScenarioError

MARKET = "smart_manufacturing"
SOFT = {"distributor.negotiate": "conceder"}


@pytest.fixture(scope="module")
def run():
    return ecosim.run(MARKET, seeds=3, steps=4)


@pytest.fixture(scope="module")
def comparison():
    return ecosim.compare(MARKET, {"usual": {}, "soft": SOFT}, seeds=3, steps=4, with_same=True)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


# ---- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_says_what_it_is(run, tmp_path):
    assert repr(run) == "<Run 'Smart manufacturing': 3 replicas × 4 steps>"
    ecosim.run("beer_game", steps=1, out=tmp_path / "game")
    assert repr(ecosim.load(tmp_path / "game")) == f"<Run 'The beer game': 1 replicas × 1 steps, {tmp_path / 'game'}>"


def test_kpis_have_a_row_a_figure_group_and_replica(run):
    assert run.kpis.columns.tolist() == ["replica", "metric", "group", "value", "unit", "arm"]
    filled = run.kpis[run.kpis["metric"] == "fill_rate"]
    assert filled["replica"].tolist() == [0, 1, 2]
    assert filled["value"].between(0, 1).all()
    profit = run.kpis[run.kpis["metric"] == "profit_eur"].pivot(index="replica", columns="group", values="value")
    assert profit[["supplier", "manufacturer", "distributor"]].sum(axis=1).tolist() == pytest.approx(
        profit[""].tolist()
    )


def test_metrics_have_a_row_a_figure_group_replica_and_step(run):
    assert run.metrics.columns.tolist() == ["replica", "step", "metric", "group", "value", "unit", "arm"]
    demand = run.metrics[run.metrics["metric"] == "demand_units"]
    assert (len(demand), set(demand["step"]), set(demand["unit"])) == (12, {1, 2, 3, 4}, {"units"})


def test_events_are_in_euros_and_whole_units(run):
    """The record keeps millionths; six distributors ask for some 20 pumps each, and pay at most what one is worth."""
    demand = run.events("demand")
    assert demand.columns.tolist() == ["replica", "step", "member", "item", "wanted"]
    assert (demand["wanted"] % 1 == 0).all()
    assert demand["wanted"].mean() == pytest.approx(20, abs=2)
    weekly = demand.groupby(["replica", "step"])["wanted"].sum()
    metric = run.metrics[run.metrics["metric"] == "demand_units"].set_index(["replica", "step"])["value"]
    assert weekly.to_dict() == metric.to_dict()
    pumps = run.events("contracts").query("item == 2")
    assert pumps["price"].between(5, 57.2).all()  # at most 52 EUR and a tenth, the most that a buyer's limit can be
    assert (pumps["due_week"] > pumps["step"]).all()


def test_events_come_with_names_when_asked(run):
    """Ids follow the order of the scenario: 4 steelworks, 4 resin plants, 6 pump makers, 6 distributors."""
    numbers, words = run.events("offers"), run.events("offers", names=True)
    assert set(words["act"]) <= {"accept", "counter", "reject"}
    first = numbers.iloc[0]
    assert (first["buyer"], words["buyer"].iloc[0]) == (8, "pump_maker_1")
    assert (words["buyer"] == "distributor_6").equals(numbers["buyer"] == 19)
    assert words["item"].map({"steel": 0, "resin": 1, "pump": 2}).equals(numbers["item"])
    assert (words[["price", "quantity", "move"]] == numbers[["price", "quantity", "move"]]).all().all()


def test_members_have_a_row_a_replica_with_their_minds_by_phase():
    two = {"soft": {"distributor.negotiate": ["conceder", "boulware"]}, "usual": {}}
    members = ecosim.compare(MARKET, two, seeds=2, steps=1).run.members
    assert members.columns.tolist() == ["replica", "arm", "member", "name", "role", "replenish", "negotiate", "quote"]
    assert len(members) == 4 * 20
    dealt = members[(members["replica"] == 1) & (members["role"] == "distributor")]
    assert dealt["negotiate"].tolist() == ["conceder", "boulware"] * 3
    assert set(members[members["arm"] == "usual"]["negotiate"]) == {"scripted"}
    assert set(members[members["role"] == "supplier"]["quote"]) == {""}


def test_a_series_is_one_members_column_by_step_and_replica(run):
    stock = run.series("stocks", "stock", member="distributor_6", item="pump")
    assert stock.shape == (4, 3)
    events = run.events("stocks")
    assert stock.loc[2, 1] == events.query("replica == 1 and step == 2 and member == 19 and item == 2")["stock"].item()
    bought = run.series("contracts", "quantity", buyer=["distributor_5", "distributor_6"])
    assert bought.to_numpy().sum() == run.events("contracts").query("buyer >= 18")["quantity"].sum()
    assert run.series("contracts", "price", "mean", buyer="steelworks_1").isna().all().all()  # it buys nothing
    for table, column, where, message in (
        ("stocks", "stok", {}, "no column of stocks 'stok' in this run; did you mean 'stock'"),
        ("stocks", "stock", {"firm": 1}, "no column of stocks 'firm'"),
        ("stocks", "stock", {"member": "distributer_6"}, "no member 'distributer_6' in this run; did you mean 'distr"),
    ):
        with pytest.raises(RunError, match=message):
            run.series(table, column, **where)


def test_the_graph_holds_what_was_contracted(run):
    graph = run.graph(2)
    contracts = run.events("contracts", names=True).query("replica == 2")
    assert sum(units for *_, units in graph.edges(data="units")) == contracts["quantity"].sum()
    assert {graph.nodes[firm]["role"] for firm in graph.predecessors("distributor_1")} == {"manufacturer"}


def test_scripts_leave_no_answers_and_language_minds_leave_theirs_with_names(run):
    from ecosim.record.store import Memory

    assert run.answers.empty
    row = {
        "replica": [1], "step": [2], "question": ["distributor.negotiate"], "subject": [19], "counterpart": [8],
        "item": [2], "round": [3], "field": ["act"], "prompt": ["You buy."], "answer": ["accept"],
        "options": ['["accept", "reject"]'], "scores": ["[-1.5, -2.0]"], "logp": [-0.5], "margin": [0.5], "flops": [9],
    }  # fmt: skip
    store = Memory()
    store.write_json("manifest.json", run.manifest)
    store.append("events/answers", pa.table(row))
    (answer,) = ecosim.Run(store).answers.to_dict("records")
    assert (answer["member"], answer["counterpart"], answer["item"]) == ("distributor_6", "pump_maker_1", "pump")
    assert (answer["options"], answer["scores"], answer["arm"]) == (["accept", "reject"], [-1.5, -2.0], "all")


def test_a_run_in_a_notebook_is_a_card_that_trusts_no_title(run):
    card = run._repr_html_()
    assert "Smart manufacturing</b> · 3 replicas · 4 weeks" in card
    assert "Fill rate" in card
    evil = ecosim.run("beer_game", steps=1, changes={"title": "<script>alert(1)</script>"})._repr_html_()
    assert "<script" not in evil
    assert "&lt;script&gt;" in evil


def test_replicas_have_the_seeds_of_the_scenario_counted_up(run):
    assert run.replicas.to_dict("list") == {"arm": ["all"] * 3, "world_seed": [1, 2, 3], "mind_seed": [1, 2, 3]}


def test_a_run_knows_its_tables_and_says_so_when_asked_for_another(run):
    assert run.tables == sorted(run.tables)
    assert {"contracts", "demand", "orders", "stocks", "talks"} <= set(run.tables)
    with pytest.raises(RunError, match=r"no events 'contract' in this run; it has contracts, deliveries, demand"):
        run.events("contract")


def test_a_loaded_run_is_the_run(tmp_path, run):
    ecosim.run(MARKET, seeds=3, steps=4, out=tmp_path / "kept")
    loaded = ecosim.load(tmp_path / "kept")
    assert loaded.kpis.equals(run.kpis)
    assert loaded.metrics.equals(run.metrics)
    assert loaded.replicas.equals(run.replicas)
    assert loaded.events("stocks").equals(run.events("stocks"))
    assert loaded.report() == tmp_path / "kept" / "report.html"
    with pytest.raises(RunError, match=r"a run loaded from a folder has no world to step; ecosim\.replay"):
        loaded.world(0)


def test_a_folder_that_is_there_is_refused(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(RunError, match="exists already; name another folder"):
        ecosim.run("beer_game", steps=1, out=tmp_path)
    with pytest.raises(RunError, match="there is no such folder"):
        ecosim.load(tmp_path / "nowhere")


def test_one_replica_is_a_mesa_model(run):
    world = run.world(1)
    rich = world.agents.select(lambda firm: firm.name.startswith("distributor") and firm.cash > 0)
    assert rich.get("name") == [f"distributor_{i}" for i in range(1, 7)]
    with pytest.raises(RunError, match=r"replica 3 is not in 0 … 2"):
        run.world(3)


def test_changes_reach_into_the_scenario():
    changed = ecosim.run(MARKET, seeds=1, steps=1, changes={"lead_time_weeks": 3, "items.pump.value_eur": 60.0})
    assert (changed.scenario.lead_time_weeks, changed.scenario.items["pump"].value_eur) == (3, 60.0)
    with pytest.raises(ScenarioError, match="unknown key 'lead_time', did you mean 'lead_time_weeks'"):
        ecosim.run(MARKET, changes={"lead_time": 3})


# ---- one's own function ---------------------------------------------------------------------------------------------


def test_an_own_function_takes_a_seat():
    """Whoever orders 7 pumps a week, whatever happens, has ordered 6 firms × 7 pumps in each."""

    def seven(question):
        return {"quantity": np.full(question.num_rows, 7_000_000)}

    orders = ecosim.run(MARKET, seeds=2, steps=3, minds={"distributor.replenish": seven}).events("orders")
    by_distributors = orders[orders["member"] >= 14]
    assert by_distributors.groupby(["replica", "step"])["quantity"].sum().tolist() == [42.0] * 6


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda question: {"amount": question["on_hand"]}, r"answered \['amount'\], asked were \['quantity'\]"),
        (lambda question: {"quantity": question["on_hand"] / 1e6}, "must be a column of integers, got float64"),
        (lambda question: {"quantity": [7_000_000]}, r"has shape \(1,\), expected \(6,\)"),
        (lambda question: {"quantity": np.full(question.num_rows, 7)}, r"7.* is not allowed here; allowed: 0 to"),
        (lambda question: {"quantity": question["stock"]}, "KeyError: 'stock'"),
        (lambda question: 7, "must return a dict of columns by field name, got int"),
    ],
)  # fmt: skip
def test_an_own_function_that_answers_wrongly_is_told_where_and_what(answer, message):
    with pytest.raises(DecisionError, match=message) as caught:
        ecosim.run(MARKET, seeds=1, steps=1, minds={"distributor.replenish": answer})
    assert "distributor.replenish, step 1" in str(caught.value)


# ---- plots ----------------------------------------------------------------------------------------------------------


def test_a_plot_has_a_line_a_group_and_names_its_units(run):
    ax = run.plot("stock_units")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("week", "stock (units)")
    assert [line.get_label() for line in ax.get_lines()] == ["supplier", "manufacturer", "distributor"]
    stock = run.metrics.query("metric == 'stock_units' and group == 'supplier'").groupby("step")["value"].mean()
    assert ax.get_lines()[0].get_ydata().tolist() == pytest.approx(stock.tolist())


def test_a_plot_names_price_units_pure_numbers_and_all(run):
    assert run.plot("deal_price_eur", "pump").get_ylabel() == "deal price (EUR/unit)"
    assert run.plot("talks").get_ylabel() == "talks"
    platform = ecosim.run(
        "creator_community", seeds=2, steps=2, changes={"viewers.count": 300, "viewers.at_start": 300}
    )
    ax = platform.plot("views")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("day", "views")
    assert [line.get_label() for line in ax.get_lines()] == ["all", "human_creator", "ai_creator"]


def test_two_runs_share_an_axis_that_shows_both(run):
    """The second run has far more in stock than the first."""
    more = ecosim.run(MARKET, seeds=2, steps=4, changes={"firms.3.stock_units": {"pump": 5000}})
    ax = run.plot("stock_units", "distributor")
    assert more.plot("stock_units", "distributor", ax=ax) is ax
    bottom, top = ax.get_ylim()
    assert bottom == 0
    assert top > more.metrics.query("metric == 'stock_units' and group == 'distributor'")["value"].max() > 25_000


def test_a_plot_of_what_is_not_measured_is_refused(run):
    with pytest.raises(RunError, match="no metric 'stocks' in this run; it has demand_units, served_units"):
        run.plot("stocks")
    with pytest.raises(
        RunError, match="no group 'distributr' of stock_units in this run; it has supplier, manufacturer"
    ):
        run.plot("stock_units", "distributr")


def test_a_distribution_shows_every_replica_and_the_interval_of_the_mean(comparison):
    """Student's t with 2 degrees of freedom: 4.3027 standard errors to each side."""
    run = comparison.run
    ax = run.plot.distribution("fill_rate", "")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["usual", "usual again", "soft"]
    dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
    values = run.kpis.query("metric == 'fill_rate' and arm == 'soft'")["value"]
    assert dots[2].get_ydata().tolist() == values.tolist()
    (bar,) = ax.containers[2].lines[2][0].get_segments()
    assert (bar[1][1] - bar[0][1]) / 2 == pytest.approx(4.3027 * values.std() / 3**0.5, rel=1e-4)
    joined = [line for line in ax.get_lines() if line.get_marker() == "None" and len(line.get_xdata()) == 3]
    assert len(joined) == 3  # a line a world
    assert run.plot.distribution("profit_eur").get_ylabel() == "profit (EUR)"
    with pytest.raises(RunError, match="no KPI 'fill' in this run; it has profit_eur"):
        run.plot.distribution("fill")


def test_plots_draw_into_the_axes_that_they_are_given(run):
    ax = pyplot.figure().subplots()
    assert run.plot.network(1, ax=ax) is ax
    units = run.events("contracts", names=True).query("replica == 1").groupby("item")["quantity"].sum()
    texts = {text.get_text() for text in ax.get_legend().get_texts()}
    assert texts == {f"{item}: {sold:,.0f} units" for item, sold in units.items()}
    ax = pyplot.figure().subplots()
    assert run.plot.time(ax=ax) is ax
    assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(sum(run.manifest["seconds_by_part"].values()))
    ax = run.plot.series("stocks", "stock", member=["distributor_1", "distributor_2"], item="pump")
    assert [line.get_label() for line in ax.get_lines()] == ["distributor_1", "distributor_2"]
    assert ax.get_ylabel() == "stock (units)"


def test_a_talk_is_drawn_move_by_move_with_both_limits(run):
    talk = run.events("talks", names=True).query("outcome == 'agreed'").iloc[3]
    ax = run.plot.talk(talk)
    keys = ["replica", "step", "buyer", "seller", "item"]
    moves = run.events("offers", names=True).merge(talk[keys].to_frame().T.infer_objects(), on=keys)
    drawn = sorted(y for line in ax.get_lines() if line.get_linestyle() == "-" for y in line.get_ydata())
    assert drawn == pytest.approx(sorted(moves["price"]))
    dashes = [line.get_ydata()[0] for line in ax.get_lines() if line.get_linestyle() == "--"]
    assert dashes == [talk["buyer_limit"], talk["seller_limit"]]
    assert ax.get_title(loc="left") == f"{talk['item']}, week {talk['step']}, replica {talk['replica']}: agreed"
    assert "agreed" in run.plot.talk().get_title(loc="left")
    with pytest.raises(RunError, match="no such talk in this run"):
        run.plot.talk({**talk, "step": 99})


def test_a_lorenz_curve_counts_posts_that_nobody_watched():
    few = {"viewers.count": 60, "viewers.at_start": 60}
    platform = ecosim.run("creator_community", seeds=1, steps=2, changes=few)
    line = platform.plot.attention().get_lines()[1]
    views = platform.events("reactions").groupby("post")["views"].sum()
    assert (views > 0).sum() < 40  # of 80 posts
    assert line.get_ydata()[:50].max() == 0  # so the less watched half has nothing
    assert line.get_ydata()[[0, -1]].tolist() == [0, 100]
    with pytest.raises(RunError, match="no events 'contracts' in this run"):
        platform.plot.network()


def test_a_comparisons_plot_has_a_line_an_arm_about_zero(comparison):
    ax = comparison.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["usual again", "soft"]
    assert "difference to usual, % of its mean (95 % interval" in ax.get_xlabel()
    assert "profit_eur · supplier" in [text.get_text() for text in ax.get_yticklabels()]


# ---- comparisons ----------------------------------------------------------------------------------------------------


def kpis_of(values_by_arm):
    """KPI rows of two arms over the same world seeds, arm after arm."""
    arms, values = list(values_by_arm), list(values_by_arm.values())
    num = len(values[0])
    replicas = pd.DataFrame({"arm": np.repeat(arms, num), "world_seed": np.tile(np.arange(1, num + 1), len(arms))})
    kpis = pd.DataFrame({"replica": range(len(replicas)), "metric": "profit_eur", "group": "", "unit": "EUR"})
    return kpis.assign(value=np.concatenate(values), arm=replicas["arm"]), replicas, arms


def test_differences_are_a_paired_t_interval():
    """Gaps of 1, 2 and 3: mean 2, deviation 1, t(.975, 2) = 4.3027, so 2 ± 4.3027/√3 = 2 ± 2.4841; p = .0742."""
    (row,) = contrast.differences(*kpis_of({"a": [10.0, 20.0, 30.0], "b": [11.0, 22.0, 33.0]})).to_dict("records")
    assert (row["arm"], row["baseline"], row["pairs"]) == ("b", "a", 3)
    assert (row["mean"], row["baseline_mean"], row["difference"]) == (22, 20, 2)
    assert (row["low"], row["high"]) == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-4)
    assert row["p_value"] == pytest.approx(0.0742, abs=1e-4)


def test_pairs_are_by_world_seed_whatever_the_order():
    kpis, replicas, arms = kpis_of({"a": [10.0, 20.0, 30.0], "b": [11.0, 22.0, 33.0]})
    (row,) = contrast.differences(kpis.iloc[[3, 0, 5, 1, 4, 2]], replicas, arms).to_dict("records")
    assert row["low"] == pytest.approx(-0.4841, abs=1e-4)


def test_a_pair_without_a_value_is_left_out():
    (row,) = contrast.differences(*kpis_of({"a": [10.0, 20.0, np.nan], "b": [11.0, 22.0, 33.0]})).to_dict("records")
    assert (row["pairs"], row["baseline_mean"], row["difference"]) == (2, 15, 1.5)


def test_equal_arms_differ_by_nothing_for_sure():
    (row,) = contrast.differences(*kpis_of({"a": [1.0, 2.0], "b": [1.0, 2.0]})).to_dict("records")
    assert (row["difference"], row["low"], row["high"], row["p_value"]) == (0, 0, 0, 1)


def test_one_pair_has_no_interval():
    (row,) = contrast.differences(*kpis_of({"a": [1.0], "b": [3.0]})).to_dict("records")
    assert row["difference"] == 2
    assert np.isnan([row["low"], row["high"], row["p_value"]]).all()


def test_a_comparison_has_a_row_a_figure_and_arm_with_the_a_a_arm_first(comparison):
    assert comparison.run.arms == ["usual", "usual again", "soft"]
    assert repr(comparison) == f"<Comparison of usual, usual again, soft: {len(comparison.table)} rows>"
    rows = comparison.table[comparison.table["metric"] == "fill_rate"]
    assert rows[["arm", "baseline", "pairs"]].to_numpy().tolist() == [["usual again", "usual", 3], ["soft", "usual", 3]]
    assert "<table" in comparison._repr_html_()


def test_the_a_a_arm_has_the_same_minds_worlds_and_other_luck(comparison):
    replicas = comparison.run.replicas
    usual, again = (replicas[replicas["arm"] == arm] for arm in ("usual", "usual again"))
    assert usual["world_seed"].tolist() == again["world_seed"].tolist() == [1, 2, 3]
    assert (again["mind_seed"].to_numpy() - usual["mind_seed"].to_numpy() == OTHER_LUCK).all()
    assert comparison.run.manifest["arms"][0]["minds"] == comparison.run.manifest["arms"][1]["minds"]
    found = comparison.table.query("arm == 'usual again' and metric == 'profit_eur' and group == ''")
    assert found["difference"].item() != 0  # scripted buyers draw lots about whom to ask


def test_a_comparison_takes_a_table_and_a_plot_into_its_report(comparison, tmp_path):
    page = comparison.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "usual again" in page
    assert "soft" in page


def test_a_comparison_needs_two_arms_and_two_seeds():
    with pytest.raises(ScenarioError, match=r"needs at least two arms, got \['usual'\]"):
        ecosim.compare(MARKET, {"usual": {}}, seeds=2)
    with pytest.raises(ScenarioError, match=r"needs at least two arms, got \[\]"):
        ecosim.compare(MARKET, {}, seeds=2, with_same=True)
    with pytest.raises(ScenarioError, match="needs at least two seeds for an interval, got 1"):
        ecosim.compare("beer_game", {"usual": {}, "again": {}})


def test_arms_that_met_other_worlds_do_not_compare():
    manifest = {"replicas": {"world_seed": [1, 2, 1, 2]}, "exogenous_digests": ["aa", "bb", "aa", "cc"]}
    with pytest.raises(RunError, match="arms met different worlds at world seed 2: exogenous events differ"):
        contrast.check_common_world(manifest)
    contrast.check_common_world({**manifest, "exogenous_digests": ["aa", "bb", "aa", "bb"]})


def test_a_figure_whose_baseline_is_nothing_is_left_out_of_the_plot():
    table = contrast.differences(*kpis_of({"a": [0.0, 0.0], "b": [1.0, 2.0]}))
    other = contrast.differences(*kpis_of({"a": [4.0, 4.0], "b": [5.0, 6.0]})).assign(metric="cost_eur")
    ax = contrast.plot(pd.concat([table, other]))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["cost_eur"]
    points = ax.containers[0].lines[0]
    assert points.get_xdata().tolist() == [37.5]  # 1.5 EUR more than 4
