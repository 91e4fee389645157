from ecosim.bench.pool import run


def test_the_pool_is_measured_against_bare_forwards_and_the_plain_ways(tiny_folder):
    report = run(rows=6, repeats=1, model=f"path:{tiny_folder}", device="cpu", rows_a_question=2)
    assert report["rows"] == report["num_rows"] == 6 <= report["decisions"]
    assert report["run_num_rows"] == 3 * 2 * 2 <= report["run_decisions"]
    assert 0.5 < report["occupancy"] <= 1 and 0.5 < report["run_occupancy"] <= 1
    ratios = ("ratio_to_bare", "run_ratio_to_bare", "speedup_over_rescoring", "speedup_over_generate")
    assert all(report[name] > 0 for name in (*ratios, "one_adapter_cost", "mixed_adapters_cost"))
    assert report["run_memo_hits_once"] < 0.2 and report["run_memo_hits_again"] == 1
    assert all(name in report["method"] for name in ("ratio_to_bare", "occupancy", "one_adapter"))
