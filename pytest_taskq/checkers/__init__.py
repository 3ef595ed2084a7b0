"""Checkers of recorded histories: operations in, a judgement with its proof out. Pure; usable without pytest.

    from pytest_taskq.checkers import Kind, Operation, check_fifo

See docs/checkers.md for what each decides, with examples. ``row_steps`` judges single changes of rows.
"""

from __future__ import annotations

from pytest_taskq.checkers.conservation import check_conservation, check_statistics
from pytest_taskq.checkers.holding import check_fencing, check_leases
from pytest_taskq.checkers.judgement import Judgement, Rule
from pytest_taskq.checkers.queues import (
    check_by_key,
    check_empties,
    check_fifo,
    check_lifo,
    check_priority,
    check_rows_in_order,
)
from pytest_taskq.checkers.stays import Redelivery
from pytest_taskq.contract import Verdict
from pytest_taskq.history import NEVER, SECOND, Kind, Operation, Overlap, overlap_of

__all__ = [
    "NEVER",
    "SECOND",
    "Judgement",
    "Kind",
    "Operation",
    "Overlap",
    "Redelivery",
    "Rule",
    "Verdict",
    "check_by_key",
    "check_conservation",
    "check_empties",
    "check_fencing",
    "check_fifo",
    "check_leases",
    "check_lifo",
    "check_priority",
    "check_rows_in_order",
    "check_statistics",
    "overlap_of",
]
