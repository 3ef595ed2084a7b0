"""Virtual time by moving the rows: before each call of the code their times go to where real time is, and back after.

For code that asks the server's own clock, whatever it calls it (``CURRENT_TIMESTAMP``, ``pg_catalog.now()``), and
Python's beside it. `frame` says why the result is exact although real time goes on during the call.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from time import monotonic, monotonic_ns, sleep  # the real ones, whatever stands in for them
from typing import TYPE_CHECKING, Any, Self

import psycopg

from pytest_taskq.postgres.frame import GRAIN, SECOND, Frame, microseconds
from pytest_taskq.postgres.plain import fingerprint
from pytest_taskq.postgres.raced import Race
from pytest_taskq.postgres.retimed import has_tasks, retimed
from pytest_taskq.postgres.time_columns import COLUMNS, SETTLED, TimeColumns
from pytest_taskq.subject.store import TimedCall
from pytest_taskq.subject.violation import InexactTimeError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.postgres.clock import ShadowClock
    from pytest_taskq.postgres.retimed import Retime

# Nobody works when rows are moved; a lock that is met then is one that was left.
_BEGIN = "BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '1s'"
_END = "COMMIT; SELECT pg_catalog.clock_timestamp()"
_KEPT = "UPDATE taskq_clock SET stands_at = {stands_at}, moved = '0', frame = {frame}"
_OPEN = "SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE application_name = %s AND backend_xid IS NOT NULL"
_CALLERS = 60 * SECOND  # a transaction of the caller's begins before the call that takes part in it
_LONGEST_AGE = 1e9  # seconds; thirty years
_MOST_MOMENTS = 5000
_PATIENCE = 1.0  # seconds for the server to undo what a connection had open that was closed
_PAUSE = 0.005


class ShiftedTime:
    """Moves the rows of one schema; in the kit's frame they are as they are with a clock that stands still.

    Which frame they are in is part of the same transaction that moves them, so that another process can take over.
    """

    def __init__(self, clock: ShadowClock) -> None:
        self._clock = clock
        self._connection = clock.connection
        self._schema = clock.schema
        self._connection.execute("SET timezone = 'UTC'")
        self._connection.execute(SETTLED)
        self._tables: Sequence[TimeColumns] = ()
        self._calling = False
        self._since = 0
        self._entered = (0, 0)
        self._held = self._asks_nothing = False
        self._race: Race | None = None
        self._counts = False
        self.cut: set[str] | None = None  # where it is to be noted to which columns the code writes whole seconds
        self._mark = 0
        self._writes = 0
        self.look_again()

    # --- what a store asks for --------------------------------------------------------------------------------------

    def look_again(self) -> None:
        """Take from the schema in which frame its rows are."""
        found = self._connection.execute("SELECT frame FROM taskq_clock").fetchone()
        self._frame = None if found is None or found[0] is None else _frame_of(found[0])
        self._ended: int | None = None
        self._shows: int | None = None
        self._shown_to_code: int | None = None
        self._calling = False

    def show(self, milliseconds: int) -> None:
        """Bring the rows into the kit's frame and let ``now()`` show it the moment; not while a call is under way."""
        if self._calling or self._held or (self._frame is None and self._shows == milliseconds):
            return
        self._since = self._leave_frame(f"to_timestamp({milliseconds} / 1000.0)")
        self._shows = milliseconds

    def show_real_time(self) -> None:
        """Bring the rows into the kit's frame, and move them no more until a moment is shown."""
        self._leave_frame("NULL")
        self._shows = None

    def call_at(self, clock: VirtualClock, method: str, arguments: tuple[Any, ...]) -> TimedCall:
        """Bring the rows into the code's frame; the kit's own look at them waits until the call is over."""
        if self._race is not None:
            return self._race.call()
        if self._calling:
            return TimedCall()
        if self._held:
            return HeldCall(self, clock)
        older = _seconds(arguments[0]) if method == "delete_finished" and arguments else None
        begun = _CALLERS if method == "enqueue_in" else 0
        return ShiftedCall(self, clock, self._enter_frame(clock.milliseconds, older, begun))

    def written(self) -> int | None:
        """Return how many calls have left other rows than they found, since this was asked for the first time."""
        self._counts = True
        return self._writes

    @contextmanager
    def held(self, milliseconds: int) -> Iterator[None]:
        """Keep the rows in the code's frame of one moment, so that nothing but the code touches them; for counting."""
        self._enter_frame(milliseconds)
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._ended = None

    @contextmanager
    def raced(self, clock: VirtualClock) -> Iterator[None]:
        """Keep the rows in the code's frame of this moment while calls overlap; Python's time is the server's.

        They are in the kit's frame before, put back by somebody else. Raises what ``Race.require_quick`` does, unless
        the body raises.
        """
        self._clock.reset()
        self.look_again()
        with self.held(clock.milliseconds):
            assert self._frame is not None  # noqa: S101 - entered right now
            self._race = race = Race(self._frame, clock, clock.milliseconds)
            clock.follows = _server_time_from(*self._entered)
            try:
                yield
                race.require_quick(microseconds(self._value("SELECT pg_catalog.clock_timestamp()")))
            finally:
                clock.follows = self._race = None

    def kit_wrote(self) -> None:
        """Put the virtual moment where a default has taken the server's own time, which is years from it."""
        if self._shows is None or self._frame is not None:
            return
        now, shown = self._look_at_columns(), self._shows * 1000
        self._move([one.at_once(self._since, now, shown) for one in self._tables])

    # --- while a call is under way ----------------------------------------------------------------------------------

    def begin_call(self, clock: VirtualClock) -> None:
        """Let Python's time be the server's, and rows stay where they are."""
        self._calling = True
        clock.follows = _server_time_from(*self._entered)

    def end_call(self, clock: VirtualClock) -> None:
        """Let it be the virtual one again."""
        clock.follows = None
        self._calling = False

    def call_is_over(self, frame: Frame, *, look: bool) -> Retime:
        """Return how times of the code's are the kit's now; ``look`` if those are asked for that were stored.

        Raises InexactTimeError if one that was stored cannot be told exactly.
        """
        ended = self._ended = microseconds(self._value("SELECT pg_catalog.clock_timestamp()"))
        if not self._asks_nothing and frame.is_crossed(ended):
            raise InexactTimeError(
                f"a call took {(ended - frame.began) / SECOND:.3f} s: where stored times are shifted, one may have "
                "seemed over to it that is not; run it on a quieter machine"
            )
        if not look and self.cut is None and ended - frame.began < GRAIN:
            return partial(frame.for_kit, ended=ended)
        stored: dict[int, int] = {}
        for one in self._tables:
            for row in self._connection.execute(one.written(frame)):
                times = {name: int(at) for name, at in zip(one.names, row, strict=True) if at is not None}
                self._note(one.table, frame, ended, times)
                stored |= {at: frame.for_kit(at, ended, times.values()) for at in times.values()}
        stored |= {at: frame.for_kit(at, ended) for at in frame.far}
        cut = {at - at % 1000: told - told % 1000 for at, told in stored.items()}  # as a text of milliseconds shows it
        return lambda moment: stored.get(moment) or cut.get(moment) or frame.for_kit(moment, ended)

    def _note(self, table: str, frame: Frame, ended: int, row: Mapping[str, int]) -> None:
        if self.cut is not None:
            whole = (name for name, at in row.items() if frame.is_written(at) and not at % SECOND)
            self.cut.update(f"{table}.{name}" for name in whole)
        if frame.is_vague(ended, row.values()):
            raise InexactTimeError(
                f"a call took {(ended - frame.began) / SECOND:.3f} s and stored a time in {table} without the time of "
                "its storing: where stored times are shifted, it cannot be told exactly; run it on a quieter machine"
            )

    # --- moving -----------------------------------------------------------------------------------------------------

    def _enter_frame(self, milliseconds: int, older: float | None = None, begun: int = 0) -> Frame:
        if self._shown_to_code not in (None, milliseconds):
            self._require_nothing_open()
        if self._frame is not None:
            self._leave_frame("NULL")
        real = self._look_at_columns()
        frame = Frame.at(milliseconds * 1000, real, older=older, begun=begun, far=self._far(milliseconds, older))
        moves = [one.for_code(frame) for one in self._tables]
        now = self._move([*moves, _KEPT.format(stands_at="NULL", frame=_kept(frame))])
        self._entered = now, monotonic_ns()
        self._frame = frame if begun else replace(frame, began=now)
        self._shown_to_code, self._asks_nothing = milliseconds, bool(begun)
        if self._counts:
            self._mark = fingerprint(self._connection)
        return self._frame

    def _leave_frame(self, stands_at: str) -> int:
        left = self._move([*self._moves_back(), _KEPT.format(stands_at=stands_at, frame="NULL")])
        self._frame = self._ended = None
        return left

    def _moves_back(self) -> list[str]:
        if self._frame is None:
            return []
        if self._counts and fingerprint(self._connection) != self._mark:
            self._writes += 1
        now = self._look_at_columns()
        ended = self._ended or now
        return [one.for_kit(self._frame, ended) for one in self._tables]

    def _look_at_columns(self) -> int:
        """Take the columns from the catalogue; return the server's time."""
        found = self._connection.execute(COLUMNS, prepare=True).fetchall()
        coarse = [f"{table}.{name}" for table, name, is_coarse, _ in found if is_coarse]
        if coarse:
            raise UnsupportedError(f"{', '.join(coarse)} cannot hold a shifted time, being coarser than a millisecond")
        names: dict[str, list[str]] = {}
        for table, name, *_ in found:
            names.setdefault(table, []).append(name)
        self._tables = [TimeColumns(table, tuple(some)) for table, some in names.items()]
        now = found[0][3] if found else self._value("SELECT pg_catalog.clock_timestamp()")
        return microseconds(now)

    def _far(self, milliseconds: int, older: float | None) -> set[int]:
        """Return the moments that are stored and lie behind the gap, or are too near to it to say."""
        limit = milliseconds * 1000 - round((older or 0) * SECOND)
        looks = [look for one in self._tables for look in one.far(limit)]
        found = self._connection.execute(" UNION ".join(looks)).fetchmany(_MOST_MOMENTS) if looks else []
        if len(found) == _MOST_MOMENTS:
            raise UnsupportedError(f"{_MOST_MOMENTS} or more different times lie in the future, too many to be shifted")
        return {int(one) for (one,) in found}

    def _move(self, statements: Sequence[str]) -> int:
        """Do it all or nothing; return the server's time after it. Raises UnsupportedError with the reason."""
        try:
            cursor = self._connection.execute("; ".join((_BEGIN, *statements, _END)))
        except psycopg.Error as error:
            self._connection.execute("ROLLBACK")
            raise UnsupportedError(_why_not(error)) from error
        while cursor.nextset():
            pass
        return microseconds((cursor.fetchone() or [None])[0])

    def _value(self, sql: str, *parameters: object) -> Any:  # noqa: ANN401 - of any type
        row = self._connection.execute(sql, parameters or None).fetchone()
        return None if row is None else row[0]

    def _require_nothing_open(self) -> None:
        """Raise UnsupportedError if a transaction of the code's is open that has written: its rows cannot be moved."""
        deadline = monotonic() + _PATIENCE
        while self._value(_OPEN, self._schema):
            if monotonic() > deadline:
                raise UnsupportedError("the code left a transaction open that has written, while time was to pass")
            sleep(_PAUSE)


