from __future__ import annotations

import copy
import pickle
import sys
import threading
import time
import warnings
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from types import BuiltinFunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = ("time", "time_ns", "gmtime", "localtime", "ctime", "asctime", "strftime")
REAL = {name: getattr(time, name) for name in NAMES}
REAL_METHODS = {
    (cls, name): cls.__dict__[name] for cls, name in ((datetime, "now"), (datetime, "utcnow"), (date, "today"))
}
SECONDS = 1924991990


class Moment(datetime):
    pass


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """A team's module that copied names before any clock was installed."""
    module = ModuleType("team_clock")
    sys.modules["team_clock"] = module
    text = """
        from datetime import date, datetime
        from time import time, time_ns as nanoseconds, sleep
        utcnow, today = datetime.now, date.today
        class Worker:
            clock = time
            stamp = datetime.today
    """
    exec("\n".join(line[8:] for line in text.splitlines()), module.__dict__)  # noqa: S102
    yield module
    del sys.modules["team_clock"]


def test_time_functions_read_the_virtual_clock(clock: VirtualClock) -> None:
    clock.advance(0.123)
    assert time.time() == SECONDS + 0.123
    assert time.time_ns() == SECONDS * 10**9 + 123_000_000
    assert time.gmtime()[:6] == time.gmtime(None)[:6] == (2030, 12, 31, 23, 59, 50)
    assert time.localtime() == time.localtime(None) == REAL["localtime"](SECONDS)
    assert time.ctime() == time.ctime(None) == time.asctime() == REAL["ctime"](SECONDS)
    assert time.strftime("%Y-%m-%d %H:%M:%S") == REAL["strftime"]("%Y-%m-%d %H:%M:%S", REAL["localtime"](SECONDS))


@pytest.mark.usefixtures("clock")
def test_time_functions_with_an_explicit_moment_keep_it() -> None:
    assert time.gmtime(0)[:6] == (1970, 1, 1, 0, 0, 0)
    assert time.localtime(5.5) == REAL["localtime"](5)
    assert time.ctime(0) == REAL["ctime"](0)
    assert time.asctime(time.gmtime(0)) == "Thu Jan  1 00:00:00 1970"
    assert time.strftime("%Y", time.gmtime(0)) == "1970"
    wrong: list[tuple[Callable[..., object], tuple[object, ...]]]
    wrong = [(time.gmtime, ("x",)), (time.asctime, (None,)), (time.strftime, ()), (time.ctime, (1, 2))]
    for function, arguments in wrong:
        with pytest.raises(TypeError):
            function(*arguments)


def test_monotonic_clocks_and_sleep_stay_real(clock: VirtualClock) -> None:
    before = time.monotonic(), time.perf_counter()
    clock.advance(10_000)
    assert time.monotonic() - before[0] < 1000
    assert time.perf_counter() - before[1] < 1000
    assert isinstance(time.sleep, BuiltinFunctionType)


def test_datetime_reads_the_virtual_clock(clock: VirtualClock) -> None:
    clock.advance(0.123)
    local = datetime.fromtimestamp(SECONDS).replace(microsecond=123_000)  # noqa: DTZ006
    assert datetime.now() == datetime.now(None) == datetime.now(tz=None) == local  # noqa: DTZ005
    assert datetime.today() == local  # noqa: DTZ002
    assert date.today() == local.date()  # noqa: DTZ011
    assert datetime.now(UTC) == clock.now() == datetime(2030, 12, 31, 23, 59, 50, 123_000, UTC)
    east = timezone(timedelta(hours=5, minutes=45))
    assert datetime.now(tz=east).isoformat() == "2031-01-01T05:44:50.123000+05:45"
    with pytest.raises(TypeError, match="tzinfo"):
        datetime.now("UTC")  # type: ignore[arg-type]


@pytest.mark.usefixtures("clock")
def test_utcnow_reads_the_virtual_clock_and_is_deprecated_where_it_is() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert datetime.utcnow() == datetime(2030, 12, 31, 23, 59, 50)  # noqa: DTZ001, DTZ003
    expected = [__file__] if sys.version_info >= (3, 12) else []
    assert [warning.filename for warning in caught] == expected


