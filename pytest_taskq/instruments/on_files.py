"""The means of the instruments where tasks are in the files of SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.faults.killer import course, course_breach
from pytest_taskq.instruments import query_cost
from pytest_taskq.instruments.durability import PowerJudge, StorageFaultsJudge
from pytest_taskq.instruments.file_crash_points import sweep

if TYPE_CHECKING:
    from pytest_taskq.faults.killer import Course
    from pytest_taskq.faults.rules import Breach
    from pytest_taskq.instruments import Judge
    from pytest_taskq.subject import Bench


class FileMeans:
    """Files can be copied and failed; a statement runs on one snapshot and holds its lock to the end."""

    grain = ""
    left_out = ""
    dearness = 1
    sweep = staticmethod(sweep)
    course = staticmethod(course)
    uses_indexes = staticmethod(query_cost.uses_indexes)
    is_flat = staticmethod(query_cost.is_flat)

    @property
    def storage_faults(self) -> Judge:
        """The disk fails."""
        return StorageFaultsJudge()

    @property
    def power_cuts(self) -> Judge:
        """The files are left as a power cut may leave them."""
        return PowerJudge()

    def real_course(
        self, bench: Bench, way: str, found: Course, breach: Breach, *, seed: int, early: bool
    ) -> tuple[Course, Breach | None]:
        """Return the course of a queue of its own, each of whose workers is a process that is killed."""
        del found, breach
        real = course(bench, way, seed=seed, early=early, real=True)
        return real, course_breach(real, bench)
