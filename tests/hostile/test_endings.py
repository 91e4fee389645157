"""However a run ends, what it leaves is whole: Ctrl-C at any moment, a full disk, a process that has many runs."""

import gc
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import ecosim

RUN = ("run", "smart_manufacturing", "--seeds", "2", "--steps", "40", "--no-report", "--snapshot-every", "2")
STARTED = """
print("up", flush=True)                                # from here on it is ecosim that answers, not Python's own start
from ecosim.command import main
sys.argv = ["ecosim", *{words!r}]
main()
"""
SMALL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)          # a write beyond the limit is an error, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
from ecosim.command import main
sys.argv = ["ecosim", *{words!r}]
main()
"""


@pytest.fixture(scope="module")
def undisturbed() -> list[str]:
    return ecosim.run("smart_manufacturing", seeds=2, steps=40).manifest["digests"]


def status(folder: Path) -> str:
    return json.loads((folder / "manifest.json").read_text())["status"] if (folder / "manifest.json").is_file() else ""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="another kind of interrupt")
@pytest.mark.parametrize("number", range(6))
def test_ctrl_c_at_any_moment_leaves_a_run_that_goes_on_or_none(tmp_path, undisturbed, number):
    """Seeded moments: three between the first import and the folder, three while the run goes on."""
    folder, wait_s = tmp_path / "run", random.Random(number).uniform(0.05, 0.6)
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys" + STARTED.format(words=[*RUN, "--out", str(folder)])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores Ctrl-C
    )
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    while number % 2 and not (folder / "manifest.json").is_file():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(wait_s)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode in (0, 130, -signal.SIGINT), said  # the last: within the first import, or the last words
    if process.returncode == 130 and status(folder):
        assert "Traceback" not in said and f"ecosim resume {folder}" in said.splitlines()[-1], said
        ecosim.resume(folder)
    assert status(folder) == "done" if number % 2 else status(folder) in ("", "done")
    if status(folder):
        assert ecosim.load(folder).manifest["digests"] == undisturbed


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
@pytest.mark.parametrize("most", [4_000, 20_000])
def test_a_full_disk_stops_a_run_with_a_line_and_it_goes_on_when_there_is_room(tmp_path, undisturbed, most):
    """No file may grow beyond `most` bytes: a manifest or a snapshot, then a part of an event table."""
    folder = tmp_path / "run"
    code = SMALL.format(most=most, words=[*RUN, "--out", str(folder)])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "cannot be written" in done.stderr and "make room" in done.stderr, done.stderr
    assert status(folder) != "done"
    if status(folder):
        ecosim.resume(folder)
        assert ecosim.verify(folder, with_rerun=False).faults == ()
        assert ecosim.load(folder).manifest["digests"] == undisturbed


@pytest.mark.slow
def test_forty_runs_in_one_process_leave_its_memory_as_it_was():
    """Within 5 %, from the tenth run on: the first ones fill caches."""
    process, sizes = psutil.Process(), []
    for number in range(40):
        ecosim.run("beer_game", seeds=2, steps=6, changes={"world_seed": number + 1})
        if number >= 9:
            gc.collect()
            sizes.append(process.memory_info().rss)
    assert max(sizes[-5:]) <= 1.05 * max(sizes[:5]), [round(size / 1e6) for size in sizes[::5]]
