"""The database object: transactions beside each other and beside readers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios.registry import races
from pytest_taskq.reference_impl import QueueBusyError
from pytest_taskq.subject.store import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.contract import Connection
    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.interleaving.scenario import Player
    from pytest_taskq.subject import QueueUnderTest, Subject

_INSERT = "INSERT INTO workers (worker_id, capabilities) VALUES (?, '{}')"
_COUNT = "SELECT count(*) FROM workers"


class CallerError(Exception):
    """What the caller's own work raises."""


def _fail_if(wanted: bool) -> None:
    if wanted:
        raise CallerError


def _opened(queue: QueueUnderTest) -> None:
    """Let the schema be there."""
    queue.precondition(queue.adapter.db is not None, "a database")  # type: ignore[union-attr]  # on the shared schema


def _insert_two(player: Player, *, fails: bool = False) -> None:
    try:
        with player.queue.adapter.db.transaction() as connection:  # type: ignore[union-attr]  # on the shared schema
            connection.execute(player.marked(_INSERT), ("first",))
            connection.execute(player.marked(_INSERT), ("second",))
            _fail_if(fails)
    except CallerError:
        return


@races("INF-06")
def a_reader_beside_a_transaction(subject: Subject) -> Iterator[Scenario]:
    """Two rows are inserted in one transaction, which may be rolled back, while somebody counts."""
    if not subject.shared_schema:
        return
    for word, fails in (("commit", False), ("rollback", True)):
        counted: list[int] = []
        yield Scenario(
            name=f"reader-while-{word}",
            prepare=_opened,
            scripts=[partial(_insert_two, fails=fails), _counting(counted)],
            judge=_whole(counted, () if fails else (2,)),
            mortal=[0],
        )


def _counting(counted: list[int]) -> Callable[[Player], None]:
    def count(player: Player) -> None:
        counted.clear()
        with player.queue.adapter.db.connection() as connection:  # type: ignore[union-attr]  # on the shared schema
            counted.append(connection.execute(_COUNT).fetchone()[0])

    return count


def _whole(counted: list[int], more: tuple[int, ...]) -> Callable[[Aftermath], None]:
    def judge(after: Aftermath) -> None:
        for count in counted:
            allowed = (0, *more)
            after.require(count in allowed, f"a reader sees {' or '.join(map(str, allowed))} of 2 rows", f"{count}")
        left = after.queue.sql(_COUNT)[0][0]
        wanted = {0, *more} if after.played.died else set(more or (0,))
        after.require(left in wanted, f"afterwards there are {sorted(wanted)} of 2 rows", f"{left}")

    return judge


@races("INF-06")
def two_transactions_that_read_first(subject: Subject) -> Iterator[Scenario]:
    """Two transactions each read a count and then write it: with the lock from the start none is lost or refused."""
    if subject.shared_schema:
        refused: list[Exception] = []
        yield Scenario(
            name="two-transactions-that-read-first",
            prepare=_opened,
            scripts=[_number_itself("one", refused), _number_itself("two", refused)],
            judge=_numbered(refused),
            elsewhere={POSTGRESQL: "a transaction takes its lock at the start on SQLite alone"},
        )


def _number_itself(name: str, refused: list[Exception]) -> Callable[[Player], None]:
    def number(player: Player, connection: Connection) -> None:
        count = connection.execute(_COUNT).fetchone()[0]
        connection.execute(player.marked(_INSERT), (f"{name} is number {count + 1}",))

    def script(player: Player) -> None:
        if name == "one":
            refused.clear()
        try:
            with player.queue.adapter.db.transaction() as connection:  # type: ignore[union-attr]  # on the shared schema
                number(player, connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, is what is judged
            refused.append(error)

    return script


def _numbered(refused: list[Exception]) -> Callable[[Aftermath], None]:
    def judge(after: Aftermath) -> None:
        error = repr(refused[0]) if refused else ""
        after.require(not refused, "a write transaction takes its lock at the start, so that both go through", error)
        names = [row[0] for row in after.queue.sql("SELECT worker_id FROM workers")]
        numbers = sorted(int(name[-1]) for name in names)
        after.require(numbers == [1, 2], "the second transaction sees the first", f"{names}")

    return judge


@races("INF-08")
def a_lock_held_too_long(subject: Subject) -> Iterator[Scenario]:
    """A transaction keeps the write lock for ten busy timeouts while another is begun."""
    if subject.shared_schema:
        raised: list[Any] = []
        yield Scenario(
            name="lock-held-too-long",
            prepare=_opened,
            scripts=[_hold_the_lock, _refused(raised)],
            judge=_busy_or_written(raised),
            unhurried=(0,),
            elsewhere={
                POSTGRESQL: "transactions that write do not keep each other out, and a lock_timeout passes in real time"
            },
        )


def _hold_the_lock(player: Player) -> None:
    import time

    with player.queue.adapter.db.transaction() as connection:  # type: ignore[union-attr]  # on the shared schema
        connection.execute(player.marked(_INSERT), ("holder",))
        time.sleep(player.queue.promises.busy_timeout * 10)  # virtual


def _refused(raised: list[Any]) -> Callable[[Player], None]:
    def script(player: Player) -> None:
        raised.clear()
        try:
            with player.queue.adapter.db.transaction() as connection:  # type: ignore[union-attr]  # on the shared schema
                connection.execute(player.marked(_INSERT), ("other",))
        except Exception as error:  # noqa: BLE001 - whatever it is, is what is judged
            raised.append(error)

    return script


def _busy_or_written(raised: list[Any]) -> Callable[[Aftermath], None]:
    def judge(after: Aftermath) -> None:
        names = {row[0] for row in after.queue.sql("SELECT worker_id FROM workers")}
        after.require("holder" in names, "the holder's transaction is committed", f"{names}")
        if not raised:
            after.require("other" in names, "a transaction that ends without an error is committed", f"{names}")
            return
        fits = isinstance(raised[0], QueueBusyError) and raised[0].__cause__ is not None
        after.require(fits, "a lock that is held too long raises QueueBusyError with its cause", repr(raised[0]))
        after.require("other" not in names, "a transaction that was refused leaves nothing", f"{names}")

    return judge
