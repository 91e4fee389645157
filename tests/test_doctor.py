"""`ecosim doctor` finds what is there: taken ports, a damaged model, a container's limits, a token for all to read."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ecosim import doctor
from ecosim.cluster import health
from ecosim.doctor import Finding
from ecosim.models.sources import BASE, RECORD, WEIGHTS, Record
from ecosim.wheels import sha256_of

SECRET = "0c0ffee0" * 8


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    """A user without settings of Ray's, whose cache and home folder are empty."""
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        doctor, "_ASK_TORCH", 'print(\'{"threads": 1, "capability": "AVX2", "bf16": false, "gpus": []}\')'
    )


def found(findings: list[Finding], name: str) -> Finding:
    (one,) = [finding for finding in findings if finding.name == name]
    return one


def ray(ports: dict[str, int] | None = None) -> list[Finding]:
    return [finding for finding in doctor.examine(ports=ports or {}) if finding.area == "ray"]


@contextmanager
def listening(address: str = "127.0.0.1") -> Iterator[int]:
    with socket.create_server((address, 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def answering(status: int, body: str) -> Iterator[int]:
    """A web server on a port of this machine that always says the same."""

    class Same(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Same)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# ---- the whole ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_real_examination_says_everything_in_json_and_in_words_and_starts_nothing():
    code = """
import dataclasses, json, sys
from ecosim import doctor
findings = doctor.examine(ports={})
print(doctor.as_text(findings))
print(json.dumps([dataclasses.asdict(finding) for finding in findings]))
print([name for name in ("ray", "torch") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    *words, rows, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    names = {row["name"] for row in json.loads(rows)}
    expected = {"ecosim", "torch", "ray", "instructions", "cores usable", "memory free, GB", "clock resolution, s"}
    expected |= {"MKL_CBWR", "torch threads", "cache", BASE, "free at results, GB", "token", "runs here"}
    assert expected <= names
    assert all(any(name in line for line in words) for name in names)
    assert {row["state"] for row in json.loads(rows)} <= {"good", "note", "fault"}


def test_findings_read_as_blocks_with_advice_below():
    findings = [
        Finding("disk", "free, GB", 2.5),
        Finding("ray", "token", None, "fault", "make one"),
        Finding("ray", "runs here", "no"),
    ]
    assert doctor.as_text(findings) == (
        "disk\n"
        "  good   free, GB               2.5\n"
        "\n"
        "ray\n"
        "  fault  token                  –\n"
        "         → make one\n"
        "  good   runs here              no"
    )


def test_a_machine_that_tells_nothing_is_examined_all_the_same(tmp_path):
    findings = doctor.examine(ports={}, system=tmp_path)
    assert found(findings, "instructions").value is None
    assert found(findings, "memory free, GB").value is None
    assert found(findings, "cores usable").value >= 1


# ---- machine --------------------------------------------------------------------------------------------------------


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_a_containers_limits_count_and_not_the_machines(tmp_path):
    """cgroup v2: half a core; 3 GB less the 2.5 in use, of which 1 GB is files that may go."""
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/pod/box\n",
            "proc/meminfo": "MemTotal: 64000000 kB\nMemAvailable: 32000000 kB\n",
            "sys/fs/cgroup/pod/box/cpu.max": "max 100000\n",
            "sys/fs/cgroup/pod/cpu.max": "50000 100000\n",
            "sys/fs/cgroup/pod/box/memory.max": "3000000000\n",
            "sys/fs/cgroup/pod/box/memory.current": "2500000000\n",
            "sys/fs/cgroup/pod/box/memory.stat": "anon 1\ninactive_file 1000000000\n",
        },
    )
    assert doctor.usable_cores(tmp_path) == 0.5
    assert doctor.free_memory_gb(tmp_path) == 1.5
    tight = found(doctor.examine(ports={}, system=tmp_path), "memory free, GB")
    assert (tight.state, tight.value) == ("note", 1.5)


def test_limits_of_the_older_kind_count_too(tmp_path):
    write(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/box\n1:name=systemd:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "75000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "4000000000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000000000\n",
        },
    )
    assert doctor.usable_cores(tmp_path) == 0.75
    assert doctor.free_memory_gb(tmp_path) == 3.0


def test_no_limit_is_no_limit(tmp_path):
    whole = doctor.usable_cores(tmp_path)
    write(tmp_path, {"proc/self/cgroup": "1:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n"})
    write(tmp_path, {"sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"})
    assert doctor.usable_cores(tmp_path) == whole


def test_instructions_are_those_that_models_gain_by(tmp_path):
    write(tmp_path, {"proc/cpuinfo": "flags\t\t: fpu avx2 sse amx_bf16 avx512f\nflags\t\t: fpu avx2\n"})
    assert found(doctor.examine(ports={}, system=tmp_path), "instructions").value == "avx2 avx512f amx_bf16"


# ---- torch ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "crashes when it is loaded: SIGILL"),
        ("raise ImportError('libcuda.so.1: no such file')", "ImportError: libcuda.so.1: no such file"),
    ],
)
def test_a_torch_that_does_not_load_is_a_finding(code, says, monkeypatch):
    monkeypatch.setattr(doctor, "_ASK_TORCH", code)
    torch = [finding for finding in doctor.examine(ports={}) if finding.name == "torch" and finding.area == "models"]
    assert [(finding.value, finding.state) for finding in torch] == [(says, "fault")]


def test_more_threads_than_cores_and_a_gpu_are_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")
    told = {"threads": 4096, "capability": "AVX2", "bf16": True, "gpus": [{"name": "H200", "memory": 150 * 10**9}]}
    monkeypatch.setattr(doctor, "_ASK_TORCH", f"print({json.dumps(told)!r})")
    findings = doctor.examine(ports={})
    threads = found(findings, "torch threads")
    assert (threads.value, threads.state) == ("4096 (OMP_NUM_THREADS 4096)", "note")
    assert found(findings, "GPU 0").value == "H200, 150 GB, bf16"


def test_a_switch_that_leaves_the_last_bits_open_is_told(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    assert found(doctor.examine(ports={}), "MKL_CBWR").state == "note"
    monkeypatch.setenv("MKL_CBWR", "AVX2,STRICT")
    assert found(doctor.examine(ports={}), "MKL_CBWR").state == "good"
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.delenv("MKL_CBWR")
    assert found(doctor.examine(ports={}), "MKL_CBWR").state == "good"


# ---- models and disk ------------------------------------------------------------------------------------------------


def put_model(folder: Path, weights: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / WEIGHTS).write_bytes(weights)
    noted = Record(
        name=BASE, source="s", sha256=sha256_of(folder / WEIGHTS), licence="MIT", num_parameters=1, num_bytes=3
    )
    (folder / RECORD).write_text(json.dumps(noted.as_dict()))


def test_models_are_missing_whole_or_damaged(tmp_path):
    missing = found(doctor.examine(ports={}), BASE)
    assert (missing.state, missing.advice) == ("note", f"ecosim models fetch {BASE}")
    folder = tmp_path / "cache" / BASE
    put_model(folder, b"abc")
    whole = found(doctor.examine(ports={}), BASE)
    assert (whole.state, whole.value) == ("good", "SHA-256 ba7816bf8f01…, as recorded")  # FIPS 180-2, "abc"
    (folder / WEIGHTS).write_bytes(b"abd, a damaged file")
    damaged = found(doctor.examine(ports={}), BASE)
    assert damaged.state == "fault"
    assert "SHA-256 is" in str(damaged.value)
    assert damaged.advice == f"delete {folder} and run: ecosim models fetch {BASE}"


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path):
    good = found(doctor.examine(ports={}, results=tmp_path / "deep" / "results"), "results go to")
    assert (good.state, list(tmp_path.glob("deep"))) == ("good", [])
    if Path("/proc/self").is_dir():  # where nobody writes, root included
        bad = found(doctor.examine(ports={}, results=Path("/proc/results")), "results go to")
        assert (bad.state, "--out" in bad.advice) == ("fault", True)


# ---- Ray ------------------------------------------------------------------------------------------------------------


def test_nothing_of_ray_here_is_good():
    with listening() as port:
        closed = port
    findings = ray({"control": closed, "dashboard": closed})
    assert {finding.name for finding in findings} == {"RAY_AUTH_MODE", "token", "runs here"}
    assert {finding.state for finding in findings if finding.name != "runs here"} == {"good"}


def test_a_port_that_is_taken_is_told_with_who_reaches_it():
    with listening() as here:
        told = found(ray({"control": here}), "control")
        assert told.value in (f"port {here}, on this machine only", f"port {here}, interfaces unknown")
        assert told.state == "good"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell everybody who listens where")
def test_a_port_on_every_interface_is_a_note():
    with listening("0.0.0.0") as everywhere:
        told = found(ray({"client": everywhere}), "client")
    assert (told.value, told.state) == (f"port {everywhere}, on every interface", "note")


@pytest.mark.parametrize(
    ("status", "body", "says", "state"),
    [
        (200, '{"version": "4", "ray_version": "2.60.0"}', "open to anybody without a token", "fault"),
        (401, "Unauthorized: Missing authentication token", "asks for a token", "good"),
        (200, "<html>another program</html>", "port {port} is taken by something else", "note"),
        (404, "{}", "port {port} is taken by something else", "note"),
    ],
)
def test_a_dashboard_is_asked_without_a_token(status, body, says, state):
    with answering(status, body) as port:
        told = [finding for finding in ray({"dashboard": port}) if finding.name == "dashboard"][-1]
    assert (told.value, told.state) == (says.format(port=port), state)


def test_a_program_that_accepts_and_says_nothing_does_not_hold_the_doctor_up(monkeypatch):
    monkeypatch.setattr(health, "_PATIENCE_S", 0.05)
    with listening() as port:
        assert health.dashboard(port) == "not Ray"


def test_an_address_in_the_environment_is_told_and_not_followed(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    told = found(ray(), "RAY_ADDRESS")
    assert (told.state, told.advice) == ("note", "ecosim ignores it: name a cluster with --ray-address")


@pytest.mark.parametrize(
    ("mode", "states"),
    [
        (None, ("good", "good")),
        ("token", ("good", "fault")),
        ("disabled", ("note", "good")),
        ("tokens", ("fault", "good")),
    ],
)
def test_the_mode_without_a_token(mode, states, monkeypatch):
    if mode:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    findings = ray()
    assert (found(findings, "RAY_AUTH_MODE").state, found(findings, "token").state) == states


def test_a_token_is_found_where_ray_finds_it_and_never_shown(monkeypatch, tmp_path):
    """Ray's order: the variable, then the file that is named, then the file in the home folder."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    home, named = tmp_path / "home" / ".ray" / "auth_token", tmp_path / "named"
    for file in (home, named):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SECRET)
        file.chmod(0o600)
    for name, value, place in (
        (None, None, str(home)),
        ("RAY_AUTH_TOKEN_PATH", str(named), str(named)),
        ("RAY_AUTH_TOKEN", SECRET, "$RAY_AUTH_TOKEN"),
    ):
        if name:
            monkeypatch.setenv(name, value)
        findings = ray()
        assert (found(findings, "token").value, found(findings, "token").state) == (place, "good")
        assert SECRET not in doctor.as_text(findings) + repr(health.token())


def test_a_token_that_is_not_there_or_for_all_to_read_is_told(monkeypatch, tmp_path):
    file = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    assert found(ray(), "token").advice.startswith("there is no such file; make one")
    file.write_text("\n")
    assert found(ray(), "token").advice.startswith("the file is empty; make one")
    file.write_text(SECRET)
    file.chmod(0o644)
    open_to_all = found(ray(), "token")
    assert (open_to_all.state, f"chmod 600 {file}" in open_to_all.advice) == ("note", True)
