"""What a server answered, kept so that a run can be had again without it: a file of one line a reply.

A server elsewhere promises nothing: its batches, its version, its very existence change. So law 1 holds for what it
said, not for what it would say: a reply is looked up by the SHA-256 of its request before anyone is asked, and two
equal requests are one, also while the first is still on its way. The key leaves out where the server stands (who moves
the server, or loses it, replays) and has the mind's name, since two servers may call two models the same.

The file is append-only, a JSON object a line: `key`, `reply`, and the tokens that the server billed. A line that a
kill tore is dropped when the next one is written. Requests are not kept (a run's `answers` hold every prompt), nor is
anything secret. One process writes a file at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from ecosim.errors import RunError

_VERSION = "ecosim chat 1"
"""Part of every key; goes up when the meaning of a request changes."""


@dataclass(frozen=True, slots=True)
class Request:
    """All that a reply may depend on.

    Attributes:
        mind: its name; minds may share a file.
        model: as the server calls it.
        messages: pairs of role (system, user) and text.
        options: the words offered; empty where a text is asked for.
        max_tokens: of the reply.
    """

    mind: str
    model: str
    messages: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    temperature: float
    seed: int
    max_tokens: int

    @property
    def key(self) -> str:
        """SHA-256 of the canonical request."""
        return hashlib.sha256(json.dumps([_VERSION, asdict(self)], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, verbatim, and the tokens that the server billed (0 where it does not say)."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Recordings:
    """Replies by request; any number of threads may ask.

    Args:
        path: the file; None keeps them in memory. It is made, with its folder, when the first reply comes.

    Raises:
        RunError: the file cannot be read, or a line before its last is not a recorded reply.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = Lock()
        self._under_way: dict[str, Future[Reply]] = {}
        self._is_dirty = False
        self._replies, self._good_bytes = _read(path) if path is not None else ({}, 0)
        self._is_torn = path is not None and path.exists() and path.stat().st_size > self._good_bytes

    def __len__(self) -> int:
        return len(self._replies)

    def reply(self, request: Request, ask: Callable[[Request], Reply]) -> tuple[Reply, bool]:
        """The reply to a request, and whether it was there already; asks, and keeps what comes, where it was not.

        Raises:
            RunError: the file cannot be written.
        """
        key = request.key
        with self._lock:
            if key in self._replies:
                return self._replies[key], True
            is_mine = key not in self._under_way
            coming = self._under_way.setdefault(key, Future())
        if not is_mine:
            return coming.result(), True
        try:
            reply = ask(request)
            with self._lock:
                self._append(key, reply)
                self._replies[key] = reply
        except BaseException as error:
            coming.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[key]
        coming.set_result(reply)
        return reply, False

    def close(self) -> None:
        """From now on replies stay in memory, and the file is as it is."""
        with self._lock:
            self.path = None

    def sync(self) -> None:
        """Have the system put on disk what was appended since the last call."""
        with self._lock:
            if self.path is not None and self._is_dirty:
                with self.path.open("ab") as file:
                    os.fsync(file.fileno())
                self._is_dirty = False

    def _append(self, key: str, reply: Reply) -> None:
        if self.path is None:
            return
        line = json.dumps({"key": key, "reply": reply.text, **_tokens(reply)}).encode() + b"\n"
        try:
            if self._is_torn:
                os.truncate(self.path, self._good_bytes)
                self._is_torn = False
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                self._is_torn = file.write(line) < len(line)
        except OSError as error:
            self._is_torn = True
            raise RunError(f"{self.path}: cannot be written: {error.strerror}; free space, or name another") from error
        if self._is_torn:
            raise RunError(f"{self.path}: a line was written in part; free space, or name another file")
        self._good_bytes += len(line)
        self._is_dirty = True


def _tokens(reply: Reply) -> dict[str, int]:
    return {"prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.completion_tokens}


def _read(path: Path) -> tuple[dict[str, Reply], int]:
    """The replies in a file, and how many bytes of it are whole lines."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}, 0
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    lines = data.split(b"\n")[:-1]
    replies: dict[str, Reply] = {}
    for number, line in enumerate(lines, start=1):
        key, reply = _parse(line, f"{path}:{number}")
        replies.setdefault(key, reply)
    return replies, sum(len(line) + 1 for line in lines)


def _parse(line: bytes, place: str) -> tuple[str, Reply]:
    try:
        data: Any = json.loads(line)
        key, text = data["key"], data["reply"]
        counts = int(data["prompt_tokens"]), int(data["completion_tokens"])
    except (ValueError, LookupError, TypeError) as error:
        raise RunError(f"{place}: not a recorded reply; remove this line, and it is asked again") from error
    return str(key), Reply(str(text), *counts)
