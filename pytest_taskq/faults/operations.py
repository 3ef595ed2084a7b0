"""The writing calls that are cut short: what each meets, how it is made, and the rule for what it may leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy, Status
from pytest_taskq.faults.rules import (
    Breach,
    Left,
    Scene,
    claimed_whole_or_not,
    deleted_or_kept,
    ended_whole_or_not,
    reclaimed_whole_or_not,
    renewed_or_not,
    stored_whole_or_not,
)
from pytest_taskq.faults.situations import (
    LEASE,
    OLD_ENOUGH,
    finished,
    holding,
    last_waiting,
    one_over,
    town,
    two_over,
    two_waiting,
)
from pytest_taskq.subject import Outcome
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.contract import TaskId
    from pytest_taskq.subject import QueueUnderTest, Subject

KEY = "order-7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One writing call in one situation.

    ``needs`` names what must be offered for it; ``succeeded`` says whether what it returned is a success, as it must be
    where nothing fails. ``thorough`` ones are left out at the effort smoke.
    """

    name: str
    method: str
    prepare: Callable[[QueueUnderTest], Scene]
    call: Callable[[QueueUnderTest, Scene], Outcome]
    rule: Callable[[Left, Scene], Breach | None]
    succeeded: Callable[[Any], bool] = bool
    needs: tuple[str, ...] = ()
    key: str | None = None
    thorough: bool = False

    def enqueued(self, scene: Scene) -> list[TaskId]:
        """Return the ids that the call returned, if it enqueues."""
        return scene.returned if self.method.startswith("enqueue") else []

    def known_after(self, scene: Scene) -> list[TaskId]:
        """Return the ids of all tasks that were acknowledged, those of the call included."""
        return [*scene.known, *self.enqueued(scene)]

    def require_success(self, outcome: Outcome) -> None:
        """Raise NotJudgedError unless the call came to what it must come to where nothing fails."""
        if outcome.error is not None or not self.succeeded(outcome.result):
            raise NotJudgedError(f"{outcome.call} does not succeed where nothing fails: {outcome}")


def operations(subject: Subject) -> dict[str, Operation]:
    """Return by its name every operation that is the team's own and offered."""
    return {
        one.name: one
        for one in (*_enqueueing(), *_claiming(subject), *_finishing(), *_keeping(subject))
        if one.method in subject.own and all(map(subject.offers, (one.method, *one.needs)))
    }


# --- enqueue ----------------------------------------------------------------------------------------------------------

_OPTIONS: dict[str, Any] = {"priority": 7, "max_attempts": 3, "idempotency_key": KEY, "compatibility": {"gpu": True}}


def _offered(queue: QueueUnderTest, options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if queue.subject.offers(f"enqueue.{name}")}


def _plain(queue: QueueUnderTest, _: Scene) -> Outcome:
    return queue.attempt("enqueue", "mail", {"to": "a"})


def _keyed(queue: QueueUnderTest, _: Scene) -> Outcome:
    return queue.attempt("enqueue", "mail", {"to": "b"}, **_offered(queue, _OPTIONS))


def _batch(queue: QueueUnderTest, scene: Scene) -> Outcome:
    scene.wanted = 3
    items = [{"type": "mail", "payload": {"to": n}} for n in range(2)]
    return queue.attempt(
        "enqueue_many", [*items, {"type": "mail", "payload": {"to": "b"}, **_offered(queue, _OPTIONS)}]
    )


def _within(queue: QueueUnderTest, scene: Scene) -> Outcome:
    """Enqueue beside a row of the caller's own, in the caller's transaction."""
    scene.wanted = 2
    outcome: Outcome | None = None
    try:
        with queue.adapter.db.transaction() as connection:  # type: ignore[union-attr]  # only on the shared schema
            connection.execute("INSERT INTO task_queue (type, payload) VALUES ('callers', '{}')")
            outcome = queue.attempt("enqueue_in", connection, "mail", {"to": "b"}, **_offered(queue, _OPTIONS))
            if outcome.error is not None:
                raise outcome.error  # noqa: TRY301 - it must go through the caller's transaction, which it rolls back
    except Exception as error:  # noqa: BLE001 - of the enqueue or of the caller's commit: nothing is acknowledged
        return Outcome(outcome.call if outcome else "transaction()", error=error)
    return outcome


