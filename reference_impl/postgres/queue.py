"""The whole queue on PostgreSQL: the verbs are those of SQLite, what they say to the database is here."""

from __future__ import annotations

from pytest_taskq.reference_impl.queue import Queue

from .claiming import PostgresClaiming
from .enqueueing import PostgresEnqueueing
from .finishing import PostgresFinishing
from .maintenance import PostgresMaintenance
from .observing import PostgresObserving
from .waiting import PostgresWaiting


class PostgresQueue(
    PostgresEnqueueing,
    PostgresClaiming,
    PostgresFinishing,
    PostgresMaintenance,
    PostgresObserving,
    PostgresWaiting,
    Queue,
):
    """The reference queue on ``db``, a ``PostgresDatabase`` or another team's that yields connections of psycopg.

    Any number of threads may share a queue, and any number of processes and machines the database. Claims pass over
    rows that others have locked (SKIP LOCKED): each strategy is strict among those that nobody is just about to take.
    """
