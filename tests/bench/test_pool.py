from ecosim.bench.pool import run


def test_the_pool_is_measured_against_bare_forwards_and_the_plain_ways(tiny_folder):
    report = run(rows=6, repeats=1, model=f"path:{tiny_folder}", device="cpu")
    assert report["rows"] == 6 <= report["decisions"]
    assert 0.5 < report["occupancy"] <= 1
    assert all(report[name] > 0 for name in ("ratio_to_bare", "speedup_over_rescoring", "speedup_over_generate"))
    assert "ratio_to_bare" in report["method"]
