"""Processes that are bounded and watched, and whose record survives them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_taskq.history import Kind
from pytest_taskq.recording import crew
from pytest_taskq.recording.crew import Crew, CrewError, Job
from pytest_taskq.subject import CallHungError, ContractViolation

REFERENCE = "pytest_taskq.reference_impl:Adapter"
Make = Callable[[str], Crew]
Jobs = Callable[..., Job]


def test_every_call_of_every_process_is_recorded(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    team = crew_of(REFERENCE)
    calls, answers = team.run(job("traffic", 0.2, reclaim=True, fail=True), tmp_path)
    assert answers == [None] * 4
    assert {one.actor for one in calls} == {"w0", "w1", "w2", "w3"}
    assert {Kind.ENQUEUE, Kind.CLAIM, Kind.COMPLETE} <= {one.kind for one in calls}
    assert all(one.returned is not None and one.call <= one.returned for one in calls)
    assert not any(one.error for one in calls)
    claimed = {one.task for one in calls if one.kind is Kind.CLAIM} - {None}
    assert claimed <= {one.task for one in calls if one.kind is Kind.ENQUEUE}


def test_the_processes_are_kept_for_the_next_job_and_ended_by_close(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    team = crew_of(REFERENCE)
    team.run(job("stock", count=1), tmp_path, size=2)
    first = [one.process for one in team._members]
    team.run(job("stock", count=1), tmp_path, size=2)
    assert [one.process for one in team._members] == first
    team.close()
    assert all(one.returncode is not None for one in first)


def test_the_record_of_a_killed_process_ends_with_the_call_it_died_in(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    team = crew_of(REFERENCE)

    def kill_one(members: list[crew.Member]) -> None:
        time.sleep(0.1)
        members[0].kill()

    calls, answers = team.run(job("storing", 0.2), tmp_path, 2, kill_one)
    assert answers == [None, None]
    died = [one for one in calls if one.actor == "w0"]
    assert len(died) > 5
    assert all(one.known for one in died[:-1])
    again, _ = team.run(job("stock", count=3), tmp_path, 2)
    assert [one.actor for one in again] == ["w0"] * 3  # a new one of that name


def test_a_hang_is_bounded(crew_of: Make, job: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_GRACE", 1.0)
    team = crew_of("recorded_queues:Hangs")
    with pytest.raises(CallHungError, match="w0 did not come back from a call within 1 s"):
        team.run(job("stock", count=1), tmp_path, 1)
    assert team._members == []


def test_a_process_that_ends_by_itself_is_no_verdict(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    with pytest.raises(CrewError, match="w0 ended by itself"):
        crew_of("recorded_queues:Leaves").run(job("stock", count=1), tmp_path, 1)


def test_what_the_adapter_prints_disturbs_nobody(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    calls, _ = crew_of("recorded_queues:Prints").run(job("stock", count=3), tmp_path, 1)
    assert [one.row for one in calls] == [1, 2, 3]


def test_coroutines_are_awaited(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    calls, _ = crew_of("recorded_queues:Waits").run(job("stock", count=3), tmp_path, 1)
    assert [one.row for one in calls] == [1, 2, 3]


def test_a_result_of_another_type_is_laid_to_its_method(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    with pytest.raises(ContractViolation, match="enqueue returns a task id") as raised:
        crew_of("recorded_queues:ReturnsNothing").run(job("stock", count=1), tmp_path, 1)
    assert raised.value.method == "enqueue"


def test_an_adapter_that_cannot_be_imported_says_so(crew_of: Make, job: Jobs, tmp_path: Path) -> None:
    with pytest.raises(CrewError, match="No module named 'nowhere'"):
        crew_of("nowhere:Adapter").run(job("stock", count=1), tmp_path, 1)


PARENT = """
import os, sys, time
from pytest_taskq.recording.crew import Member
members = [Member(f"w{n}", sys.argv[1]) for n in range(2)]
for member in members:
    member.answer(time.monotonic() + 60)
print(*(member.process.pid for member in members), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asks the kernel by signal 0 whether a process is there")
def test_no_process_outlives_a_parent_that_is_killed() -> None:
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, REFERENCE], capture_output=True, text=True, timeout=60, check=False
    )
    pids = [int(one) for one in parent.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
        return False  # dead; nobody has asked yet how it ended
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
