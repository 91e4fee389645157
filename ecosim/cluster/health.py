"""What of Ray can be seen from outside on this machine: token, ports, processes, an open dashboard.

Nothing here starts Ray, joins a cluster or imports ray (which alone takes a second): the token is looked for where Ray
looks for it, the rest is asked of the machine. A token's text never leaves this module.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import psutil

PORTS: Mapping[str, int] = MappingProxyType({"control": 6379, "dashboard": 8265, "client": 10001})
"""Where a Ray head listens by default; all three let who reaches them run code unless a token is asked for."""

_HERE = "127.0.0.1"
_EVERYWHERE = frozenset({"0.0.0.0", "::"})
_PATIENCE_S = 1.0
"""How long a port of this machine may take to answer."""
_PROGRAMS = frozenset({"gcs_server", "raylet"})
_NUM_BYTES_READ = 4096

Dashboard = Literal["open", "guarded", "not Ray", "none"]


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of Ray's on which something listens.

    Attributes:
        role: what Ray uses the port for.
        is_everywhere: reachable through every interface of the machine, not only from itself; None where the system
            does not tell.
    """

    role: str
    port: int
    is_everywhere: bool | None


@dataclass(frozen=True, slots=True)
class Token:
    """Where Ray would find its token.

    Attributes:
        mode: `RAY_AUTH_MODE` in small letters, empty where it is not set.
        place: "$RAY_AUTH_TOKEN" or a file; empty where there is none.
        fault: why the place that Ray would take gives no token; empty where it gives one, or there is no place.
        is_private: nobody else on this machine may read it.
    """

    mode: str
    place: str
    fault: str = ""
    is_private: bool = True


def token(environment: Mapping[str, str] | None = None, home: Path | None = None) -> Token:
    """Where Ray looks for its token, in Ray's order: the variable, the file that is named, the file in the home folder.

    Source: https://docs.ray.io/en/latest/ray-security/token-auth.html
    """
    environment = os.environ if environment is None else environment
    mode = environment.get("RAY_AUTH_MODE", "").lower()
    if environment.get("RAY_AUTH_TOKEN"):
        return Token(mode, "$RAY_AUTH_TOKEN")
    named = environment.get("RAY_AUTH_TOKEN_PATH")
    try:
        file = Path(named).expanduser() if named else (home or Path.home()) / ".ray" / "auth_token"
    except RuntimeError:  # an account without a home folder, as in some containers
        return Token(mode, named or "", "there is no home folder" if named else "")
    try:
        text, rights = file.read_bytes(), file.stat().st_mode
    except FileNotFoundError:
        return Token(mode, named or "", "there is no such file" if named else "")
    except OSError as error:
        return Token(mode, str(file), error.strerror or type(error).__name__)
    return Token(mode, str(file), "" if text.strip() else "the file is empty", os.name != "posix" or not rights & 0o077)


def listeners(ports: Mapping[str, int] = PORTS) -> list[Listener]:
    """Those of the ports on which something listens, as this machine itself can reach them."""
    taken = [(role, port) for role, port in ports.items() if _answers(port)]
    bound = _bound() if taken else None
    return [
        Listener(role, port, None if bound is None else bool(bound.get(port, set()) & _EVERYWHERE))
        for role, port in taken
    ]


def processes() -> list[str]:
    """Ray's own processes on this machine, as "raylet (pid 12)"."""
    found = [process.info for process in psutil.process_iter(["name", "pid"])]
    return sorted(f"{info['name']} (pid {info['pid']})" for info in found if info["name"] in _PROGRAMS)


def dashboard(port: int = PORTS["dashboard"]) -> Dashboard:
    """Whether the dashboard of this machine answers somebody without a token, and so runs the code of anybody."""
    connection = http.client.HTTPConnection(_HERE, port, timeout=_PATIENCE_S)  # no proxy comes between
    try:
        connection.request("GET", "/api/version")
        reply = connection.getresponse()
        status, text = reply.status, reply.read(_NUM_BYTES_READ)
    except ConnectionRefusedError:
        return "none"
    except (OSError, http.client.HTTPException):
        return "not Ray"
    finally:
        connection.close()
    if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        return "guarded"
    return "open" if status == http.HTTPStatus.OK and _tells_version(text) else "not Ray"


def _tells_version(text: bytes) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and "ray_version" in found


def _answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE_S)
        return probe.connect_ex((_HERE, port)) == 0


def _bound() -> dict[int, set[str]] | None:
    """The addresses on which each port listens; None where the system does not tell everybody (macOS)."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    found: dict[int, set[str]] = {}
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN:
            found.setdefault(connection.laddr.port, set()).add(connection.laddr.ip)
    return found
