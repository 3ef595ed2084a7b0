from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.clock import ClockUnavailableError, VirtualClock, python_time
from pytest_taskq.clock.in_force import IN_FORCE
from pytest_taskq.sqlite import connecting

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2030, 12, 31, 23, 59, 50, tzinfo=UTC)


def sqlite_now() -> str:
    with closing(sqlite3.connect(":memory:")) as connection:
        return str(connection.execute("SELECT datetime('now')").fetchone()[0])


def is_real() -> bool:
    lag = datetime.now(UTC) - datetime.fromisoformat(sqlite_now() + "+00:00")
    return IN_FORCE.clock is None and datetime.now(UTC).year < 2030 and abs(lag) < timedelta(minutes=1)


@pytest.fixture
def hidden_symbols(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Python whose SQLite is linked in statically, without its symbols."""
    library = pytest.importorskip("pytest_taskq.sqlite.library")
    monkeypatch.setattr(library, "_candidates", lambda: iter([sys.modules["_ctypes"].__file__]))
    library.find_library.cache_clear()
    yield
    library.find_library.cache_clear()


def test_the_clock_starts_where_asked_and_stands_still_until_advanced(clock: VirtualClock) -> None:
    assert clock.now() == START
    assert clock.now().tzinfo is UTC
    clock.advance(10)
    clock.advance(0)
    clock.advance(0.25)
    assert clock.now() == START + timedelta(seconds=10.25)
    assert clock.seconds == START.timestamp() + 10.25


def test_start_may_be_in_any_time_zone() -> None:
    clock = VirtualClock(datetime(2030, 1, 1, 5, 45, tzinfo=timezone(timedelta(hours=5, minutes=45))))
    assert clock.now() == datetime(2030, 1, 1, tzinfo=UTC)


def test_ten_tenths_make_one_second() -> None:
    clock = VirtualClock()
    for _ in range(10):
        clock.advance(0.1)
    clock.advance(0.1 + 0.2)
    clock.advance(1.001)  # times 1000 it is 1000.9999999999999
    assert clock.now() == START + timedelta(milliseconds=2301)


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), float("inf"), 1e300])
def test_a_clock_moves_forward_by_what_a_date_can_hold(seconds: float) -> None:
    clock = VirtualClock()
    with pytest.raises(ValueError, match="advance"):
        clock.advance(seconds)
    assert clock.now() == START


def test_the_last_moment_of_9999_can_be_reached_and_not_passed() -> None:
    clock = VirtualClock(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    clock.advance(0.999)
    with pytest.raises(ValueError, match="9999"):
        clock.advance(0.001)
    assert clock.now().year == 9999


def test_advances_of_many_threads_add_up() -> None:
    clock = VirtualClock()
    threads = [threading.Thread(target=lambda: [clock.advance(0.001) for _ in range(2000)]) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        sys.setswitchinterval(interval)
    assert clock.now() == START + timedelta(seconds=8)


def test_a_naive_start_and_unknown_means_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2030, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="'magic'"):
        VirtualClock(means="magic")  # type: ignore[arg-type]


def test_real_time_is_back_afterwards_and_after_an_exception(means: str) -> None:
    with VirtualClock(means=means):
        assert not is_real()
    assert is_real()
    with pytest.raises(ZeroDivisionError), VirtualClock(means=means):
        _ = 1 // 0
    assert is_real()


def test_a_clock_goes_on_where_it_stood_when_entered_again(means: str) -> None:
    clock = VirtualClock(means=means)
    with clock:
        clock.advance(10)
    with clock:
        assert sqlite_now() == "2031-01-01 00:00:00"


def test_a_second_clock_is_refused_and_the_first_stays_in_force(clock: VirtualClock) -> None:
    for second in (VirtualClock(), clock):
        with pytest.raises(RuntimeError, match=r"in force already \(<VirtualClock 2030-12-31 23:59:50>\)"):
            second.__enter__()
    clock.advance(10)
    assert sqlite_now() == "2031-01-01 00:00:00"
    assert time.time() == clock.seconds


def test_the_report_says_what_is_in_force(clock: VirtualClock, means: str) -> None:
    assert clock.means == means
    sqlite = {
        "vfs": "SQLite's clock through its VFS (ctypes)",
        "functions": "SQLite's date functions replaced per connection (as asked)",
    }
    assert clock.describe() == f"{sqlite[means]}, Python's time and datetime"


def test_means_are_undecided_before_the_clock_is_installed() -> None:
    with pytest.raises(RuntimeError, match="with clock"):
        _ = VirtualClock().means


@pytest.mark.usefixtures("hidden_symbols")
def test_auto_falls_back_to_functions_where_the_library_hides_its_symbols() -> None:
    with VirtualClock() as clock:
        assert clock.means == "functions"
        assert "hides its symbols" in clock.describe()
        assert sqlite_now() == "2030-12-31 23:59:50"
    assert is_real()


@pytest.mark.usefixtures("hidden_symbols")
def test_vfs_that_is_out_of_reach_is_an_error_with_the_way_out() -> None:
    with pytest.raises(ClockUnavailableError, match=r"hides its symbols[\s\S]*means='functions'"):
        VirtualClock(means="vfs").__enter__()
    assert is_real()


def test_auto_falls_back_to_functions_without_ctypes() -> None:
    code = """if True:
        import sys
        sys.modules["ctypes"] = sys.modules["_ctypes"] = None
        from pytest_taskq.clock import VirtualClock
        import datetime, sqlite3, time
        with VirtualClock() as clock:
            assert time.time() == 1924991990
            assert datetime.date.today().year == datetime.datetime.today().year in (2030, 2031)
            print(sqlite3.connect(":memory:").execute("SELECT datetime('now')").fetchone()[0])
            print(clock.describe())
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    moment, described = run.stdout.splitlines()
    assert moment == "2030-12-31 23:59:50"
    assert "no ctypes" in described
    assert "datetime.now and utcnow stay real" in described


def test_a_thread_that_ends_leaves_no_unclosed_connection_of_ours() -> None:
    code = """if True:
        import gc, sqlite3, threading
        from pytest_taskq.clock import VirtualClock

        def worker():
            connection = sqlite3.connect(":memory:")
            print(connection.execute("SELECT datetime('now')").fetchone()[0])
            connection.close()

        with VirtualClock(means="functions"):
            thread = threading.Thread(target=worker)
            thread.start()
            thread.join()
            gc.collect()
    """
    run = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == "2030-12-31 23:59:50\n"
    assert "unclosed" not in run.stderr  # Python 3.13 and later warn


def test_a_clock_that_sqlite_does_not_follow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting._NAMES, "install", lambda: None)
    with pytest.raises(ClockUnavailableError, match="goes on with real time"):
        VirtualClock(means="functions").__enter__()
    assert is_real()


def test_nothing_stays_installed_when_python_time_fails_to_install(means: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("no")

    with monkeypatch.context() as patch:
        patch.setattr(python_time._names(), "install", fail)
        with pytest.raises(OSError, match="no"):
            VirtualClock(means=means).__enter__()
    assert is_real()
    with VirtualClock(means=means):
        assert sqlite_now() == "2030-12-31 23:59:50"


def test_the_error_survives_the_way_between_processes() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(ClockUnavailableError("why", "what to do.")))  # noqa: S301
    assert (str(error), error.reason) == ("why. what to do.", "why")
