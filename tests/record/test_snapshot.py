"""A snapshot comes back bit for bit, and whatever happens to the newest one, the one before is still there."""

import contextlib
import json
import os
import re

import numpy as np
import pytest

from ecosim.errors import RunError
from ecosim.record import snapshot
from ecosim.record.snapshot import Snapshot
from ecosim.words import Table


def at_step(step, **tables):
    return Snapshot(
        step=step,
        tables={"firms": Table({"stock": np.array([step, 2])}), **tables},
        chains={"events": [bytes([step]) * 32, bytes(32)]},
        series={("profit_eur", "steel"): np.full((step, 2), 0.1), ("profit_eur", ""): np.full((step, 2), -0.0)},
        parts={"events/offers": 3},
        notes={"flops": 2**70, "by_grade": {"scripted": 5}, "shares": [0.1]},
    )


KINDS = ("int8", "int16", "int32", "int64", "uint8", "uint64", "float32", "float64", "bool")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(5,), (5, 3), (0,), (0, 3), (5, 0), (5, 1)])
def test_a_column_of_any_kind_and_shape_comes_back_in_every_bit(tmp_path, kind, shape):
    noise = np.random.default_rng(0).bytes(15 * 8)
    column = np.resize(np.frombuffer(noise, kind if kind != "bool" else "uint8"), shape)
    column = column % 2 == 1 if kind == "bool" else column
    snapshot.write(tmp_path, at_step(1, any=Table({"some": column, "again": column[::-1]})))
    found = snapshot.latest(tmp_path).tables["any"]
    for name, written in (("some", column), ("again", column[::-1])):
        assert (found[name].dtype, found[name].shape) == (written.dtype, shape)
        assert found[name].tobytes() == written.tobytes()
        found[name][...] = 0  # it may be written


def test_the_odd_numbers_keep_their_bits(tmp_path):
    bits = np.array([0x8000000000000000, 0x7FF8000000000123, 0xFFF0000000000000, 1], np.uint64)  # −0, a NaN, −∞, 5e-324
    snapshot.write(tmp_path, at_step(1, odd=Table({"x": bits.view(np.float64)})))
    assert (snapshot.latest(tmp_path).tables["odd"]["x"].view(np.uint64) == bits).all()


def test_texts_come_back_as_texts(tmp_path):
    words = np.array([["", "zwölf €"], ["a\nb", "\0"]], object)
    snapshot.write(tmp_path, at_step(1, posts=Table({"title": words[:, 1], "both": words})))
    found = snapshot.latest(tmp_path).tables["posts"]
    assert found["title"].tolist() == ["zwölf €", "\0"]
    assert found["both"].tolist() == words.tolist()
    assert found["title"].dtype == object
    found["title"][0] = "another"


def test_everything_beside_the_tables_comes_back_too(tmp_path):
    written = at_step(12)
    place = snapshot.write(tmp_path, written)
    assert place == tmp_path / "snapshots" / "step-000012"
    found = snapshot.latest(tmp_path)
    assert (found.step, found.chains, found.parts, found.notes) == (12, written.chains, written.parts, written.notes)
    assert list(found.series) == [("profit_eur", "steel"), ("profit_eur", "")]
    assert found.series["profit_eur", ""].tobytes() == np.full((12, 2), -0.0).tobytes()


@pytest.mark.parametrize("column", [np.array([None, "a"], object), np.array(["a"]), np.zeros((1, 1, 1))])
def test_a_column_that_would_not_come_back_is_refused(tmp_path, column):
    with pytest.raises(TypeError, match=r"column 'x': "):
        snapshot.write(tmp_path, at_step(1, bad=Table({"x": column})))
    assert snapshot.latest(tmp_path) is None


def test_a_folder_without_snapshots_has_no_latest(tmp_path):
    assert snapshot.latest(tmp_path) is None


def test_the_last_two_are_kept(tmp_path):
    for step in (4, 8, 12):
        snapshot.write(tmp_path, at_step(step))
    assert sorted(os.listdir(tmp_path / "snapshots")) == ["step-000008", "step-000012"]


def test_a_snapshot_of_a_step_done_again_takes_the_place_of_the_first_and_of_later_ones(tmp_path):
    for step in (4, 8):
        snapshot.write(tmp_path, at_step(step))
    snapshot.write(tmp_path, at_step(4, more=Table({"x": np.arange(2)})))
    assert os.listdir(tmp_path / "snapshots") == ["step-000004"]
    assert "more" in snapshot.latest(tmp_path).tables


FILES = ("snapshot.json", "series.arrow", "tables/firms.arrow")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("harm", ["a bit", "the end", "all of it"])
def test_where_the_newest_is_damaged_the_one_before_is_used_and_it_is_said(tmp_path, file, harm):
    snapshot.write(tmp_path, at_step(4))
    damaged = snapshot.write(tmp_path, at_step(8)) / file
    content = bytearray(damaged.read_bytes())
    if harm == "a bit":
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
    elif harm == "the end":
        damaged.write_bytes(content[: len(content) // 2])
    else:
        damaged.unlink()
    with pytest.warns(RuntimeWarning, match=r"step-000008.*damaged.*going on from step 4"):
        assert snapshot.latest(tmp_path).step == 4


def test_a_value_changed_by_hand_is_noticed(tmp_path):
    facts = snapshot.write(tmp_path, at_step(4)) / "snapshot.json"
    document = json.loads(facts.read_text())
    document["facts"]["parts"]["events/offers"] = 2
    facts.write_text(json.dumps(document))
    with pytest.raises(RunError, match=r"no snapshot is whole.*snapshot\.json.*run again"):
        snapshot.latest(tmp_path)


def test_notes_with_numbers_for_names_come_back_with_text_for_names(tmp_path):
    snapshot.write(tmp_path, Snapshot(step=1, tables={}, chains={}, series={}, parts={}, notes={"n": {10: 1, 9: 2}}))
    assert snapshot.latest(tmp_path).notes == {"n": {"10": 1, "9": 2}}


class Killed(BaseException):
    """Nothing that a program could catch by chance."""


@pytest.mark.parametrize("folder_is_new", [True, False])
def test_a_kill_at_any_instant_leaves_a_whole_snapshot(tmp_path, monkeypatch, folder_is_new):
    """The write ends before its 1st, 2nd, … call that changes the disk, until it needs no more of them."""
    left: list[int] = []

    def dying(call):
        def counted(*args, **more):
            left.append(1)
            if len(left) == instant:
                raise Killed
            return call(*args, **more)

        return counted

    found = []
    for instant in range(1, 60):
        folder = tmp_path / str(instant)
        for step in () if folder_is_new else (4, 8):
            snapshot.write(folder, at_step(step))
        left.clear()
        with monkeypatch.context() as patch:
            for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir"):
                patch.setattr(os, name, dying(getattr(os, name)))
            with contextlib.suppress(Killed):
                snapshot.write(folder, at_step(12))
        newest = snapshot.latest(folder)  # a warning would be an error here
        found.append(newest.step if newest else 0)
        snapshot.write(folder, at_step(12))  # the run goes on: what was left behind is swept
        assert all(re.fullmatch(r"step-\d{6}", name) for name in os.listdir(folder / "snapshots"))
        assert snapshot.latest(folder).step == 12
        if len(left) < instant:
            break
    assert len(left) < instant
    assert instant > 8
    assert found == sorted(found)
    assert set(found) == {0 if folder_is_new else 8, 12}
