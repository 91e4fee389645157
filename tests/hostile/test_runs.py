"""Folders that are no runs, or no longer whole: each command says so in a line and changes nothing."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ecosim
import ecosim.errors

STEPS = 6


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run, one stopped after step 3 with a snapshot of it, and a stopped one with other seeds."""
    home = tmp_path_factory.mktemp("runs")

    def stop(step: int, router: object) -> None:
        if step == 4:
            raise KeyboardInterrupt

    ecosim.run("smart_manufacturing", seeds=2, steps=STEPS, out=home / "done", snapshot_every=3)
    for name, seed in (("stopped", 1), ("other", 5)):
        with pytest.raises(KeyboardInterrupt):
            how = {"changes": {"world_seed": seed}, "out": home / name, "snapshot_every": 3, "progress": stop}
            ecosim.run("smart_manufacturing", seeds=2, steps=STEPS, **how)
    return home


def edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value != "GONE"}))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def snapshot_format(folder: Path, number: int) -> None:
    from ecosim.record.snapshot import _sum_of

    path = next(folder.glob("snapshots/step-*/snapshot.json"))
    facts = json.loads(path.read_text())["facts"] | {"format": number}
    path.write_text(json.dumps({"sha256": _sum_of(facts), "facts": facts}))


def snapshot_of(folder: Path, other: Path) -> None:
    shutil.rmtree(folder / "snapshots")
    shutil.copytree(other / "snapshots", folder / "snapshots")


MANIFESTS = {
    "missing": (lambda f: (f / "manifest.json").unlink(), "not a run: there is no manifest.json in it"),
    "empty": (lambda f: (f / "manifest.json").write_text(""), "manifest.json: cannot be read: Expecting value"),
    "truncated": (lambda f: (f / "manifest.json").write_text('{"ecosim": "0.1'), "manifest.json: cannot be read"),
    "binary": (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe\x00"), "manifest.json: cannot be read"),
    "a list": (lambda f: (f / "manifest.json").write_text("[]"), "expected keys and values, got list"),
    "nested too deep": (lambda f: (f / "manifest.json").write_text("[" * 100_000), "manifest.json: cannot be read"),
    "foreign": (
        lambda f: (f / "manifest.json").write_text('{"a": 1}'),
        "ecosim: field required; not a run of ecosim",
    ),
    "newer": (lambda f: edit(f, ecosim="9.0.0"), f"written by ecosim 9.0.0, this is {ecosim.__version__}; update it"),
    "another world": (lambda f: edit(f, scenario={"world": "mars"}), "scenario.title: field required"),
    "no arms": (lambda f: edit(f, arms=[]), "manifest.json: arms: list should have at least 1 item"),
    "arm of text": (lambda f: edit(f, replicas={"arm": ["0"], "world_seed": [1], "mind_seed": [1]}), "replicas.arm.0"),
    "columns": (lambda f: edit(f, replicas={"arm": [0], "world_seed": [], "mind_seed": [1]}), "columns of unequal len"),
    "arm 7": (
        lambda f: edit(f, replicas={"arm": [7], "world_seed": [1], "mind_seed": [1]}),
        "an arm that is not there",
    ),
    "digests lost": (lambda f: edit(f, status="done", digests=[]), "0 digests for 2 replicas; damaged"),
}


@pytest.mark.parametrize("harm", MANIFESTS)
def test_a_manifest_that_is_none_is_refused_by_every_command(runs, shell, tmp_path, harm):
    folder = shutil.copytree(runs / "done", tmp_path / "run")
    do, line = MANIFESTS[harm]
    do(folder)
    before = files(tmp_path)
    for command in ("report", "resume", "verify", "replay"):
        code, _, said = shell(command, folder)
        assert code == 2 and said.startswith("ecosim: ") and said.count("\n") == 1 and line in said, (command, said)
    assert files(tmp_path) == before


FREE = ("status", "ecosim", "scenario_file", "numerics", "resumed_after", "score_digests")
"""Keys that are shown, if at all, as they stand; each is tried once."""


def test_whatever_a_key_of_a_manifest_becomes_no_command_breaks(runs, shell, tmp_path):
    """Every key taken away, or replaced by what it cannot be: refused in a line, or not needed for a report."""
    folder = shutil.copytree(runs / "done", tmp_path / "run")
    whole = (folder / "manifest.json").read_text()
    keys = list(json.loads(whole))
    assert len(keys) >= 20
    refused = 0
    for key in keys:
        for value in ("GONE", None, "x", []):
            edit(folder, **{key: value})
            try:
                ecosim.load(folder)
            except ecosim.errors.RunError as error:
                assert "\n" not in str(error)
                refused += 1
            else:
                if key in FREE and value is not None:
                    continue
                code, _, said = shell("report", folder)
                assert code == 0 or (code == 2 and said.count("\n") == 1), (key, value, said)
            (folder / "manifest.json").write_text(whole)
    assert refused > 40


PARTS = {
    "cut short": lambda p: p.write_bytes(p.read_bytes()[:100]),
    "empty": lambda p: p.write_bytes(b""),
    "no Parquet": lambda p: p.write_bytes(b"PAR1" + bytes(1000) + b"PAR1"),
    "other columns": lambda p: pq.write_table(pa.table({"a": [1]}), p),
}


@pytest.mark.parametrize("harm", PARTS)
@pytest.mark.parametrize("table", ["metrics", "kpis", "events/contracts"])
def test_a_damaged_table_is_named(runs, shell, tmp_path, harm, table):
    folder = shutil.copytree(runs / "done", tmp_path / "run")
    PARTS[harm](folder / f"{table}-00000.parquet")
    code, _, said = shell("report", folder)
    assert code == 2 and said.count("\n") == 1 and f"{table}-00000.parquet" in said, said


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda f, runs: snapshot_of(f, runs / "other"), "its snapshot after step 3 is of another run"),
        (lambda f, runs: snapshot_format(f, 99), "has format 99, this version of ecosim reads"),
        (lambda f, runs: next(f.glob("snapshots/step-*/series.arrow")).write_bytes(b"cut"), "no snapshot is whole"),
        (lambda f, runs: (f / "events/contracts-00000.parquet").unlink(), "contracts-00000.parquet is missing"),
    ],
    ids=["another run", "newer", "cut short", "a part is gone"],
)
def test_a_run_that_cannot_go_on_says_why_and_loses_nothing(runs, shell, tmp_path, harm, line):
    folder = shutil.copytree(runs / "stopped", tmp_path / "run")
    harm(folder, runs)
    before = files(tmp_path)
    code, _, said = shell("resume", folder)
    assert code == 2 and said.count("\n") == 1 and line in said, said
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("there", "there: exists already; name another folder"),
        ("a_file", "a_file: exists already; name another folder"),
        ("a_file/run", "a_file is a file; name another folder with --out"),
        ("/proc/run", "/proc/run: cannot be made"),
        ("x" * 300, "cannot be made"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_first_step(shell, tmp_path, place, line):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/mine").write_text("mine")
    (tmp_path / "a_file").write_text("mine")
    before = files(tmp_path)
    code, _, said = shell("run", "smart_manufacturing", "--seeds", 1, "--steps", 1, "--out", place)
    assert code == 2 and said.count("\n") == 1 and line in said, said
    assert files(tmp_path) == before
