"""The process is in another time zone exactly as long as a check asks for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pytest_taskq import QueueAdapter
from pytest_taskq.conformance import time_zones
from pytest_taskq.conformance.time_zones import ZONES, Times, time_zone
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Bench, ContractViolation, NotJudgedError, Stores, Subject

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


# --- what has nothing to do with time zones ---------------------------------------------------------------------------


class CancelsNothing(QueueAdapter):
    def cancel_task(self, task_id):
        return True


class CannotCancel(QueueAdapter):
    def cancel_task(self, task_id):
        raise LookupError("no such command")


class RefusesToCancel(QueueAdapter):
    def cancel_task(self, task_id):
        return False


class NeverClaims(QueueAdapter):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        raise LookupError("no tasks today")


class CompletesNothing(QueueAdapter):
    def complete_task(self, task, worker_id):
        return True


class CancelsInNoOtherZone(QueueAdapter):
    def cancel_task(self, task_id):
        return self.reference.cancel_task(task_id) if offset() == 0 else False


def lives(adapter: type, folder: Path) -> int:
    subject = Subject(adapter.__name__, adapter)
    bench = Bench(subject, Stores(subject, folder))

    def in_each_zone() -> int:
        seen = 0
        with bench.queue() as queue:
            for zone in ZONES:
                with time_zone(zone):
                    seen += Times(queue, zone).require_utc()
        return seen

    return bench.run(in_each_zone)


@pytest.mark.parametrize(
    ("broken", "left"),
    [
        (CancelsNothing, "cancel_task that leaves task 4 cancelled and returns True"),
        (CannotCancel, "cancel_task that leaves task 4 cancelled and returns True"),
        (RefusesToCancel, "cancel_task that leaves task 4 cancelled and returns True"),
        (NeverClaims, "claim_task that returns task 2, the only one that is due"),
        (CompletesNothing, "complete_task that leaves task 2 completed and returns True"),
    ],
)
def test_a_call_that_never_works_is_not_blamed_on_the_time_zone(broken: type, left: str, tmp_path: Path) -> None:
    with pytest.raises(NotJudgedError, match=f"^{left}, in the usual time zone or UTC, did not come"):
        lives(broken, tmp_path)


def test_a_call_that_works_in_utc_alone_is(tmp_path: Path) -> None:
    with pytest.raises(ContractViolation, match=r"cancel_task leaves task .* cancelled .*, with TZ=EAST-9") as found:
        lives(CancelsInNoOtherZone, tmp_path)
    assert found.value.method == "cancel_task"


def test_the_reference_lives_in_each_zone(tmp_path: Path) -> None:
    assert lives(Adapter, tmp_path) > 0