def test_milliseconds_are_exact_in_far_years() -> None:
    with VirtualClock(datetime(9998, 12, 30, 23, 59, 59, 123_000, UTC)):
        assert datetime.now(UTC).microsecond == 123_000


@pytest.mark.usefixtures("clock")
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_a_subclass_gets_its_own_type() -> None:
    for moment in (Moment.now(), Moment.now(UTC), Moment.utcnow(), Moment.today()):
        assert type(moment) is Moment
        assert moment.year in (2030, 2031)
    assert isinstance(datetime.now(UTC), datetime)
    assert type(datetime.now(UTC)) is datetime


@pytest.mark.usefixtures("clock")
def test_an_instance_can_be_asked_for_now() -> None:
    assert datetime(2000, 1, 1, tzinfo=UTC).now(UTC).year == 2030


def test_tzinfo_is_asked_through_fromutc(clock: VirtualClock) -> None:
    class Shifting(tzinfo):
        def utcoffset(self, dt: datetime | None) -> timedelta:
            return timedelta(hours=1)

        def dst(self, dt: datetime | None) -> timedelta:
            return timedelta(0)

        def fromutc(self, dt: datetime) -> datetime:
            return dt + timedelta(hours=1)

    assert datetime.now(Shifting()).hour == 0
    assert datetime.now(Shifting()) == clock.now()


def test_the_repeated_hour_has_its_fold(zone: Callable[[str], None]) -> None:
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
    with VirtualClock(datetime(2030, 10, 27, 0, 30, 0, 5000, UTC)) as clock:
        first = datetime.now()  # noqa: DTZ005
        clock.advance(3600)
        second = datetime.now()  # noqa: DTZ005
    assert (first.hour, first.fold, second.hour, second.fold) == (2, 0, 2, 1)


def test_local_time_follows_the_time_zone(zone: Callable[[str], None]) -> None:
    zone("ODD-05:45")
    with VirtualClock():
        assert datetime.now().isoformat() == "2031-01-01T05:44:50"  # noqa: DTZ005
        assert date.today() == date(2031, 1, 1)  # noqa: DTZ011
        assert time.localtime()[:6] == (2031, 1, 1, 5, 44, 50)
        assert time.ctime() == time.asctime() == "Wed Jan  1 05:44:50 2031"
        assert time.strftime("%H:%M") == "05:44"


def test_names_that_were_imported_before_read_the_virtual_clock_and_are_put_back(module: ModuleType) -> None:
    before = dict(vars(module)), dict(vars(module.Worker))
    for _ in range(2):
        with VirtualClock() as clock:
            assert module.time() == module.Worker.clock() == module.Worker().clock() == SECONDS
            assert module.nanoseconds() == SECONDS * 10**9
            assert module.datetime.now(UTC) == clock.now() == module.utcnow(UTC)
            assert module.today() == module.Worker().stamp().date() == module.date.today()
            assert isinstance(module.sleep, BuiltinFunctionType)
        after = dict(vars(module)), dict(vars(module.Worker))
        assert [list(names) for names in after] == [list(names) for names in before]
        assert all(now[name] is then[name] for now, then in zip(after, before, strict=True) for name in then)


