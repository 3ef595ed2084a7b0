"""The pairs that a clock tells apart: graded by it in the soak, and here without one by what makes them differ."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grading import findings
from test_snippets import SLOW, adapters_of, graded, said
from test_snippets_by_example import EXAMPLES

from pytest_taskq.contract import Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.meter import Meter

LONG = ("LAT-04", "LAT-05", "LAT-06")  # until what is broken is failed
TIMED = ("LAT-01", "LAT-02", "LAT-03", "LAT-04", "LAT-06", "OBS-04")
CALLS: dict[str, Callable[[Any], Any]] = {
    "LAT-01": lambda queue: queue.enqueue("job", {"order": 7}),
    "LAT-02": lambda queue: queue.claim_task("w1", {}, 60.0),
    "LAT-06": lambda queue: queue.claim_task("w1", {}, 60.0),
}


def test_each_slow_pair_is_graded_in_the_soak() -> None:
    assert sorted([*EXAMPLES, *LONG, "OBS-04"]) == sorted(SLOW)


@pytest.mark.soak
@pytest.mark.parametrize("name", LONG)
def test_what_is_slow_is_told_apart_by_its_own_requirement(name: str, tmp_path: Path) -> None:
    graded(name, tmp_path)


@pytest.mark.soak
def test_a_writer_beside_who_counts_with_the_lock_is_found_to_wait(tmp_path: Path) -> None:
    broken, _ = adapters_of("OBS-04")
    found = findings(broken, REQUIREMENTS["OBS-04"], tmp_path)
    if combine(found) is Verdict.INCONCLUSIVE:
        pytest.skip(f"the machine has other work, and the verdict says so: {said(found)}")
    assert combine(found) is Verdict.FAIL, said(found)


@pytest.mark.soak
@pytest.mark.parametrize("name", TIMED)
def test_what_is_corrected_is_never_found_slow(name: str, tmp_path: Path) -> None:
    _, corrected = adapters_of(name)
    found = findings(corrected, REQUIREMENTS[name], tmp_path)
    # Where others work too, what is timed may not be proved fast.
    assert combine(found) in {Verdict.PASS, Verdict.INCONCLUSIVE}, said(found)


def filled(adapter: type[Any], path: Path, tasks: int) -> Any:
    queue = adapter(f"sqlite:///{path}")
    queue.db.initialize_schema()
    queue.reference.enqueue_many([{"type": "job", "payload": {}}] * tasks)
    return queue


def steps(queue: Any, path: Path, call: Callable[[Any], Any]) -> int:
    meter = Meter(path)
    call(queue)  # what is done once after rows come in
    with meter.running():
        assert call(queue)
    queue.close()
    return meter.total


@pytest.mark.parametrize("name", CALLS)
def test_the_work_of_a_call_grows_with_what_waits_or_does_not(name: str, tmp_path: Path) -> None:
    for adapter in adapters_of(name):
        few, many = (
            steps(filled(adapter, path, tasks), path, CALLS[name])
            for tasks, path in (
                (10, tmp_path / f"few-{adapter.__name__}"),
                (500, tmp_path / f"many-{adapter.__name__}"),
            )
        )
        assert few > 0
        assert many > 5 * few if adapter.__name__ == "Broken" else many < 1.2 * few, (few, many)


def test_a_writer_waits_for_who_counts_with_the_lock(tmp_path: Path) -> None:
    for adapter, verdict in zip(adapters_of("OBS-04"), (Verdict.FAIL, Verdict.PASS), strict=True):
        found = findings(adapter, REQUIREMENTS["OBS-03"], tmp_path, instrument=Instrument.INTERLEAVINGS)
        assert combine(found) is verdict, said(found)


def test_statistics_ask_once_and_not_for_each_task(tmp_path: Path) -> None:
    asked: dict[str, int] = {}
    for adapter in adapters_of("LAT-04"):
        queue, statements = filled(adapter, tmp_path / f"{adapter.__name__}.db", 40), list[str]()
        with queue.db.connection() as connection:
            connection.set_trace_callback(statements.append)
        assert queue.queue_stats() == {"queued": 40}
        asked[adapter.__name__] = len(statements)
        queue.close()
    assert asked == {"Broken": 41, "Corrected": 1}


def pauses(queue: Any, call: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", slept.append)
        for task in [queue.reference.claim_task("w3", {}, 60.0) for _ in range(4)]:
            assert call(task)
    queue.close()
    return slept


def test_who_meets_nobody_does_not_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for adapter, times in zip(adapters_of("LAT-03"), (4, 0), strict=True):
        queue = filled(adapter, tmp_path / f"{adapter.__name__}.db", 4)
        slept = pauses(queue, lambda task: queue.complete_task(task, "w3"), monkeypatch)  # noqa: B023 - called at once
        assert len(slept) == times
        assert all(one > 0.005 for one in slept)


def test_a_worker_pauses_when_it_begins_and_not_before_each_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for adapter, times in zip(adapters_of("LAT-05"), (4, 1), strict=True):
        queue = filled(adapter, tmp_path / f"{adapter.__name__}.db", 8)
        slept = pauses(queue, lambda _: queue.claim_task("w3", {}, 60.0), monkeypatch)  # noqa: B023 - called at once
        assert slept == [pytest.approx(0.15)] * times
