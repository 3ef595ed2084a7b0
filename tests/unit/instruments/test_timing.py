"""What hinders timing, what is taken off, and that no verdict against the reference comes of a busy machine."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.timing import TimingJudge
from pytest_taskq.instruments.timing_conditions import Waiting, disturbance
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Bench, Stores, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_taskq.contract import Finding


class Slowed(QueueAdapter):
    """Twice as slow as the target."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        time.sleep(0.010)
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


def judged(adapter: type, name: str, folder: Path, budget: Budget | None = None) -> Finding:
    subject = Subject(adapter.__name__, adapter)
    bench = Bench(subject, Stores(subject, folder))
    return bench.run(partial(TimingJudge().judge, REQUIREMENTS[name], bench, budget or Budget("smoke")))


def test_nothing_hinders_here_and_a_trace_function_does() -> None:
    if sys.gettrace() or threading.gettrace():
        pytest.skip("this run is traced itself")
    assert disturbance(0.005) == ""
    sys.settrace(lambda *_: None)
    try:
        assert "a trace function (coverage or a debugger) is active" in disturbance(0.005)
    finally:
        sys.settrace(None)


def test_a_coarse_clock_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_taskq.instruments.timing_conditions.clock_tick", lambda: 0.001)
    monkeypatch.setattr("pytest_taskq.instruments.timing_conditions._watcher", lambda: "")
    assert "the clock is too coarse: it moves by 1 ms, and the target is 5 ms" in disturbance(0.005)
    assert disturbance(0.2) == ""


def test_sleeping_is_not_waiting_for_a_processor() -> None:
    with closing(Waiting()) as waiting:
        before = waiting.seconds()
        began = time.perf_counter()
        time.sleep(0.05)
        assert waiting.seconds() - before < time.perf_counter() - began


def test_beside_other_tests_it_measures_only_when_told_to_and_never_decides(tmp_path: Path) -> None:
    auto, on = (
        judged(Slowed, "LAT-02", tmp_path, Budget("smoke", latency=when, beside="pytest -n0"))
        for when in ("auto", "on")
    )
    assert (auto.verdict, on.verdict) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert not auto.details
    assert on.details["latency"]["calls"][0]["samples"] >= 16


def busy() -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        pass


@contextmanager
def loaded(processes: int) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=busy, daemon=True) for _ in range(processes)]
    for one in running:
        one.start()
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.join()


@pytest.mark.parametrize("times", [2, pytest.param(100, marks=pytest.mark.soak)])
def test_on_a_busy_machine_the_slow_one_fails_and_the_reference_never(tmp_path: Path, times: int) -> None:
    with loaded(min(multiprocessing.cpu_count(), 4)):
        for number in range(times):
            slow = judged(Slowed, "LAT-02", tmp_path / f"slow-{number}")
            assert slow.verdict is Verdict.FAIL, slow.reason
            found = judged(Adapter, "LAT-03", tmp_path / f"reference-{number}")
            assert found.verdict is not Verdict.FAIL, found.reason
