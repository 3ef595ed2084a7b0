"""A recorded history as a file: JSON Lines, the first line says what follows, each other line is one call.

    {"taskq_history": 2, "checks": ["fifo"], "precision": 1000000000, ...}
    {"kind": "enqueue", "call": 10, "returned": 25, "actor": "w0", "task": "w0-1", "row": 1}

Fields that have their default are left out. A line without ``returned`` is a call whose caller died.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeGuard

from pytest_taskq.checkers import Redelivery
from pytest_taskq.checkers.by_name import Ways
from pytest_taskq.history import Death, Kind, Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytest_taskq.contract import TaskId

VERSION = 2
_READ = (1, 2)  # version 1 said nothing of deaths


class HistoryFileError(ValueError):
    """A file is no history that this version reads; the text says which line and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedHistory:
    """Operations with what is known about them.

    ``checks`` names what judges them (``pytest_taskq.checkers.by_name``); ``left`` are the tasks that the queue held at
    the end, by name with their status, None if nobody looked; ``precision`` is the resolution of the queue's clock in
    nanoseconds; ``source`` says where the history comes from; ``deaths`` are the processes that were killed.
    """

    operations: tuple[Operation, ...]
    checks: tuple[str, ...] = ()
    left: Mapping[TaskId, str] | None = None
    precision: int = 0
    skip_locked: bool = False
    descending: bool = False
    requeues: bool = True
    claims_reclaim: bool = True
    source: str = ""
    deaths: tuple[Death, ...] = ()


_HEADER = [one.name for one in fields(RecordedHistory) if one.name != "operations"]


def write_history(path: Path, history: RecordedHistory) -> None:
    """Write the file anew."""
    header = {"taskq_history": VERSION, **{name: getattr(history, name) for name in _HEADER}}
    if history.left is not None:
        header["left"] = [*map(list, history.left.items())]  # pairs: JSON has no keys but text
    header["deaths"] = [[one.actor, one.moment] for one in history.deaths]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(one)}\n" for one in (header, *map(as_plain, history.operations)))


def read_history(path: Path) -> RecordedHistory:
    """Read the file. Raises HistoryFileError if it is none, OSError if it cannot be read."""
    with path.open(encoding="utf-8") as file:
        lines = _objects(path, file)
        _, first = next(lines, (0, {}))
        header = _header_of(path, first)
        operations = tuple(_operation(path, number, plain) for number, plain in lines)
    return RecordedHistory(operations=operations, **header)


def _header_of(path: Path, first: dict[str, Any]) -> dict[str, Any]:
    """Return what the first line says, checked."""
    if first.pop("taskq_history", None) not in _READ:
        raise HistoryFileError(
            f'{path} does not begin with a line {{"taskq_history": {VERSION}, …}}: it is no history of this version, '
            f"which reads {' and '.join(map(str, _READ))}"
        )
    for name, value in first.items():
        kind = _HEADER_VALUES.get(name)
        if kind is None:
            raise HistoryFileError(f"{path}: the first line has {name}; known are {', '.join(_HEADER_VALUES)}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise HistoryFileError(f"{path}: the first line has {name} = {value!r:.80}, which has no meaning there")
    left = first.get("left")
    try:
        named = None if left is None else dict(left)
    except (TypeError, ValueError) as error:
        raise HistoryFileError(
            f"{path}: the first line has left = {left!r:.80}, not pairs of task and status"
        ) from error
    deaths = tuple(_death(path, one) for one in first.get("deaths", ()))
    return {**first, "checks": tuple(first.get("checks", ())), "left": named, "deaths": deaths}


def _death(path: Path, plain: object) -> Death:
    match plain:
        case [str(actor), int(moment)] if not isinstance(moment, bool):
            return Death(actor=actor, moment=moment)
    raise HistoryFileError(f"{path}: the first line has the death {plain!r:.80}, not a pair of process and moment")


_HEADER_VALUES: dict[str, Any] = {
    "checks": list,
    "deaths": list,
    "left": list | None,
    "precision": int,
    **dict.fromkeys(("skip_locked", "descending", "requeues", "claims_reclaim"), bool),
    "source": str,
}


def ways_of(history: RecordedHistory) -> Ways:
    """Return what the file says of the queue. Tasks come back if there are leases, failures or reclaims in it."""
    comes_back = any(one.lease or one.kind in (Kind.FAIL, Kind.RECLAIM) for one in history.operations)
    redelivery = Redelivery(
        precision=history.precision, requeues=history.requeues, claims_reclaim=history.claims_reclaim
    )
    return Ways(
        redelivery=redelivery if comes_back else None,
        precision=history.precision,
        skip_locked=history.skip_locked,
        descending=history.descending,
        left=history.left,
    )


def as_plain(one: Operation) -> dict[str, Any]:
    """Return the fields of an operation that differ from their defaults."""
    values = ((name, getattr(one, name)) for name in _DEFAULTS)
    return {name: value for name, value in values if name in _ALWAYS or value != _DEFAULTS[name]}


def from_plain(plain: Mapping[str, Any]) -> Operation:
    """Return the operation that ``as_plain`` made ``plain`` of. Raises ValueError for what is none."""
    unknown = set(plain) - set(_DEFAULTS)
    missing = _ALWAYS - set(plain)
    if unknown or missing:
        raise ValueError(
            f"unknown fields {sorted(unknown)}, missing fields {sorted(missing)}; known are {', '.join(_DEFAULTS)}"
        )
    for name, value in plain.items():
        if not _fits(name, value):
            raise ValueError(f"{name} is {value!r:.80}, which is no {_KINDS_OF_VALUE[name][1]}")
    return Operation(**{**plain, "kind": Kind(plain["kind"])})


_ALWAYS = {"kind", "call"}
_DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(Operation)}
_KINDS_OF_VALUE: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("kind", "actor", "error"), ((str,), "text")),
    **dict.fromkeys(("call", "priority", "delay", "lease"), ((int,), "integer")),
    **dict.fromkeys(("returned", "attempt"), ((int, type(None)), "integer or null")),
    **dict.fromkeys(("task", "row"), ((int, str, type(None)), "integer, text or null")),
    "key": ((str, type(None)), "text or null"),
    "result": ((bool, int, Mapping, type(None)), "result of a call"),
}


def _fits(name: str, value: object) -> bool:
    return isinstance(value, _KINDS_OF_VALUE[name][0]) and (name == "result" or not isinstance(value, bool))


def _objects(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            plain = json.loads(line)
        except ValueError as error:
            raise HistoryFileError(f"{path}, line {number}: no JSON ({error})") from error
        if not _is_object(plain):
            raise HistoryFileError(f"{path}, line {number}: {plain!r:.60} is no JSON object")
        yield number, plain


def _is_object(plain: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(plain, dict)


def _operation(path: Path, number: int, plain: dict[str, Any]) -> Operation:
    try:
        return from_plain(plain)
    except ValueError as error:
        raise HistoryFileError(f"{path}, line {number}: {error}") from error
