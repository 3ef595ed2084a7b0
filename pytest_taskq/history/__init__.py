"""What happened: the calls that processes made on a queue, as plain values. No pytest, no I/O."""

from __future__ import annotations

from pytest_taskq.history.death import Death, last_calls, of_the_proof
from pytest_taskq.history.operation import NEVER, SECOND, Kind, Operation
from pytest_taskq.history.overlap import Overlap, overlap_of
from pytest_taskq.history.tenures import Tenure, Tenures, tenures_of

__all__ = [
    "NEVER",
    "SECOND",
    "Death",
    "Kind",
    "Operation",
    "Overlap",
    "Tenure",
    "Tenures",
    "last_calls",
    "of_the_proof",
    "overlap_of",
    "tenures_of",
]
