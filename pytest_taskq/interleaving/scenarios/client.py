"""Enqueueing beside others: one key twice, inside a transaction, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios.registry import races
from pytest_taskq.interleaving.scenarios.ways import a_way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.interleaving.scenario import Player
    from pytest_taskq.subject import QueueUnderTest, Subject


def _nothing(_queue: QueueUnderTest) -> None:
    return


@races("ENQ-05")
def one_key_twice(subject: Subject) -> Iterator[Scenario]:
    """Two callers enqueue under one key."""
    if subject.offers("enqueue.idempotency_key"):
        yield Scenario(
            name="one-key-twice",
            prepare=_nothing,
            scripts=[_under_one_key(1), _under_one_key(2)],
            judge=one_task_of_one_key,
        )


def _under_one_key(number: int) -> Callable[[Player], Any]:
    return lambda player: player("enqueue", "job", {"n": number}, idempotency_key="order-7")


def one_task_of_one_key(after: Aftermath) -> None:
    """Require that both callers get the same id, that neither gets an exception, and that one task is stored."""
    after.require_settled()
    first, second = after.of("enqueue")
    seen = f"{first}; {second}"
    after.require(first.returned == second.returned, "every caller of one key gets the same id", seen, second)
    if after.queue.subject.shared_schema:
        stored = len(after.rows())
        after.require(stored == 1, "one task is stored for one key", f"{stored} are", second)


class CallerError(Exception):
    """What the caller's own work raises."""


def _fail_if(wanted: bool) -> None:
    if wanted:
        raise CallerError


@races("ENQ-07")
def inside_the_callers_transaction(subject: Subject) -> Iterator[Scenario]:
    """A task is enqueued inside a transaction that is committed, or rolled back, while another worker claims."""
    if not (subject.shared_schema and subject.offers("enqueue_in")):
        return
    for word in ("commit", "rollback"):
        yield Scenario(
            name=f"enqueue-in-and-{word}",
            prepare=_nothing,
            scripts=[_enqueue_in(rolls_back=word == "rollback"), a_way(subject).script("w1")],
            judge=_with_the_commit(committed=word == "commit"),
        )


def _enqueue_in(*, rolls_back: bool) -> Callable[[Player], None]:
    insert = "INSERT INTO workers (worker_id, capabilities) VALUES (?, '{}')"

    def script(player: Player) -> None:
        try:
            with player.queue.adapter.db.transaction() as connection:  # type: ignore[union-attr]  # on the shared schema
                connection.execute(player.marked(insert), ("before",))
                player("enqueue_in", connection, "job", {})
                connection.execute(player.marked(insert), ("after",))
                _fail_if(rolls_back)
        except CallerError:
            return

    return script


def _with_the_commit(*, committed: bool) -> Callable[[Aftermath], None]:
    def judge(after: Aftermath) -> None:
        after.require_settled(early_locks=True)
        enqueue, claims = after.of("enqueue_in")[0], after.of("claim_task", "claim_by")
        tasks = len(after.rows())
        work = [row[0] for row in after.queue.sql("SELECT worker_id FROM workers ORDER BY worker_id")]
        end, there = ("commit", 1) if committed else ("rollback", 0)
        after.require(tasks == there, f"{there} task after the {end}", f"{tasks}", enqueue)
        expected = ["after", "before"] * there
        after.require(work == expected, f"the caller's own work after its {end} is {expected}", f"{work}", enqueue)
        early = next((claim for claim in claims if claim.returned is not None), None)
        after.require(committed or early is None, "nobody sees a task that is rolled back", str(early), enqueue)

    return judge


@races("ENQ-13")
def a_batch_beside_a_reader(subject: Subject) -> Iterator[Scenario]:
    """A batch is enqueued while somebody counts; the process may die in the middle of it."""
    if not (subject.offers("enqueue_many") and subject.offers("queue_stats")):
        return
    yield Scenario(
        name="batch-while-statistics",
        prepare=_nothing,
        scripts=[_batch, lambda player: player("queue_stats")],
        judge=all_or_nothing,
        mortal=[0],
    )


def _batch(player: Player) -> None:
    player("enqueue_many", [{"type": "job", "payload": {"n": number}} for number in range(3)])


def all_or_nothing(after: Aftermath) -> None:
    """Require that nobody ever sees a part of the batch."""
    after.require_settled(early_locks=True)
    batch = after.of("enqueue_many")[0]
    for look in after.of("queue_stats"):
        seen = sum((look.returned or {}).values())
        after.require(seen in (0, 3), "a batch of 3 is seen wholly or not at all", f"{look}", batch)
    if after.queue.subject.shared_schema:
        stored = len(after.rows())
        wanted = (3,) if batch.returned else (0, 3)
        after.require(stored in wanted, "a batch of 3 is stored wholly or not at all", f"{stored} are", batch)
