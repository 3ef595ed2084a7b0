"""Python's ``time`` and ``datetime`` read the clock in force; monotonic clocks and ``sleep`` stay real.

Functions of ``time`` are replaced by name (see `rebinding`). ``datetime`` is a static type that refuses assignment,
so its methods are replaced in the dictionary behind it: the class stays the same object, and ``isinstance``,
subclasses, pickles and ``from datetime import datetime`` work as before.
"""

from __future__ import annotations

import gc
import sys
import time
import warnings
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from time import struct_time
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_taskq.clock.in_force import IN_FORCE
from pytest_taskq.rebinding import Rebinding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_time, _time_ns, _gmtime, _localtime = time.time, time.time_ns, time.gmtime, time.localtime
_ctime, _asctime, _strftime = time.ctime, time.asctime, time.strftime
_now, _utcnow, _today = datetime.__dict__["now"], datetime.__dict__["utcnow"], date.__dict__["today"]
_fromtimestamp = datetime.__dict__["fromtimestamp"]
_REAL_BOUND = (datetime.now, datetime.utcnow, datetime.today, date.today)


class WallClock:
    """Stand-ins for functions of ``time``.

    They are methods because a bound method, like a builtin and unlike a function, can be a class attribute without
    swallowing the instance as its first argument.
    """

    def time(self) -> float:
        """Stand in for ``time.time``."""
        now = IN_FORCE.milliseconds()
        return _time() if now is None else now / 1000

    def time_ns(self) -> int:
        """Stand in for ``time.time_ns``."""
        now = IN_FORCE.milliseconds()
        return _time_ns() if now is None else now * 1_000_000

    def gmtime(self, *seconds: float | None) -> struct_time:
        """Stand in for ``time.gmtime``."""
        return _gmtime(*_unless_given(seconds))

    def localtime(self, *seconds: float | None) -> struct_time:
        """Stand in for ``time.localtime``."""
        return _localtime(*_unless_given(seconds))

    def ctime(self, *seconds: float | None) -> str:
        """Stand in for ``time.ctime``."""
        return _ctime(*_unless_given(seconds))

    def asctime(self, *moment: Any) -> str:  # noqa: ANN401 - the real function refuses what is no time tuple
        """Stand in for ``time.asctime``."""
        return _asctime(*(moment or (self.localtime(),)))

    def strftime(self, *format_and_moment: Any) -> str:  # noqa: ANN401 - the same
        """Stand in for ``time.strftime``."""
        moment_missing = len(format_and_moment) == 1
        return _strftime(*format_and_moment, *([self.localtime()] if moment_missing else []))


def _unless_given(seconds: tuple[float | None, ...]) -> tuple[float | None, ...]:
    now = IN_FORCE.milliseconds()
    return seconds if now is None or seconds not in ((), (None,)) else (now // 1000,)


def _virtual_now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
    now = IN_FORCE.milliseconds()
    return _now.__get__(None, cls)(tz) if now is None else _moment(cls, now, tz)


def _virtual_utcnow(cls: type[datetime]) -> datetime:
    now = IN_FORCE.milliseconds()
    if now is None:
        return _utcnow.__get__(None, cls)()  # type: ignore[no-any-return]
    if sys.version_info >= (3, 12):
        text = "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
    return datetime.replace(_moment(cls, now, UTC), tzinfo=None)


def _virtual_today(cls: type[date]) -> date:
    now = IN_FORCE.milliseconds()
    return _today.__get__(None, cls)() if now is None else cls.fromtimestamp(now / 1000)


def _moment(cls: type[datetime], milliseconds: int, tz: tzinfo | None) -> datetime:
    """Return the moment as ``cls.now`` would; through whole seconds, as a float loses milliseconds in far years."""
    seconds, rest = divmod(milliseconds, 1000)
    moment: datetime = _fromtimestamp.__get__(None, cls)(seconds, tz)
    return datetime.replace(moment, microsecond=rest * 1000) if rest else moment


class TypeMethod(NamedTuple):
    """A class method of a static type and what stands in for it."""

    cls: type[date]
    name: str
    real: object
    stand_in: object


_TYPE_METHODS = (
    TypeMethod(datetime, "now", _now, classmethod(_virtual_now)),
    TypeMethod(datetime, "utcnow", _utcnow, classmethod(_virtual_utcnow)),
    TypeMethod(date, "today", _today, classmethod(_virtual_today)),
)


class StaticTypes:
    """Access to the dictionaries behind ``datetime`` and ``date``."""

    def __init__(self) -> None:
        import ctypes

        # A prototype of its own: argtypes set on ctypes.pythonapi would be seen by everybody.
        prototype = ctypes.PYFUNCTYPE(None, ctypes.py_object)
        self._forget_cached: Callable[[type], None] = prototype(("PyType_Modified", ctypes.pythonapi))
        self._namespaces = {cls: gc.get_referents(cls.__dict__)[0] for cls in (datetime, date)}

    def bind(self, *, virtual: bool) -> None:
        """Bind every stand-in, or every real method."""
        for method in _TYPE_METHODS:
            self._namespaces[method.cls][method.name] = method.stand_in if virtual else method.real
        for cls in self._namespaces:
            self._forget_cached(cls)

    def bound(self) -> tuple[Callable[..., object], ...]:
        """Return the methods as a module keeps them that took them while the stand-ins were bound."""
        return datetime.now, datetime.utcnow, datetime.today, date.today


@cache
def _static_types() -> StaticTypes | None:
    """Return access to the static types after trying it out, or None on an interpreter that has no such access."""
    try:
        types = StaticTypes()
        types.bind(virtual=True)
        replaced = getattr(datetime.now, "__func__", None) is _virtual_now
        types.bind(virtual=False)
    except (ImportError, AttributeError, IndexError, TypeError, ValueError):
        return None
    return types if replaced else None


@cache
def _names() -> Rebinding:
    wall = WallClock()
    stand_ins: dict[Callable[..., object], Callable[..., object]] = {
        _time: wall.time,
        _time_ns: wall.time_ns,
        _gmtime: wall.gmtime,
        _localtime: wall.localtime,
        _ctime: wall.ctime,
        _asctime: wall.asctime,
        _strftime: wall.strftime,
    }
    types = _static_types()
    if types is not None:
        types.bind(virtual=True)
        stand_ins |= dict(zip(_REAL_BOUND, types.bound(), strict=True))
        types.bind(virtual=False)
    return Rebinding(stand_ins, homes=frozenset({"time"}))


@contextmanager
def virtual_python_time() -> Iterator[None]:
    """Let Python's wall clock read the clock in force."""
    names, types = _names(), _static_types()
    try:
        names.install()
        if types is not None:
            types.bind(virtual=True)
        yield
    finally:
        if types is not None:
            types.bind(virtual=False)
        names.restore()


def describe() -> str:
    """Say how much of Python's time is virtual."""
    if _static_types() is None:
        return "Python's time (datetime.now and utcnow stay real: this interpreter does not let them be replaced)"
    return "Python's time and datetime"
