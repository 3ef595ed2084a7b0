"""A claim that every test with one worker passes, and its mend; both are shown, and judged by the kit itself."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.adapter import QueueAdapter
from pytest_taskq.contract import Task
from pytest_taskq.contract.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pytest_taskq.contract import Finding

REQUIREMENT = REQUIREMENTS["CLM-02"]
_NEXT = "SELECT id FROM task_queue WHERE status = 'queued' ORDER BY id LIMIT 1"
_TAKE = """
    UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, ready = 0,
        reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?)
    WHERE id = ? RETURNING *
"""


class Racy(QueueAdapter):
    """Looks for a task, and takes it."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Return the oldest task, now held by the worker."""
        del capabilities
        with closing(_connect(self.dsn)) as connection:
            found = connection.execute(_NEXT).fetchone()
            if found is None:
                return None
            until = f"+{lease_seconds} seconds"
            return Task.from_dict(connection.execute(_TAKE, (worker_id, until, found["id"])).fetchone())


class Mended(QueueAdapter):
    """Looks for a task and takes it under one lock."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Return the oldest task, now held by the worker."""
        del capabilities
        with closing(_connect(self.dsn)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute(_NEXT).fetchone()
            taken = None
            if found is not None:
                until = f"+{lease_seconds} seconds"
                taken = Task.from_dict(connection.execute(_TAKE, (worker_id, until, found["id"])).fetchone())
            connection.execute("COMMIT")
            return taken


def _connect(dsn: str) -> sqlite3.Connection:
    connection = sqlite3.connect(dsn.removeprefix("sqlite:///"), timeout=5, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def judged(adapter: type[QueueAdapter], replay: str = "") -> Finding:
    """Return what the interleavings find of the class about CLM-02, or of the one schedule that ``replay`` names."""
    from pytest_taskq.contract import Instrument
    from pytest_taskq.grading.outcome import finding_of
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.instruments.interleavings import InterleavingsJudge
    from pytest_taskq.subject import Bench, Stores, Subject

    subject = Subject(f"{adapter.__module__}:{adapter.__qualname__}", adapter)
    with tempfile.TemporaryDirectory(prefix="taskq-demo-", ignore_cleanup_errors=True) as folder:
        stores = Stores(subject, Path(folder))
        bench = Bench(subject, stores)
        budget = Budget("pr", seed=1, replay=replay)
        try:
            return bench.run(lambda: InterleavingsJudge().judge(REQUIREMENT, bench, budget))
        except Exception as error:  # noqa: BLE001 - what kept it from a verdict is a finding, too
            return finding_of(error, REQUIREMENT, Instrument.INTERLEAVINGS)
        finally:
            stores.close()
