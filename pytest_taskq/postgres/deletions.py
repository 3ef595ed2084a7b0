"""How many tasks each transaction of a call deleted, noted by a trigger of the kit's own and not by who deletes.

A note is part of the transaction that deletes, so what is rolled back leaves none, whoever deletes, through whatever
driver, connection, thread or process.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.subject.store import PlainSql

# ALWAYS, lest a session that switches triggers off (session_replication_role) deletes unseen.
_INSTALL = """
    CREATE TABLE taskq_deletions (number bigserial, id bigint, by xid8 DEFAULT pg_current_xact_id());
    CREATE FUNCTION taskq_note_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('INSERT INTO %I.taskq_deletions (id) VALUES ($1)', TG_TABLE_SCHEMA) USING OLD.id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER taskq_note_deletion AFTER DELETE ON task_queue FOR EACH ROW EXECUTE FUNCTION taskq_note_deletion();
    ALTER TABLE task_queue ENABLE ALWAYS TRIGGER taskq_note_deletion;
"""
_REMOVE = """
    DROP TRIGGER taskq_note_deletion ON task_queue;
    DROP FUNCTION taskq_note_deletion;
    DROP TABLE taskq_deletions;
"""
_NOTED = "SELECT count(*) FROM taskq_deletions GROUP BY by ORDER BY min(number)"
_TASKS = "SELECT count(*) FROM task_queue"


class Deletions:
    """The transactions that deleted tasks, in the order in which they began to."""

    def __init__(self) -> None:
        self.each: Sequence[int] = ()

    @property
    def number(self) -> int:
        """How many transactions there were."""
        return len(self.each)

    def largest_loss(self, limit: int) -> tuple[int, int] | None:
        """Return the number of a transaction that deleted more than ``limit`` and how many it did, None if none did."""
        return next(((number, taken) for number, taken in enumerate(self.each, 1) if taken > limit), None)


@contextmanager
def deletions_noted(sql: PlainSql) -> Iterator[Deletions]:
    """Yield what is filled, at the end, with the transactions that deleted tasks meanwhile.

    Raises NotJudgedError if tasks went by a way that fires no trigger for each of them, such as TRUNCATE.
    """
    before = sql.run(_TASKS, ())[0][0]
    sql.run(_INSTALL, ())
    noted = Deletions()
    try:
        yield noted
        noted.each = [row[0] for row in sql.run(_NOTED, ())]
        gone = before - sql.run(_TASKS, ())[0][0]
    finally:
        sql.run(_REMOVE, ())
    if gone > sum(noted.each):
        raise NotJudgedError(f"{gone} tasks are gone, and the deletion of {sum(noted.each)} was seen")
