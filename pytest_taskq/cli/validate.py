"""``taskq validate``: the infrastructure's checks on a database that already exists."""

from __future__ import annotations

import sys


def run(path: str) -> int:
    """Print the report on the database at ``path``; 0 if all is well, 1 if not. Reads only."""
    from pytest_taskq.reference_impl import quick_validate

    report = quick_validate(path)
    sys.stdout.write(f"{report}\n")
    return 0 if report.ok else 1