def _kept(frame: Frame) -> str:
    return f"ARRAY[{', '.join(map(str, (frame.shown, frame.base, frame.began, frame.limit, *frame.far)))}]"


def _frame_of(kept: Sequence[int]) -> Frame:
    shown, base, began, limit, *far = kept
    return Frame(shown, base, began, limit, frozenset(far))


class ShiftedCall(TimedCall):
    """One call in the code's frame."""

    def __init__(self, time: ShiftedTime, clock: VirtualClock, frame: Frame) -> None:
        self._time = time
        self._frame = frame
        self._clock = clock

    def __enter__(self) -> Self:
        self._time.begin_call(self._clock)
        return self

    def __exit__(self, *_: object) -> None:
        self._time.end_call(self._clock)

    def given(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments with the times of tasks as they are in the rows now."""
        return tuple(retimed(one, self._frame.for_code) for one in arguments)

    def seen(self, result: Any) -> Any:  # noqa: ANN401 - any result
        """Return the result with the times of tasks as they will be in the rows."""
        retime = self._time.call_is_over(self._frame, look=has_tasks(result))
        return retimed(result, retime, cut=True)


class HeldCall(TimedCall):
    """One call while the rows stay where they are: tasks come and go as the code knows them."""

    def __init__(self, time: ShiftedTime, clock: VirtualClock) -> None:
        self._time = time
        self._clock = clock

    def __enter__(self) -> Self:
        self._time.begin_call(self._clock)
        return self

    def __exit__(self, *_: object) -> None:
        self._time.end_call(self._clock)


def _server_time_from(told: int, here: int) -> Callable[[], int]:
    """Return what tells the server's time in milliseconds from what it told, which was here at ``here``: not ahead."""
    return lambda: (told + (monotonic_ns() - here) // 1000) // 1000


def _seconds(value: object) -> float | None:
    """Return an age; None for what is none, and for one that nothing here has."""
    given = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if given and 0 <= value < _LONGEST_AGE else None  # type: ignore[arg-type, operator]


def _why_not(error: psycopg.Error) -> str:
    said = str(error).partition("\n")[0]
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"the role may not keep triggers from firing while rows are shifted ({said})"
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return f"rows cannot be shifted while a transaction that the code left open holds locks on them ({said})"
    return f"the tables refuse that their times are shifted: {type(error).__name__}: {said}"
