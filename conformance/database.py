"""The database object under test, used as the other teams use it; each use is recorded and bounded."""

from __future__ import annotations

import inspect
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_taskq.subject import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.contract import Database
    from pytest_taskq.subject import QueueUnderTest
    from pytest_taskq.subject.store import Store

T = TypeVar("T")
_THREAD_LIMIT = 20.0
_SHORT_WAIT = 0.05  # seconds that a write may wait for a lock which nobody lets go of; no verdict depends on it


@contextmanager
def using(queue: QueueUnderTest, what: str) -> Iterator[Database]:
    """Yield the database object for one use of it; what it raises is a violation."""
    adapter = queue.adapter
    queue.transcript.note(what)
    with queue._under_way(what):  # noqa: SLF001 - the bound on what is no call of the contract
        yield adapter.db  # type: ignore[union-attr]  # only asked for on the shared schema


@contextmanager
def bounded(queue: QueueUnderTest, what: str) -> Iterator[None]:
    """Bound and record a use of a database object of the team's; what it raises is a violation."""
    queue.transcript.note(what)
    with queue._under_way(what):  # noqa: SLF001 - the bound on what is no call of the contract
        yield


@contextmanager
def impatient_database(queue: QueueUnderTest) -> Iterator[Database]:
    """Yield a second database object that waits about 50 ms for a lock, if it can be told, else as long as it does."""
    names, any_name = settings_taken(queue)
    told = queue.attempt("open_database", busy_timeout=_SHORT_WAIT) if any_name or "busy_timeout" in names else None
    taken = told is not None and told.error is None
    database: Database = told.result if told is not None and taken else queue.call("open_database")
    try:
        if not taken:
            _ = queue.path  # what follows is a pragma
            with bounded(queue, "PRAGMA busy_timeout = 50 on its connection"), database.connection() as connection:
                connection.execute(f"PRAGMA busy_timeout = {round(_SHORT_WAIT * 1000)}")
        yield database
    finally:
        with bounded(queue, "close()"):
            database.close()


@contextmanager
def locked_by_another(queue: QueueUnderTest) -> Iterator[None]:
    """Hold the write lock on a connection of the kit's own, and let go of it with nothing written."""
    queue.plain.lock()
    queue.transcript.note("another connection takes the write lock")
    try:
        yield
    finally:
        queue.plain.unlock()
        queue.transcript.note("the other connection lets go of it")


@contextmanager
def fresh_database(queue: QueueUnderTest) -> Iterator[tuple[Database, Store]]:
    """Yield a database object on a place where nobody has made tables, and the place."""
    with queue.store.bare() as place:
        adapter = queue.subject.adapter(place.dsn)
        try:
            with queue._under_way("a fresh database"):  # noqa: SLF001 - as above
                database = adapter.db  # type: ignore[union-attr]  # as above
                database.initialize_schema()
                queue.transcript.note("initialize_schema() on a place without tables")
            yield database, place
        finally:
            adapter.close()


def settings_taken(queue: QueueUnderTest) -> tuple[frozenset[str], bool]:
    """Return the settings that ``open_database`` names in its signature, and whether it takes others too."""
    parameters = inspect.signature(queue.adapter.open_database).parameters.values()  # type: ignore[union-attr]  # as above
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = frozenset(one.name for one in parameters if one.kind in by_name)
    return names, any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)


def refusal_of(queue: QueueUnderTest, **settings: Any) -> Exception | None:  # noqa: ANN401 - any setting
    """Return how a database with these settings is refused, at its opening or at its first use; None if it works."""
    outcome = queue.attempt("open_database", **settings)
    if outcome.error is not None:
        return outcome.error
    database: Database = outcome.result
    with queue._under_way("the first use of it"):  # noqa: SLF001 - as above
        try:
            database.initialize_schema()
            with database.transaction() as connection:
                connection.execute("SELECT 1").fetchall()
        except Exception as error:  # noqa: BLE001 - a refusal of any class; its text is what is judged
            return error
        finally:
            database.close()
    return None


def in_another_thread(work: Callable[[], T]) -> T:
    """Return what ``work`` returns in a thread of its own. Raises NotJudgedError if it raises or does not end."""
    outcome: list[T | Exception] = []

    def body() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 - handed over to the waiting thread
            outcome.append(error)

    thread = threading.Thread(target=body, name="taskq-second", daemon=True)
    thread.start()
    thread.join(_THREAD_LIMIT)
    if not outcome:
        raise NotJudgedError(f"the database object did not come back in a second thread within {_THREAD_LIMIT:g} s")
    if isinstance(outcome[0], Exception):
        raise NotJudgedError(f"the database object cannot be used in a second thread: {outcome[0]!r}") from outcome[0]
    return outcome[0]
