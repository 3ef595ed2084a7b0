"""A crew at work on one fresh store, and what is known of it when all is over."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_taskq.history import SECOND, Kind
from pytest_taskq.recording.actor import TOKEN
from pytest_taskq.recording.crew import SIZE, Crew, Job
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_taskq.contract import TaskId
    from pytest_taskq.history import Death, Operation
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.recording.crew import Member
    from pytest_taskq.subject import QueueUnderTest, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stored task at the end: its name (None if its payload is not one of ours), status and type.

    ``due`` is when it is due, monotonic nanoseconds, None if that cannot be told.
    """

    task: str | None
    status: str
    type: str
    due: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Every call, what the processes answered, and what the store held at the end (None if nobody can look).

    ``deaths`` are those of processes that were killed at work.
    """

    operations: tuple[Operation, ...]
    answers: Mapping[str, Any]
    rows: Sequence[Row] | None = None
    deaths: tuple[Death, ...] = ()

    @property
    def due(self) -> dict[TaskId, int]:
        """When the stored tasks are due, as far as that is known."""
        return {row.task: row.due for row in self.rows or () if row.task is not None and row.due is not None}

    @property
    def left(self) -> dict[TaskId, str] | None:
        """The stored tasks of ours with their status."""
        return None if self.rows is None else {row.task: row.status for row in self.rows if row.task is not None}


class Stage:
    """The crew on one store; every job's calls are gathered in ``operations``."""

    def __init__(self, queue: QueueUnderTest, crew: Crew, budget: Budget) -> None:
        self.queue = queue
        self.crew = crew
        self.budget = budget
        self.operations: list[Operation] = []
        self._jobs = 0
        self._first_offset = len(crew.offsets)
        self._first_death = len(crew.deaths)
        queue.store.show_real_time()  # which is the time of the processes

    @property
    def subject(self) -> Subject:
        """What is under test."""
        return self.queue.subject

    @property
    def folder(self) -> Path:
        """Where the store is; it goes with it."""
        return self.queue.store.folder

    def offers(self, *methods: str) -> bool:
        """Whether all the methods are there."""
        return all(self.subject.offers(one) for one in methods)

    def work(
        self,
        do: str,
        seconds: float,
        *,
        ways: Sequence[Sequence[str]] | None = None,
        size: int = SIZE,
        warm: bool = True,
        interfere: Callable[[Sequence[Member]], None] | None = None,
        **extra: Any,  # noqa: ANN401 - what the workload asks for
    ) -> list[Any]:
        """Let the crew do a job and return the answers; the calls are kept."""
        job = self.job(do, seconds, ways=ways, warm=warm, **extra)
        lasting = f" for at most {seconds:.3g} s" if seconds else ""
        self.queue.tell(f"{do}, {size} processes{lasting}, {len(self.operations)} calls before")
        calls, answers = self.crew.run(job, self.folder, size, interfere)
        self.operations += calls
        return answers

    def job(
        self,
        do: str,
        seconds: float,
        *,
        ways: Sequence[Sequence[str]] | None = None,
        warm: bool = True,
        **extra: Any,  # noqa: ANN401 - what the workload asks for
    ) -> Job:
        """Return the next job on this store."""
        self._jobs += 1
        backoff = self.subject.promises.backoff
        return Job(
            do=do,
            dsn=self.queue.dsn,
            seconds=seconds,
            seed=self.budget.seed_for(do),
            ways=ways_to_claim(self.subject) if ways is None else ways,
            round=str(self._jobs),
            backoff=round(max(backoff.maximum, backoff.initial) * SECOND),
            leases=self.offers("leases"),
            priorities=self.offers("enqueue.priority"),
            max_attempts=self.offers("enqueue.max_attempts"),
            warm=warm and self.subject.shared_schema,
            extra={"complete": self.offers("complete_task"), **extra},
        )

    def stock(self, count: int) -> None:
        """Enqueue ``count`` tasks, one process alone."""
        self.work("stock", 0.0, ways=(), size=1, count=count)

    def drain(self) -> None:
        """Let one process claim and finish until nothing is left."""
        self.work("drain", 0.0, size=1)

    def recording(self, **answers: Any) -> Recording:  # noqa: ANN401 - what the processes answered
        """Return what was recorded, with the rows as they are now."""
        rows = self._rows() if self.subject.shared_schema else None
        deaths = tuple(self.crew.deaths[self._first_death :])
        return Recording(operations=tuple(_with_rows(self.operations)), answers=answers, rows=rows, deaths=deaths)

    def _rows(self) -> list[Row]:
        found = self.queue.sql("SELECT payload, status, type, run_after_utc FROM task_queue ORDER BY id")
        offset = _steady(self.crew.offsets[self._first_offset :])
        return [
            Row(task=_token(payload), status=status, type=kind, due=None if offset is None else _moment(due, offset))
            for payload, status, kind, due in found
        ]

    def sql(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of ``rows`` in one transaction of the kit's own."""
        self.queue.plain.run_each(statement, rows)


_STEP = SECOND // 50


def _steady(offsets: Sequence[int]) -> int | None:
    """Return the least offset of the wall clock, None if somebody set that clock meanwhile."""
    return min(offsets) if offsets and max(offsets) - min(offsets) < _STEP else None


def _moment(text: object, offset: int) -> int | None:
    """Return a stored UTC text as monotonic nanoseconds, None if it cannot be read."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * SECOND) - offset


def _token(payload: object) -> str | None:
    try:
        return str(json.loads(payload)[TOKEN])  # type: ignore[arg-type]  # what is no text raises TypeError
    except (ValueError, TypeError, KeyError):
        return None


def _with_rows(operations: Sequence[Operation]) -> list[Operation]:
    """Give an enqueue that died the row under which its task was claimed."""
    claimed = {one.task: one.row for one in operations if one.kind is Kind.CLAIM and one.row is not None}
    return [
        replace(one, row=claimed.get(one.task)) if one.kind is Kind.ENQUEUE and one.row is None else one
        for one in operations
    ]


def ways_to_claim(subject: Subject) -> list[tuple[str, ...]]:
    """Return the ways of claiming: the team's own, else any that there is. Raises NotJudgedError if there is none."""
    strategies = sorted(subject.promises.strategies)
    known = [("claim_task",), *(("claim_by", one.value) for one in strategies)]
    offered = [way for way in known if subject.offers(way[0])]
    own = [way for way in offered if way[0] in subject.own]
    if not offered:
        raise NotJudgedError("there is no way to claim a task, so what was enqueued cannot be followed")
    return own or offered[:1]
