"""A task's columns as every back end shows them: times are UTC texts."""

from __future__ import annotations

from pytest_taskq.contract.task import COLUMNS


def shown(column: str) -> str:
    """Return the expression for a column; a time as text, because infinity and years before 1 are no datetime."""
    return f"({column} AT TIME ZONE 'UTC')::text AS {column}" if column.endswith("_utc") else column


TASK = ", ".join(shown(column) for column in COLUMNS)
