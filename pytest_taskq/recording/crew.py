"""A bounded number of worker processes on one adapter: started once, given jobs, never outliving the parent."""

from __future__ import annotations

import atexit
import json
import queue
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_taskq.history import SECOND, Death
from pytest_taskq.recording.log import operations_in
from pytest_taskq.subject.violation import CallHungError, ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_taskq.history import Operation

SIZE = 4
_START_LIMIT = 60.0
_GRACE = 30.0  # seconds that a job may take beyond its own, and one answer
_BOOT = (
    "import json, sys; name, adapter, path = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from pytest_taskq.recording.worker import main; main(name, adapter)"
)


class CrewError(NotJudgedError):
    """The processes could not be started, or did not do their work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a crew is to do: the workload ``do`` on the store ``dsn`` for ``seconds``, drawn from ``seed``.

    ``ways`` are the ways to claim, ``backoff`` the longest delay after a failure in nanoseconds; the booleans say what
    the adapter offers. ``warm``: open the database before the start. ``extra`` belongs to the workload. ``adapter`` is
    another one than the crew's, for a job that is compared with its work.
    """

    do: str
    dsn: str
    seconds: float
    seed: int
    ways: Sequence[Sequence[str]]
    round: str = "1"
    backoff: int = 0
    leases: bool = True
    priorities: bool = True
    max_attempts: bool = True
    warm: bool = True
    adapter: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


class Member:
    """One process and the thread that reads its answers."""

    def __init__(self, name: str, adapter: str) -> None:
        self.name = name
        self.died: int | None = None  # when it was certainly dead, if it was killed
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        paths = [str(Path(one or ".").resolve()) for one in sys.path]
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter, arguments of ours
            [sys.executable, "-c", _BOOT, json.dumps([name, adapter, paths])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        threading.Thread(target=self._read, name=f"taskq-crew-{name}", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def order(self, order: dict[str, Any]) -> None:
        """Send an order; a process that died is noticed when its answer is awaited."""
        assert self.process.stdin is not None  # noqa: S101 - a pipe
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass

    def answer(self, deadline: float) -> dict[str, Any]:
        """Return its next answer; ``{"gone": code}`` if it died, ``{"late": True}`` if ``deadline`` passed."""
        try:
            answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return {"late": True}
        return {"gone": self.process.wait()} if answer is None else answer

    def kill(self) -> None:
        """End the process at once (SIGKILL where there are signals)."""
        self.process.kill()
        self.process.wait()
        self.died = self.died or time.monotonic_ns()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - a pipe
        try:
            for line in self.process.stdout:
                self._answers.put(json.loads(line))
        except ValueError:  # the pipe was closed by kill()
            pass
        self._answers.put(None)


class Crew:
    """At most ``SIZE`` processes, all on the adapter named ``module:Class``; closed at the latest when Python ends."""

    def __init__(self, adapter: str) -> None:
        self.adapter = adapter
        self._members: list[Member] = []
        self.offsets: list[int] = []
        """Of each job's beginnings and ends: wall clock minus monotonic clock, nanoseconds."""
        self.deaths: list[Death] = []
        """Of processes that were at work, in the order in which they were seen."""

    def close(self) -> None:
        """End every process."""
        for member in self._members:
            member.kill()
        self._members.clear()
        atexit.unregister(self.close)

    def run(
        self, job: Job, folder: Path, size: int = SIZE, interfere: Callable[[Sequence[Member]], None] | None = None
    ) -> tuple[list[Operation], list[Any]]:
        """Return every call that was recorded, and what each process answered (None of one that died on purpose).

        ``interfere`` is called while the job runs; processes that die in it are replaced before the next job.
        """
        team = self._team(size)
        logs = [folder / f"{job.do}-{job.round}-{member.name}.calls" for member in team]
        for member, log in zip(team, logs, strict=True):
            member.order({**asdict(job), "log": str(log)})
        self.offsets += self._collect(team, time.monotonic() + _GRACE, "prepared", killed=False)
        start = time.monotonic_ns() + SECOND // 200
        for member in team:
            member.order({"start": start})
        if interfere is not None:
            interfere(team)
        answers = self._collect(team, time.monotonic() + job.seconds + _GRACE, "done", killed=interfere is not None)
        return [one for log in logs for one in operations_in(log)], answers

    def _team(self, size: int) -> list[Member]:
        gone = [one for one in self._members if not one.alive]
        for one in gone:
            one.kill()  # closes its pipes
            self._members.remove(one)
        taken = {one.name for one in self._members}
        fresh = [Member(name, self.adapter) for name in (f"w{n}" for n in range(size)) if name not in taken]
        self._members += fresh
        atexit.unregister(self.close)  # once is enough
        atexit.register(self.close)
        self._collect(fresh, time.monotonic() + _START_LIMIT, "ready", killed=False)
        return sorted(self._members, key=lambda one: one.name)[:size]

    def _collect(self, team: Sequence[Member], deadline: float, wanted: str, *, killed: bool) -> list[Any]:
        found = []
        for member in team:
            answer = member.answer(deadline)
            if wanted in answer:
                found.append(answer[wanted])
                self.offsets += [answer["offset"]] if "offset" in answer else []
            elif killed and "gone" in answer:
                found.append(None)
                self.deaths.append(Death(actor=member.name, moment=member.died or time.monotonic_ns()))
            else:
                self.close()
                raise _trouble(member.name, answer)
        return found


def _trouble(name: str, answer: dict[str, Any]) -> Exception:
    if "broken" in answer:
        return ContractViolation("a result of the contract's type", answer["broken"], method=answer["method"])
    if "late" in answer:
        return CallHungError(f"process {name} did not come back from a call within {_GRACE:g} s")
    if "gone" in answer:
        return CrewError(f"process {name} ended by itself (exit code {answer['gone']})")
    return CrewError(f"process {name} could not do its work: {answer.get('failed', answer)}")
