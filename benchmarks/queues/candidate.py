"""What every queue under measurement can do, and the work that all of them are given."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable

TYPE = "mail"
PAYLOAD = {"to": "somebody@example.com", "subject": "about sixty bytes of work", "n": 7}
WORKER = "worker-1"
LEASE = 60.0


class Candidate(Protocol):
    """One queue in one place, a file or a schema, used by one process.

    ``place``: a file's path, or a DSN that says how durable its commits are.
    ``records_completion``: whether the end of a task is stored, so that a crash in between is noticed.
    """

    name: ClassVar[str]
    records_completion: ClassVar[bool]

    def __init__(self, place: str, synchronous: str) -> None: ...

    def in_force(self) -> str:
        """Return the ``synchronous`` setting that writes are made under, as the database answers for it."""

    def enqueue(self) -> None:
        """Store one task."""

    def claim(self) -> Any:  # noqa: ANN401 - whatever this queue knows a claimed task by
        """Take one task; None if there is none."""

    def complete(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        """Finish the task."""

    def identity(self, claimed: Any) -> Hashable:  # noqa: ANN401 - as above
        """Return what tells the task from every other."""

    def close(self) -> None:
        """Close file or connection."""


class Batching(Candidate, Protocol):
    """A queue with batch forms."""

    def enqueue_many(self, count: int) -> None:
        """Store so many tasks at once."""

    def claim_many(self, count: int) -> int | None:
        """Take so many tasks at once; return how many there were, None if there is no such call."""


FLOOR = "benchmarks.queues.floor:Floor"
BARE = "benchmarks.queues.floor:BareTable"
REFERENCE = "benchmarks.queues.reference:Reference"
EVERY = (
    FLOOR,
    BARE,
    REFERENCE,
    "benchmarks.queues.peers:Huey",
    "benchmarks.queues.peers:Litequeue",
    "benchmarks.queues.peers:PersistQueue",
)
PEERS_ON_POSTGRES = (
    "benchmarks.queues.postgres_peers:Procrastinate",
    "benchmarks.queues.postgres_peers:PgQueuer",
    "benchmarks.queues.postgres_peers:Chancy",
)
REFERENCE_ON_POSTGRES = "benchmarks.queues.postgres:PostgresReference"
EVERY_ON_POSTGRES = ("benchmarks.queues.postgres:PostgresFloor", REFERENCE_ON_POSTGRES, *PEERS_ON_POSTGRES)


def load(spec: str) -> type[Candidate]:
    """Return the class that ``module:Class`` names."""
    module, _, name = spec.partition(":")
    found: type[Candidate] = getattr(import_module(module), name)
    return found


LEVELS = ("OFF", "NORMAL", "FULL", "EXTRA")
