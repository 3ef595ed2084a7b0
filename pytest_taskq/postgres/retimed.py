"""Tasks as the kit sees them and as the code is given them back: equal but for their times."""

from __future__ import annotations

import copy
from dataclasses import is_dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract.task import COLUMNS
from pytest_taskq.postgres.frame import microseconds, moment_at

if TYPE_CHECKING:
    from collections.abc import Callable

    Retime = Callable[[int], int]

_TIMES = tuple(name for name in COLUMNS if name.endswith("_utc"))


def retimed(value: Any, retime: Retime, *, cut: bool = False) -> Any:  # noqa: ANN401 - what the code returns
    """Return a task, or each of a list, with its times moved; anything else as it is.

    ``cut``: a time without a fraction of a second was cut off, and says nothing in the other frame: it becomes None.
    """
    if isinstance(value, list | tuple):
        return type(value)(retimed(one, retime, cut=cut) for one in value) if type(value) in (list, tuple) else value
    if not hasattr(value, "get_payload_dict"):
        return value
    found = {name: getattr(value, name, None) for name in _TIMES}
    changed = {name: _moved(time, retime, cut=cut) for name, time in found.items() if time is not None}
    return _with(value, changed) if changed else value


def has_tasks(value: Any) -> bool:  # noqa: ANN401 - what the code returns
    """Whether there are tasks in what a call returned."""
    return any(map(has_tasks, value)) if isinstance(value, list | tuple) else hasattr(value, "get_payload_dict")


def _with(task: Any, times: dict[str, Any]) -> Any:  # noqa: ANN401 - any class of task
    if is_dataclass(task):
        return replace(task, **times)  # type: ignore[type-var]  # an instance
    other = copy.copy(task)
    for name, time in times.items():
        setattr(other, name, time)
    return other


def _moved(time: object, retime: Retime, *, cut: bool) -> object:
    """Return a time of the same kind; what is no time, or none that can be shown, as it is."""
    try:
        given = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
        if cut and not given.microsecond:
            return None
        moved = moment_at(retime(microseconds(given)))
    except (ValueError, OverflowError, IndexError):
        return time
    moved = moved.astimezone(given.tzinfo) if given.tzinfo else moved.replace(tzinfo=None)
    return moved if isinstance(time, datetime) else moved.isoformat(str(time)[10])
