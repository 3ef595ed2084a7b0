"""What a back end gives the instruments: one object for SQLite and one for PostgreSQL, chosen here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_taskq.subject.store import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.faults.killer import Course
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Breach
    from pytest_taskq.instruments import Judge
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.instruments.crash_points import Explored
    from pytest_taskq.instruments.query_cost import Measured
    from pytest_taskq.subject import Bench


class Means(Protocol):
    """How deaths, failing storage, the cost of a call and schedules come about on one back end."""

    grain: str  # where schedules change workers, added to "all schedules of 2 workers"; "" where it goes without saying
    left_out: str  # what interleavings do not schedule, as reports say it; "" for nothing
    dearness: int  # the statistics make so many times fewer claims

    @property
    def storage_faults(self) -> Judge:
        """What judges DUR-02."""
        ...

    @property
    def power_cuts(self) -> Judge:
        """What judges DUR-01."""
        ...

    def sweep(self, bench: Bench, operation: Operation, budget: Budget, explored: Explored) -> None:
        """Judge what each death during the operation leaves; ContractViolation for one that a real kill confirms."""
        ...

    def course(self, bench: Bench, way: str, *, seed: int, early: bool) -> Course:
        """Let a task kill its worker in every claim: ``early`` as soon as the lease is stored, else right after."""
        ...

    def real_course(
        self, bench: Bench, way: str, found: Course, breach: Breach, *, seed: int, early: bool
    ) -> tuple[Course, Breach | None]:
        """Return ``found`` again with processes that are killed, and what breaks the contract then too."""
        ...

    def uses_indexes(self, bench: Bench, calls: Sequence[Measured], budget: Budget) -> str:
        """Return what was counted for INF-07; ContractViolation for a call that walks rows of no concern to it."""
        ...

    def is_flat(self, bench: Bench, calls: Sequence[Measured], budget: Budget) -> str:
        """Return what was counted for SCH-08; ContractViolation for a claim that grows with the backlog."""
        ...


def means_of(bench: Bench) -> Means:
    """Return those of the back end that the bench's stores are made on."""
    if bench.backend == POSTGRESQL:
        from pytest_taskq.instruments.on_server import ServerMeans

        return ServerMeans()
    from pytest_taskq.instruments.on_files import FileMeans

    return FileMeans()
