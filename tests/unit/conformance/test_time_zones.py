"""The process is in another time zone exactly as long as a check asks for it."""

from __future__ import annotations

import os
import time

import pytest

from pytest_taskq.conformance import time_zones
from pytest_taskq.conformance.time_zones import ZONES, time_zone
from pytest_taskq.subject import NotJudgedError

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="this platform has no time.tzset")


def offset() -> float:
    return time.localtime(0).tm_gmtoff / 3600


@pytest.fixture(params=[None, "HOME-3:30"], ids=["unset", "set"])
def usual(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield os.environ.get("TZ"), offset()
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ZONES)
def test_local_time_is_that_of_the_zone_and_then_the_usual_one_again(
    zone: str, usual: tuple[str | None, float]
) -> None:
    with time_zone(zone):
        assert offset() == ZONES[zone]
    assert (os.environ.get("TZ"), offset()) == usual


def test_the_usual_zone_comes_back_after_an_error(usual: tuple[str | None, float]) -> None:
    with pytest.raises(LookupError), time_zone("EAST-9"):
        raise LookupError
    assert (os.environ.get("TZ"), offset()) == usual


def test_a_zone_that_is_not_in_force_is_not_judged(
    usual: tuple[str | None, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(time_zones.ZONES, "EAST-9", 8.0)
    not_in_force = pytest.raises(NotJudgedError, match=r"TZ=EAST-9 put local time at UTC\+9 hours instead of \+8")
    with not_in_force, time_zone("EAST-9"):
        pytest.fail("nothing runs in it")
    assert (os.environ.get("TZ"), offset()) == usual
