"""One call of the code under test: sync or async, and unable to take the process with it."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class ProcessExitError(BaseException):
    """The code under test tried to end the process."""


class _Guard:
    """Stands in for the ways to end the process for as long as somebody needs it: calls of several actors overlap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._kept: dict[str, Callable[..., object]] = {}

    def take(self) -> None:
        """Put the guard up unless it is."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._kept = {name: getattr(os, name) for name in ("_exit", "abort")}
                for name, function in self._kept.items():
                    setattr(os, name, _refusing(name, function))

    def leave(self) -> None:
        """Take it down if nobody else needs it."""
        with self._lock:
            self._users -= 1
            if not self._users:
                for name, function in self._kept.items():
                    setattr(os, name, function)


_GUARD = _Guard()


def _refusing(name: str, real: Callable[..., object]) -> Callable[..., object]:
    here = os.getpid()

    def refuse(*arguments: object) -> object:
        if os.getpid() != here:  # a child it forked ends as it likes
            return real(*arguments)
        raise ProcessExitError(f"it ended the process with os.{name}{arguments!r}")

    return refuse


@contextmanager
def process_kept() -> Iterator[None]:
    """Turn ``os._exit`` and ``os.abort`` into ProcessExitError for as long as the context lasts, in any thread."""
    _GUARD.take()
    try:
        yield
    finally:
        _GUARD.leave()


class Invoker:
    """Calls methods for one actor; coroutines run on one event loop of its own, made when the first one comes."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def __call__(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - any method
        """Return what ``function`` returns, awaited if need be."""
        with process_kept():
            try:
                return self.plainly(function, *arguments, **keywords)
            except SystemExit as error:
                raise ProcessExitError(f"it raised SystemExit({error.code!r})") from error

    def plainly(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - any method
        """Return the same with no guard around it, for calls that are timed."""
        result = function(*arguments, **keywords)
        if inspect.isawaitable(result):
            self._runner = self._runner or asyncio.Runner()
            result = self._runner.run(_awaited(result))
        return result

    def close(self) -> None:
        """Close the event loop if one was made."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None


async def _awaited(result: Any) -> Any:  # noqa: ANN401 - any awaitable
    return await result
