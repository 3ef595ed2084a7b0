"""What this Python, its SQLite and this session let the instruments do."""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

from pytest_taskq.doctor.sign import Sign, State

if TYPE_CHECKING:
    from collections.abc import Iterator

_CORES = 2


def machine_signs() -> Iterator[Sign]:
    """Yield what holds for every adapter here."""
    yield Sign.ok("python", f"{platform.python_implementation()} {platform.python_version()}, {sys.platform}")
    yield _sqlite()
    yield _clock()
    yield _kill()
    yield _cores()
    yield _tracing()
    yield from _plugins()


def _sqlite() -> Sign:
    from pytest_taskq.sqlite.library import find_library

    library, why = find_library()
    if library is not None:
        return Sign.ok("sqlite", f"{sqlite3.sqlite_version}, its library can be hooked")
    found = f"{sqlite3.sqlite_version}, its library cannot be hooked: {why}"
    cure = (
        "schedules are explored with statements that are tried again, and power cuts cannot be simulated (DUR-01 is "
        "unsupported); a Python that links SQLite dynamically, such as a distribution's or pyenv's, offers both"
    )
    return Sign("sqlite", State.NOTE, found, cure)


def _clock() -> Sign:
    from pytest_taskq.clock import ClockUnavailableError, VirtualClock

    try:
        with VirtualClock() as clock:
            return Sign.ok("clock", clock.describe())
    except ClockUnavailableError as error:
        return Sign("clock", State.WRONG, str(error), "leave no other tool that replaces time.time active, then again")


def _kill() -> Sign:
    if hasattr(signal, "SIGKILL"):
        return Sign.ok("processes", "SIGKILL is there: crashes and histories use real deaths")
    cure = "run the suite on Linux or macOS in CI as well, where crashes are confirmed by real kills"
    return Sign("processes", State.NOTE, "this platform has no SIGKILL, so no crash is confirmed by one", cure)


def _cores() -> Sign:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores >= _CORES:
        return Sign.ok("cores", f"{cores}")
    cure = "histories overlap less on one core and may be INCONCLUSIVE; give the job two"
    return Sign("cores", State.NOTE, "one core", cure)


def _tracing() -> Sign:
    tools = [name for name in map(_monitoring_tool, range(6)) if name]
    if sys.gettrace() is None and not tools:
        return Sign.ok("tracing", "no debugger or coverage measures this process")
    what = ", ".join(tools) or "a trace function"
    cure = "timed requirements are INCONCLUSIVE under it; measure latencies in a run without"
    return Sign("tracing", State.NOTE, f"{what} is active", cure)


def _monitoring_tool(number: int) -> str | None:
    monitoring = getattr(sys, "monitoring", None)
    found: str | None = monitoring.get_tool(number) if monitoring is not None else None
    return found


def _plugins() -> Iterator[Sign]:
    for module, use in (("xdist", "runs the suite on all cores"), ("pytest_benchmark", "keeps latencies to compare")):
        if importlib.util.find_spec(module) is None:
            yield Sign("plugins", State.NOTE, f"{module} is not installed", f"it {use}; pip install pytest-taskq again")
