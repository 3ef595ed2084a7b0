"""How many tasks stand where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.contract import Database

STATUSES = ("queued", "leased", "completed", "failed", "cancelled")

# One statement, so all counts are of one moment. The shared database has an index on exactly this expression: the
# counts come from it, and no payload is read.
COUNTS = "SELECT ifnull(status, ''), count(*) FROM task_queue GROUP BY ifnull(status, '')"


async def counts_by_status(db: Database) -> dict[str, int]:
    """Return the number of tasks per status, 0 where there are none; the event loop runs on meanwhile."""
    return await asyncio.to_thread(_read, db)


def _read(db: Database) -> dict[str, int]:
    with db.connection() as connection:
        rows = connection.execute(COUNTS).fetchall()
    return dict.fromkeys(STATUSES, 0) | {row[0]: row[1] for row in rows}
