"""What has to be so before a duration means anything, and how long a call was ready and had no processor."""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICKS = 50
_COARSE = 0.01  # of the target
_TOOLS = 6  # that sys.monitoring has room for


def disturbance(target: float) -> str:
    """Return why nothing can be timed in this thread now, "" if it can."""
    watcher = _watcher()
    if watcher:
        return f"{watcher} is active, and every line of Python costs many times as much with it"
    tick = clock_tick()
    if tick > target * _COARSE:
        return f"the clock is too coarse: it moves by {tick * 1000:.3g} ms, and the target is {target * 1000:g} ms"
    return ""


def _watcher() -> str:
    """Return what looks at each line or call of Python code here, "" if nothing does."""
    hooks = {
        "a trace function (coverage or a debugger)": (sys.gettrace(), threading.gettrace()),
        "a profiler": (sys.getprofile(), threading.getprofile()),
    }
    found = next((name for name, set_here in hooks.items() if any(set_here)), "")
    return found or _monitoring()


def _monitoring() -> str:
    monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12
    tools = [monitoring.get_tool(number) for number in range(_TOOLS)] if monitoring else []
    return next((f"the tool {tool!r} of sys.monitoring" for tool in tools if tool), "")


def clock_tick() -> float:
    """Return the smallest step that the clock was seen to make, in seconds."""
    steps = []
    for _ in range(_TICKS):
        began = now = perf_counter()
        while now == began:
            now = perf_counter()
        steps.append(now - began)
    return min(steps)


@contextmanager
def collector_off() -> Iterator[None]:
    """Collect garbage now and not before the context ends: whose it is that a call happens to pay for is chance."""
    was_on = gc.isenabled()
    gc.collect(0)
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Waiting:
    """How long threads of this process were ready to run and had no processor, as Linux counts it; else always 0.

    The calling thread and those that it had when this was made: an adapter may have threads of its own that do its
    work. https://docs.kernel.org/scheduler/sched-stats.html
    """

    def __init__(self) -> None:
        self._files = [file for file in map(_opened, _threads()) if file is not None]

    @property
    def is_known(self) -> bool:
        """Whether the system tells."""
        return bool(self._files)

    def seconds(self) -> float:
        """Return the seconds that all of them have waited so far."""
        return sum(int(_fields(file)[1]) for file in self._files) / 1e9

    def close(self) -> None:
        """Close what it reads."""
        while self._files:
            os.close(self._files.pop())


def _threads() -> list[str]:
    try:
        return [f"{thread}/schedstat" for thread in Path("/proc/self/task").iterdir()]
    except OSError:
        return []


def _opened(path: str) -> int | None:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    if len(_fields(file)) > 1:
        return file
    os.close(file)
    return None


def _fields(file: int) -> list[bytes]:
    try:
        return os.pread(file, 64, 0).split() or [b"0", b"0"]
    except OSError:  # the thread ended
        return [b"0", b"0"]


def environment(backend: str, floor: str, waiting: Waiting) -> dict[str, Any]:
    """Return where it was timed, for JSON."""
    return {
        "backend": backend,
        "floor": floor,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "tick": clock_tick(),
        "waiting_known": waiting.is_known,
    }
