"""Where code waits, the schedule decides for how long: for a lock inside SQLite, and in Python's ``sleep``.

SQLite waits for a lock by its busy handler, which calls ``xSleep`` of the VFS. That pointer is replaced, so the code's
own timeout keeps its meaning in virtual time, and where SQLite does not wait (deadlock avoidance on a lock upgrade,
``SQLITE_BUSY_SNAPSHOT``) it returns at once, exactly as in production. Only threads of actors are affected.
"""

from __future__ import annotations

import ctypes
import selectors
import time
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from pytest_taskq.rebinding import Rebinding
from pytest_taskq.sqlite.library import find_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.sqlite.library import Callback

MICROSECONDS = 1e-6


class Waiter(Protocol):
    """Whoever decides how long an actor waits; each method is called in the thread that waits."""

    def is_mine(self) -> bool:
        """Whether the running thread belongs to an actor."""
        ...

    def lock_wait(self, seconds: float) -> None:
        """Wait for a lock as SQLite's busy handler would."""
        ...

    def sleep(self, seconds: float) -> None:
        """Sleep as ``time.sleep`` would."""
        ...

    def monotonic(self) -> float:
        """Return virtual seconds."""
        ...


class _InForce:
    waiter: Waiter | None = None

    def mine(self) -> Waiter | None:
        """Return who decides for the running thread, None where real time holds."""
        waiter = self.waiter
        return waiter if waiter is not None and waiter.is_mine() else None


_IN_FORCE = _InForce()
_sleep, _monotonic, _monotonic_ns = time.sleep, time.monotonic, time.monotonic_ns
_perf_counter, _perf_counter_ns = time.perf_counter, time.perf_counter_ns
_asyncio_select = selectors.DefaultSelector.select


class _Python:
    """Stand-ins for functions of ``time``; bound methods, which like builtins can be class attributes."""

    def sleep(self, seconds: float, /) -> None:
        waiter = _IN_FORCE.mine()
        if waiter is None or not seconds > 0:
            _sleep(seconds)
        else:
            waiter.sleep(seconds)

    def monotonic(self) -> float:
        waiter = _IN_FORCE.mine()
        return _monotonic() if waiter is None else waiter.monotonic()

    def monotonic_ns(self) -> int:
        waiter = _IN_FORCE.mine()
        return _monotonic_ns() if waiter is None else round(waiter.monotonic() * 1e9)

    def perf_counter(self) -> float:
        waiter = _IN_FORCE.mine()
        return _perf_counter() if waiter is None else waiter.monotonic()

    def perf_counter_ns(self) -> int:
        waiter = _IN_FORCE.mine()
        return _perf_counter_ns() if waiter is None else round(waiter.monotonic() * 1e9)


def _select(selector: Any, timeout: float | None = None) -> Any:  # noqa: ANN401 - as selectors has it
    """Let an event loop that waits for its next timer sleep virtually; what is ready is seen first."""
    waiter = _IN_FORCE.mine()
    ready = _asyncio_select(selector, timeout if waiter is None or not timeout or timeout < 0 else 0)
    if waiter is None or not timeout or timeout < 0 or ready:
        return ready
    waiter.sleep(timeout)
    return _asyncio_select(selector, 0)


@cache
def _names() -> Rebinding:
    python = _Python()
    stand_ins: dict[Callable[..., object], Callable[..., object]] = {
        _sleep: python.sleep,
        _monotonic: python.monotonic,
        _monotonic_ns: python.monotonic_ns,
        _perf_counter: python.perf_counter,
        _perf_counter_ns: python.perf_counter_ns,
    }
    return Rebinding(stand_ins, homes=frozenset({"time"}))


_SLEEP = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


def _lock_wait(original: int) -> Callback:
    real = _SLEEP(original)

    def sleep(vfs: int, microseconds: int) -> int:
        waiter = _IN_FORCE.mine()
        if waiter is None:
            return int(real(vfs, microseconds))
        waiter.lock_wait(microseconds * MICROSECONDS)
        return microseconds

    return _SLEEP(sleep)


def why_no_busy_handler() -> str:
    """Return why SQLite's waiting is out of reach here, "" if it is not."""
    return find_library()[1]


@contextmanager
def waits_decided_by(waiter: Waiter) -> Iterator[None]:
    """Let ``waiter`` decide how long its actors wait; afterwards every name and pointer is what it was."""
    library, _ = find_library()
    with ExitStack() as stack:
        if _IN_FORCE.waiter is not None:
            raise RuntimeError("somebody decides about waits already; leave that `with` before another")
        _IN_FORCE.waiter = waiter
        stack.callback(setattr, _IN_FORCE, "waiter", None)
        stack.callback(_names().restore)
        _names().install()
        selector: Any = selectors.DefaultSelector
        stack.callback(setattr, selector, "select", _asyncio_select)
        selector.select = _select
        if library is not None:
            stack.enter_context(library.replaced(lambda _: "xSleep", _lock_wait))
        yield
