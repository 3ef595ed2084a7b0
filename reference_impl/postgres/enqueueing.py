"""The client's SQL: enqueue, cancel, look."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from psycopg.errors import UniqueViolation

from pytest_taskq.reference_impl.enqueueing import Enqueueing

from .access import PostgresAccess
from .columns import TASK
from .database import Statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.contract import Connection, TaskId
    from pytest_taskq.reference_impl.enqueueing import Row

_FROM_NOW = "now() + {} * interval '1 microsecond'"
_INSERT = f"""
    INSERT INTO task_queue (type, payload, priority, max_attempts, compatibility, idempotency_key, run_after_utc)
    VALUES (%(type)s, %(payload)s, %(priority)s, %(max_attempts)s, %(compatibility)s, NULL,
        {_FROM_NOW.format("%(delay)s")})
    RETURNING id
"""
# A key that was ever used makes this a no-op: a live task keeps it in the unique index, a deleted one left it behind.
_INSERT_WITH_KEY = f"""
    INSERT INTO task_queue (type, payload, priority, max_attempts, compatibility, idempotency_key, run_after_utc)
    SELECT %(type)s, %(payload)s, %(priority)s, %(max_attempts)s, %(compatibility)s, %(key)s,
        {_FROM_NOW.format("%(delay)s")}
    WHERE NOT EXISTS (SELECT FROM reference_retired_keys WHERE idempotency_key = %(key)s)
    ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id
"""
_OWNER_OF_KEY = """
    SELECT id FROM task_queue WHERE idempotency_key = %(key)s
    UNION ALL
    SELECT task_id FROM reference_retired_keys WHERE idempotency_key = %(key)s
"""
# Ids are drawn before the rows are stored, so that each item knows its own; RETURNING promises no order.
_INSERT_MANY = f"""
    WITH item AS MATERIALIZED (
        SELECT place, nextval(pg_get_serial_sequence('task_queue', 'id')) AS id,
            type, payload, priority, max_attempts, compatibility, key, delay
        FROM unnest(%(types)s::text[], %(payloads)s::text[], %(priorities)s::bigint[], %(limits)s::bigint[],
            %(compatibilities)s::text[], %(keys)s::text[], %(delays)s::double precision[]) WITH ORDINALITY
            AS item (type, payload, priority, max_attempts, compatibility, key, delay, place)
        ORDER BY place
    ), inserted AS (
        INSERT INTO task_queue
            (id, type, payload, priority, max_attempts, compatibility, idempotency_key, run_after_utc)
        SELECT id, type, payload, priority, max_attempts, compatibility, key, {_FROM_NOW.format("delay")}
        FROM item
        WHERE NOT EXISTS (SELECT FROM reference_retired_keys AS retired WHERE retired.idempotency_key = key)
        ORDER BY place
        ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING id
    )
    SELECT inserted.id FROM item LEFT JOIN inserted USING (id) ORDER BY place
"""
_COLUMNS = {
    "types": "type",
    "payloads": "payload",
    "priorities": "priority",
    "limits": "max_attempts",
    "compatibilities": "compatibility",
    "keys": "key",
    "delays": "delay",
}
_CANCEL = """
    UPDATE task_queue
    SET status = 'cancelled', finished_at_utc = now(), updated_at_utc = now(),
        reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id = %s AND status = 'queued'
"""
_GET = f"SELECT {TASK} FROM task_queue WHERE id = %s"


class PostgresEnqueueing(PostgresAccess, Enqueueing):
    """What a client does."""

    _cancel_sql: ClassVar = _CANCEL
    _get_sql: ClassVar = _GET

    def _insert(self, connection: Connection, row: Row) -> int:
        task_id: int
        if row["key"] is None:
            task_id = connection.execute(_INSERT, row).fetchone()[0]
            return task_id
        try:
            with _not_fatal(connection):
                inserted = connection.execute(_INSERT_WITH_KEY, row).fetchall()
                task_id = (inserted or connection.execute(_OWNER_OF_KEY, row).fetchall())[0][0]
                return task_id
        except UniqueViolation:  # the key's task was deleted while this waited for its row
            owner: int = connection.execute(_OWNER_OF_KEY, row).fetchone()[0]
            return owner

    def _insert_many(self, connection: Connection, rows: list[Row]) -> list[TaskId]:
        """Store all rows by one statement."""
        parameters = {name: [row[column] for row in rows] for name, column in _COLUMNS.items()}
        try:
            with _not_fatal(connection):
                stored = connection.execute(_INSERT_MANY, parameters).fetchall()
        except UniqueViolation:  # as above: by now what the deletion left can be seen
            stored = connection.execute(_INSERT_MANY, parameters).fetchall()
        return [
            one[0] or connection.execute(_OWNER_OF_KEY, row).fetchone()[0]
            for one, row in zip(stored, rows, strict=True)
        ]


@contextmanager
def _not_fatal(connection: Connection) -> Iterator[None]:
    """Keep the transaction that the caller is in, if any, from being spoilt by an error of the block."""
    if isinstance(connection, Statements):
        yield
        return
    connection.execute("SAVEPOINT taskq_enqueue")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO SAVEPOINT taskq_enqueue")
        raise
    connection.execute("RELEASE SAVEPOINT taskq_enqueue")
