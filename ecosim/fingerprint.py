"""What a function is, as a hash that any process finds: its code and what it holds, not the file that it stood in.

A source file may be missing on a host, or live in a notebook only; code objects travel with the function. So the hash
is of byte code, constants, names, defaults, and of what closures, partials and callable objects hold: numbers, texts,
arrays, containers of these, and other functions. Of anything else the type's name is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

_DEEPEST = 20


def fingerprint(function: Callable[..., Any]) -> str:
    """Sixteen hexadecimal digits."""
    hashed = hashlib.sha256()
    for piece in _pieces(function, 0):
        hashed.update(len(piece).to_bytes(8, "little") + piece)
    return hashed.hexdigest()[:16]


def _pieces(thing: Any, depth: int) -> Iterator[bytes]:
    """The thing as bytes, part by part; of what lies too deep (or refers to itself) only the type."""
    yield type(thing).__qualname__.encode()
    if depth > _DEEPEST:
        return
    for part in _parts(thing):
        if isinstance(part, bytes):
            yield part
        else:
            yield from _pieces(part, depth + 1)


def _parts(thing: Any) -> list[Any]:
    if thing is None or isinstance(thing, bool | int | float | complex | str):
        return [repr(thing).encode()]
    if isinstance(thing, bytes):
        return [thing]
    if isinstance(thing, np.ndarray) and thing.dtype != object:
        return [str((thing.dtype, thing.shape)).encode(), thing.tobytes()]
    if isinstance(thing, tuple | list | np.ndarray):
        return list(thing)
    if isinstance(thing, Mapping):
        return [part for key, value in thing.items() for part in (str(key), value)]
    if isinstance(thing, set | frozenset):
        return sorted(map(repr, thing))
    if isinstance(thing, CodeType):
        return [thing.co_code, list(thing.co_consts), list(thing.co_names), list(thing.co_varnames)]
    if isinstance(thing, FunctionType):
        held = [_held(cell) for cell in thing.__closure__ or ()]
        return [thing.__code__, thing.__defaults__, thing.__kwdefaults__, held]
    if isinstance(thing, MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, partial):
        return [thing.func, thing.args, thing.keywords]
    call = vars(type(thing)).get("__call__")
    return [*([call] if isinstance(call, FunctionType) else []), dict(getattr(thing, "__dict__", {}))]


def _held(cell: Any) -> object:
    """What a closure's cell holds; None for a name that is bound only later."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