def test_a_module_imported_meanwhile_keeps_no_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from time import time\nfrom datetime import datetime\nnow = datetime.now\ndef default(t=time): return t()\n"
    (tmp_path / "late_team.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with VirtualClock():
        import late_team  # type: ignore[import-not-found]

        assert late_team.time() == SECONDS
        assert late_team.now(UTC).year == 2030
    with VirtualClock():
        assert late_team.time() == SECONDS
    assert late_team.time is REAL["time"]
    assert isinstance(late_team.now, BuiltinFunctionType)
    assert abs(late_team.default() - time.time()) < 60
    sys.modules.pop("late_team")


def test_a_name_that_a_known_module_gained_between_two_clocks_is_reached(module: ModuleType) -> None:
    with VirtualClock():
        assert module.time() == SECONDS
    module.gained = REAL["time"]  # type: ignore[attr-defined]
    with VirtualClock():
        assert module.gained() == SECONDS
    assert module.gained is REAL["time"]


def test_a_name_that_somebody_else_replaced_meanwhile_stays_theirs(module: ModuleType) -> None:
    def theirs() -> float:
        return 1.0

    with VirtualClock():
        module.time = theirs
    assert module.time is theirs


def test_test_machinery_and_the_standard_library_keep_real_time() -> None:
    machinery = ModuleType("_pytest.of_a_plugin")
    machinery.time = REAL["time"]  # type: ignore[attr-defined]
    sys.modules[machinery.__name__] = machinery
    try:
        with VirtualClock():
            assert machinery.time is REAL["time"]  # type: ignore[attr-defined]
            assert sys.modules["_pytest.timing"].time is REAL["time"]
    finally:
        del sys.modules[machinery.__name__]


def test_the_kit_keeps_real_time_and_the_reference_queue_does_not() -> None:
    kit, reference = ModuleType("pytest_taskq.something"), ModuleType("pytest_taskq.reference_impl.something")
    for module in (kit, reference):
        module.time = REAL["time"]  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
    try:
        with VirtualClock():
            assert kit.time is REAL["time"]  # type: ignore[attr-defined]
            assert reference.time() == SECONDS
    finally:
        del sys.modules[kit.__name__], sys.modules[reference.__name__]


def test_everything_is_the_original_object_afterwards(means: str) -> None:
    def hot() -> datetime:
        return datetime.now(UTC)

    for _ in range(3):
        with VirtualClock(means=means):
            assert {hot().year for _ in range(3000)} == {2030}  # specialised by the interpreter
        assert 2030 not in {hot().year for _ in range(3000)}
        assert all(getattr(time, name) is function for name, function in REAL.items())
        assert all(cls.__dict__[name] is method for (cls, name), method in REAL_METHODS.items())
        assert isinstance(datetime.now, BuiltinFunctionType)
        assert isinstance(datetime.today, BuiltinFunctionType)
    assert abs(datetime.now(UTC).timestamp() - time.time()) < 60


def test_functions_and_methods_kept_from_inside_read_real_time_afterwards() -> None:
    with VirtualClock():
        kept = [getattr(time, name) for name in NAMES if name != "strftime"]
        kept_strftime, now, today = time.strftime, datetime.now, date.today
    assert [type(function()) for function in kept] == [type(REAL[name]()) for name in NAMES if name != "strftime"]
    assert abs(kept[0]() - time.time()) < 60
    assert abs(kept[1]() / 1e9 - time.time()) < 60
    assert 0 <= time.mktime(time.localtime()) - time.mktime(kept[3]()) < 60
    assert kept_strftime("%Y") != "2030"
    assert abs((now(UTC) - datetime.now(UTC)).total_seconds()) < 60
    assert abs((today() - date.today()).days) <= 1  # noqa: DTZ011


@pytest.mark.usefixtures("clock")
def test_datetimes_pickle_copy_and_compare_as_before() -> None:
    moment = datetime.now(UTC)
    assert pickle.loads(pickle.dumps(moment)) == copy.deepcopy(moment) == moment  # noqa: S301
    assert pickle.loads(pickle.dumps(datetime)) is datetime  # noqa: S301
    assert moment - timedelta(days=1) < moment
    assert datetime.fromtimestamp(0, UTC).year == 1970
    assert datetime.strptime("2001", "%Y").year == 2001  # noqa: DTZ007


def test_another_thread_reads_every_advance(clock: VirtualClock) -> None:
    seen: list[float] = []
    clock.advance(2.5)
    thread = threading.Thread(target=lambda: seen.extend((time.time(), datetime.now(UTC).timestamp())))
    thread.start()
    thread.join(10)
    assert seen == [SECONDS + 2.5, SECONDS + 2.5]
