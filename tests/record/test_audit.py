"""An audit finds the value that was changed, the part that is missing, the part that stands twice."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ecosim.record.audit import audit
from ecosim.record.recorder import Recorder
from ecosim.record.store import Folder, Memory
from ecosim.side import Column, Schema
from ecosim.words import Table

COLUMNS = (Column("post", "i8", "", ""), Column("fit", "f8", "", ""), Column("title", "str", "", ""))
SCHEMAS = {
    "posts": Schema("posts", 1, COLUMNS),
    "visits": Schema("visits", 1, (Column("viewer", "i8", "", ""),)),
}
STEPS, REPLICAS = 6, 2


def record(store, flush_every=2):
    """Two posts a step in each replica, one of them with a NaN; a visit every third step, in replica 1 alone."""
    recorder = Recorder(SCHEMAS, REPLICAS, store)
    for step in range(1, STEPS + 1):
        posts = {"replica": np.array([1, 0, 1, 0]), "post": np.array([2, 2, 1, 1]) + 10 * step}
        fit, title = np.array([0.5, np.nan, -0.0, step]), np.array([f"post of {step}"] * 4, object)
        recorder.take("publish", {"posts": Table(posts | {"fit": fit, "title": title})})
        if step % 3 == 0:
            recorder.take("visit", {"visits": Table({"replica": np.array([1]), "viewer": np.array([step])})})
        recorder.close_step(step)
        if step % flush_every == 0:
            store.flush()
    store.flush()
    return recorder.digest.hex()


def faults(store, digests):
    return audit(store, SCHEMAS, REPLICAS, STEPS, digests)


@pytest.fixture
def run(tmp_path):
    digests = record(Folder(tmp_path))
    assert len(list((tmp_path / "events").glob("posts-*"))) == 3
    return tmp_path, digests


def part(folder, number, table="posts"):
    return folder / "events" / f"{table}-{number:05d}.parquet"


def test_a_run_as_it_was_written_has_no_faults(run):
    folder, digests = run
    assert faults(Folder(folder), digests) == []


@pytest.mark.parametrize("flush_every", [1, 5, 6])
def test_where_parts_end_does_not_count(tmp_path, flush_every):
    digests = record(Folder(tmp_path), flush_every)
    assert faults(Folder(tmp_path), digests) == []


def test_a_run_in_memory_can_be_audited_too():
    store = Memory()
    digests = record(store)
    assert faults(store, digests) == []
    store.read("events/posts")
    assert faults(store, digests) == []


def change(file, column, row, value):
    table = pq.read_table(file)
    values = table[column].to_pylist()
    values[row] = value
    index = table.column_names.index(column)
    pq.write_table(table.set_column(index, column, pa.array(values, table[column].type)), file)


@pytest.mark.parametrize(("column", "value"), [("post", 99), ("fit", 0.25), ("title", "post off 4")])
def test_one_changed_value_is_found_with_its_replica_and_step(run, column, value):
    """The second part has steps 3 and 4; its rows are sorted by step, replica, post: row 5 is step 4, replica 0."""
    folder, digests = run
    change(part(folder, 1), column, 5, value)
    (fault,) = faults(Folder(folder), digests)
    assert fault.startswith("replica 0: events give ")
    assert fault.endswith("first differs at step 4")
    assert digests[0][:16] in fault


def test_a_part_missing_in_the_middle_is_named(run):
    folder, digests = run
    part(folder, 1).unlink()
    (fault,) = faults(Folder(folder), digests)
    assert "posts-00001.parquet is missing" in fault


def test_a_part_missing_at_the_end_is_noticed_in_all_replicas(run):
    folder, digests = run
    part(folder, 2).unlink()
    found = faults(Folder(folder), digests)
    assert [fault.split(":")[0] for fault in found] == ["replica 0", "replica 1"]
    assert all(fault.endswith("first differs at step 5") for fault in found)


def test_a_table_missing_altogether_is_noticed_where_it_had_rows(run):
    folder, digests = run
    for number in (0, 1):
        part(folder, number, "visits").unlink()
    (fault,) = faults(Folder(folder), digests)
    assert fault.startswith("replica 1: ")
    assert fault.endswith("first differs at step 3")


def test_a_part_that_stands_twice_is_noticed(run):
    folder, digests = run
    shutil.copy(part(folder, 2), part(folder, 3))
    (fault,) = faults(Folder(folder), digests)
    assert fault == "events/posts: rows of step 5 stand among those of step 6; is a part there twice?"


def test_a_step_that_stands_twice_is_noticed(tmp_path):
    digests = record(Folder(tmp_path), flush_every=1)
    shutil.copy(part(tmp_path, 5), part(tmp_path, 6))
    found = faults(Folder(tmp_path), digests)
    assert len(found) == 2
    assert all(fault.endswith("first differs at step 6") for fault in found)


def test_a_torn_part_is_named(run):
    folder, digests = run
    content = part(folder, 1).read_bytes()
    part(folder, 1).write_bytes(content[: len(content) // 2])
    (fault,) = faults(Folder(folder), digests)
    assert "posts-00001.parquet: cannot be read" in fault


def test_rows_beyond_the_last_step_are_noticed(run):
    folder, digests = run
    found = audit(Folder(folder), SCHEMAS, REPLICAS, 5, digests)
    assert found == ["events/posts: has rows of step 6; the run has 5 steps"]


@pytest.mark.parametrize("replica", [-1, 2])
def test_a_replica_that_the_run_does_not_have_is_noticed(run, replica):
    folder, digests = run
    change(part(folder, 1), "replica", 5, replica)
    (fault,) = faults(Folder(folder), digests)
    assert fault == "events/posts: names a replica that is not among the run's 2"


def test_columns_of_another_kind_are_noticed(run):
    folder, digests = run
    table = pq.read_table(part(folder, 1))
    at = table.column_names.index("fit")
    pq.write_table(table.set_column(at, "fit", pc.cast(table["post"], pa.int64())), part(folder, 1))
    (fault,) = faults(Folder(folder), digests)
    assert fault.startswith("events/posts: columns ['fit']")


def test_other_digests_in_the_manifest_are_told_apart_from_other_events(run):
    folder, digests = run
    (fault,) = faults(Folder(folder), [digests[0], "0" * 64])
    assert fault.startswith("replica 1: ")
    assert fault.endswith("the manifest has 0000000000000000…; the stored links of all its steps agree with the events")
    assert faults(Folder(folder), digests[:1]) == ["the manifest has 1 digests for 2 replicas"]


def test_a_run_without_links_is_audited_by_its_digests(run):
    folder, digests = run
    shutil.rmtree(folder / "ops")
    assert faults(Folder(folder), digests) == []
    change(part(folder, 1), "post", 5, 99)
    (fault,) = faults(Folder(folder), digests)
    assert fault.endswith("there are no stored links that would tell the step")


def test_a_changed_link_is_told_though_the_events_are_whole(run):
    folder, digests = run
    change(folder / "ops" / "digests-00000.parquet", "events", 3, "0" * 64)
    (fault,) = faults(Folder(folder), digests)
    assert fault == ("replica 1: events give the manifest's digest, but ops/digests has another link or none at step 2")
