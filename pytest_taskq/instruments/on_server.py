"""The means of the instruments where tasks are on a PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.faults.server_killer import real_server_course, server_course
from pytest_taskq.faults.survivors import same
from pytest_taskq.instruments import server_query_cost
from pytest_taskq.instruments.server_crash_points import sweep_on_server
from pytest_taskq.instruments.server_durability import CommitSettingsJudge, ConnectionLossJudge

if TYPE_CHECKING:
    from pytest_taskq.faults.killer import Course
    from pytest_taskq.faults.rules import Breach
    from pytest_taskq.instruments import Judge
    from pytest_taskq.subject import Bench


class ServerMeans:
    """The server lives on when a client dies, and says what it reads and who waits for whom."""

    grain = " at statement boundaries"
    left_out = (
        "within one statement (its snapshot, its locks, what it looks at again after a wait) nothing is "
        "scheduled: that is for the histories"
    )
    dearness = 4  # a claim takes ten times as long there
    sweep = staticmethod(sweep_on_server)
    course = staticmethod(server_course)
    uses_indexes = staticmethod(server_query_cost.uses_indexes)
    is_flat = staticmethod(server_query_cost.is_flat)

    @property
    def storage_faults(self) -> Judge:
        """Connections end."""
        return ConnectionLossJudge()

    @property
    def power_cuts(self) -> Judge:
        """Commits are asked whether they wait for the disk."""
        return CommitSettingsJudge()

    def real_course(
        self, bench: Bench, way: str, found: Course, breach: Breach, *, seed: int, early: bool
    ) -> tuple[Course, Breach | None]:
        """Return the same deaths of processes that are killed; the breach stands if they leave the same task."""
        del early  # it shows in where the deaths of ``found`` struck
        real = real_server_course(bench, found, way, seed=seed) if found.deaths else found
        is_same = same(found.row or {}, real.row or {}, ("status", "attempts", "locked_by"))
        return real, breach if is_same else None
