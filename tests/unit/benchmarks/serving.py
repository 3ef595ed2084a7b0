"""What every candidate must do before it is measured, wherever its tasks are."""

from __future__ import annotations


def serve_each_task_once(candidate, synchronous):
    """Fail unless the level is in force, and each of three tasks is claimed and completed once; close it."""
    try:
        assert candidate.in_force() == synchronous
        for _ in range(3):
            candidate.enqueue()
        claimed = [candidate.claim() for _ in range(4)]
        assert claimed.pop() is None
        assert len({candidate.identity(one) for one in claimed}) == 3
        for one in claimed:
            candidate.complete(one)
        assert candidate.claim() is None
    finally:
        candidate.close()
