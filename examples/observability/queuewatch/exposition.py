"""The counts as Prometheus scrapes them (text format 0.0.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "# HELP task_queue_tasks Tasks in the shared queue.\n# TYPE task_queue_tasks gauge\n"


def exposition(counts: Mapping[str, int]) -> str:
    """Return one line a status."""
    return HEADER + "".join(f'task_queue_tasks{{status="{_escaped(s)}"}} {n}\n' for s, n in sorted(counts.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