def _enqueueing() -> Iterator[Operation]:
    for name, method, call, key in (
        ("enqueue", "enqueue", _plain, None),
        ("enqueue with every option", "enqueue", _keyed, KEY),
        ("enqueue_many", "enqueue_many", _batch, KEY),
        ("enqueue_in", "enqueue_in", _within, KEY),
    ):
        yield Operation(
            name=name,
            method=method,
            prepare=town,
            call=call,
            rule=stored_whole_or_not,
            succeeded=lambda result: result is not None,
            key=key,
            needs=("shared schema",) if method == "enqueue_in" else (),
        )


# --- claim ------------------------------------------------------------------------------------------------------------


def claim_calls(subject: Subject) -> dict[str, tuple[str, Callable[[QueueUnderTest, Scene], Outcome]]]:
    """Return by its name each way to claim one task: the method, and the call."""
    ways = {"claim_task": ("claim_task", _claim())}
    for strategy in sorted(subject.promises.strategies):
        ways[f"claim_by({strategy.name})"] = ("claim_by", _claim(strategy))
    return ways


def _claim(strategy: SchedulingStrategy | None = None) -> Callable[[QueueUnderTest, Scene], Outcome]:
    chosen = () if strategy is None else (strategy,)
    method = "claim_task" if strategy is None else "claim_by"
    return lambda queue, scene: queue.attempt(method, *chosen, scene.worker, {}, LEASE)


def _claim_two(queue: QueueUnderTest, scene: Scene) -> Outcome:
    scene.wanted = 2
    return queue.attempt("claim_many", 2, scene.worker, {}, LEASE)


def _claiming(subject: Subject) -> Iterator[Operation]:
    ways = {**claim_calls(subject), "claim_many": ("claim_many", _claim_two)}
    for number, (name, (method, call)) in enumerate(ways.items()):
        yield Operation(name=name, method=method, prepare=two_waiting, call=call, rule=claimed_whole_or_not)
        yield Operation(
            name=f"{name} of a task whose lease is over",
            method=method,
            prepare=one_over,
            call=call,
            rule=claimed_whole_or_not,
            succeeded=lambda _: True,  # with lease_over="fail", or where only reclaim_expired takes back, there is none
            needs=("leases",),
            thorough=number > 0,
        )


# --- complete, fail, renew --------------------------------------------------------------------------------------------


def _finishing() -> Iterator[Operation]:
    yield Operation(
        name="complete_task",
        method="complete_task",
        prepare=holding,
        call=lambda queue, scene: queue.attempt("complete_task", scene.held[0], scene.worker),
        rule=ended_whole_or_not(Status.COMPLETED),
    )
    yield Operation(
        name="fail_task with attempts left",
        method="fail_task",
        prepare=holding,
        call=_fail,
        rule=ended_whole_or_not(Status.QUEUED),
    )
    yield Operation(
        name="fail_task in the last attempt",
        method="fail_task",
        prepare=lambda queue: holding(queue, max_attempts=1),
        call=_fail,
        rule=ended_whole_or_not(Status.FAILED),
        needs=("enqueue.max_attempts",),
    )
    yield Operation(
        name="fail_task(retry=False)",
        method="fail_task",
        prepare=holding,
        call=lambda queue, scene: queue.attempt("fail_task", scene.held[0], scene.worker, "boom", retry=False),
        rule=ended_whole_or_not(Status.FAILED),
        needs=("fail_task.retry",),
    )
    yield Operation(
        name="renew_lease",
        method="renew_lease",
        prepare=holding,
        call=lambda queue, scene: queue.attempt("renew_lease", scene.held[0], scene.worker, 2 * LEASE),
        rule=renewed_or_not,
    )


def _fail(queue: QueueUnderTest, scene: Scene) -> Outcome:
    return queue.attempt("fail_task", scene.held[0], scene.worker, "boom")


# --- cancel, reclaim, delete ------------------------------------------------------------------------------------------


def _keeping(subject: Subject) -> Iterator[Operation]:
    yield Operation(
        name="cancel_task",
        method="cancel_task",
        prepare=last_waiting,
        call=lambda queue, scene: queue.attempt("cancel_task", scene.targets[0]),
        rule=ended_whole_or_not(Status.CANCELLED),
    )
    yield Operation(
        name="reclaim_expired",
        method="reclaim_expired",
        prepare=two_over,
        call=lambda queue, _: queue.attempt("reclaim_expired"),
        rule=reclaimed_whole_or_not,
        needs=("leases",),
    )
    if subject.promises.deletes:
        yield Operation(
            name="delete_finished",
            method="delete_finished",
            prepare=finished,
            call=lambda queue, _: queue.attempt("delete_finished", OLD_ENOUGH),
            rule=deleted_or_kept,
        )
