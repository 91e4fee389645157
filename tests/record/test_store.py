"""Tables in part files: written beside the run, whole or not at all, and cut back to where a snapshot was."""

import numpy as np
import pyarrow as pa
import pytest

from ecosim.errors import RunError
from ecosim.record import store as stores
from ecosim.record.store import Folder, Memory
from ecosim.words import Table


def rows(*values):
    texts = np.array([f"no. {v}" for v in values], object)
    return Table({"replica": np.zeros(len(values), int), "value": np.array(values), "text": texts})


@pytest.fixture(params=["memory", "folder"])
def store(request, tmp_path):
    return Memory() if request.param == "memory" else Folder(tmp_path)


def test_rows_come_back_in_the_order_written(store):
    for values in ((3, 1), (2,)):
        store.append("events/sales", rows(*values))
    store.flush()
    store.append("events/sales", rows(0))
    store.flush()
    table = store.read("events/sales")
    assert table["value"].to_pylist() == [3, 1, 2, 0]
    assert table["text"].to_pylist() == ["no. 3", "no. 1", "no. 2", "no. 0"]
    assert pa.concat_tables(store.pieces("events/sales")).equals(table)
    assert list(store.pieces("events/none")) == []


def test_rows_with_other_columns_are_null_where_they_have_none(store):
    store.append("ops/calls", pa.table({"a": [1]}))
    store.append("ops/calls", pa.table({"a": [2], "b": [0.5]}))
    store.flush()
    store.append("ops/calls", Table({"a": np.array([3])}))
    store.flush()
    assert store.read("ops/calls").to_pydict() == {"a": [1, 2, 3], "b": [None, 0.5, None]}


def test_a_table_that_is_not_there_is_told_with_those_that_are(store):
    store.append("events/sales", rows(1))
    store.flush()
    with pytest.raises(RunError, match=r"no table 'events/sale'; it has events/sales"):
        store.read("events/sale")


def test_parts_are_written_when_there_are_rows_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "PART_ROWS", 3)
    folder = Folder(tmp_path)
    for value in range(8):
        folder.append("a", rows(value))
    assert folder.parts() == {"a": 2}
    folder.flush()
    assert folder.parts() == {"a": 3}
    assert [piece["value"].to_pylist() for piece in folder.pieces("a")] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert [file.name for file in sorted(tmp_path.iterdir())] == [f"a-0000{i}.parquet" for i in range(3)]


def test_a_resumed_folder_is_as_it_was_and_goes_on_from_there(tmp_path):
    folder = Folder(tmp_path)
    folder.append("events/a", rows(1))
    folder.flush()
    parts = folder.parts()
    for name in ("events/a", "decisions/firm.order"):
        folder.append(name, rows(2))
    folder.flush()
    folder.write_json("manifest.json", {"status": "failed"})
    (tmp_path / "events" / "a-00002.draft").write_bytes(b"half a part")

    again = Folder.resume(tmp_path, parts)
    assert again.names() == ["events/a"]
    assert again.read_json("manifest.json") == {"status": "failed"}
    again.append("events/a", rows(7))
    again.flush()
    assert again.read("events/a")["value"].to_pylist() == [1, 7]
    assert again.parts() == {"events/a": 2}
    assert not list(tmp_path.rglob("*.draft"))


def test_a_part_that_a_snapshot_counts_on_must_be_there(tmp_path):
    folder = Folder(tmp_path)
    folder.append("a", rows(1))
    folder.flush()
    with pytest.raises(RunError, match=r"a-00001\.parquet is missing.*put the file back"):
        Folder.resume(tmp_path, {"a": 2})
    assert folder.read("a").num_rows == 1


def test_a_gap_and_a_torn_part_are_told_by_name(tmp_path):
    folder = Folder(tmp_path)
    for value in range(3):
        folder.append("a", rows(value))
        folder.flush()
    (tmp_path / "a-00000.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match=r"a-00000\.parquet: cannot be read"):
        folder.read("a")
    (tmp_path / "a-00000.parquet").unlink()
    with pytest.raises(RunError, match=r"a-00000\.parquet is missing, a-00001\.parquet is there"):
        folder.read("a")


def test_what_goes_wrong_in_the_writing_thread_is_raised_by_the_next_flush(tmp_path):
    (tmp_path / "events").write_text("a file where a folder should be")
    folder = Folder(tmp_path)
    folder.append("events/a", rows(1))
    with pytest.raises(RunError, match=r"a-00000\.parquet: cannot be written.*make room, then resume"):
        folder.flush()
