"""Runs a program against the code under test and the model side by side, call by call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from pytest_taskq.contract import Status
from pytest_taskq.model import calls as c
from pytest_taskq.model.claiming import claimed
from pytest_taskq.model.disagreement import Disagreement, Outcome, breaks
from pytest_taskq.model.enqueueing import cancelled, enqueued, enqueued_many, looked_at
from pytest_taskq.model.finishing import completed, failed, renewed
from pytest_taskq.model.observation import observe, round_trips
from pytest_taskq.model.state import ModelTask, Window
from pytest_taskq.model.upkeep import counted, deleted, reclaimed

if TYPE_CHECKING:
    from pytest_taskq.contract import TaskId
    from pytest_taskq.model.model import Model
    from pytest_taskq.model.state import Claim


class Queue(Protocol):
    """What a program needs of the code under test."""

    def attempt(self, method: str, /, *arguments: Any, **keywords: Any) -> Outcome:  # noqa: ANN401 - any method
        """Call a method; return what it came to."""
        ...

    def offers(self, feature: str, /) -> bool:
        """Whether a method, argument or feature is there."""
        ...

    def advance(self, seconds: float, /) -> None:
        """Let virtual time pass."""
        ...

    def insert(self, columns: Mapping[str, Any], /) -> TaskId | None:
        """Insert a row by plain SQL; None if the schema refuses it."""
        ...

    def stored(self) -> tuple[list[Mapping[str, Any]], bool] | None:
        """Return the stored rows and whether they are all; None if they cannot be seen."""
        ...


@dataclass
class Run:
    """One program on one fresh queue."""

    queue: Queue
    model: Model

    def __post_init__(self) -> None:
        self.ids: list[TaskId] = []

    def play(self, program: c.Program) -> list[Disagreement]:
        """Run the calls until the first one on which code and model part ways; return how they do."""
        for call in program:
            found = self.step(call)
            if found:
                return found
        return []

    def step(self, call: c.Call) -> list[Disagreement]:
        """Make one call, unless it has nothing to refer to or needs what is not offered; return the disagreements."""
        method = c.method_of(call)
        if method is not None and not self.queue.offers(method):
            return []
        before = set(self.model.state.tasks)
        self.model.returned = []
        judged = _STEPS[type(call)](self, call)
        if judged is None:
            return []
        found = list(judged)
        self.ids += [task_id for task_id in self.model.state.tasks if task_id not in before]
        return found or self._observed()

    def _observed(self) -> list[Disagreement]:
        stored = self.queue.stored()
        if stored is None:
            return []
        rows, complete = stored
        return [*observe(self.model, rows, complete=complete), *round_trips(self.model, rows)]

    def claim(self, number: int) -> Claim | None:
        """Return the claim of that number from the newest, None if there was none."""
        claims = self.model.state.claims
        return claims[-1 - number % len(claims)] if claims else None

    def task_id(self, number: int) -> TaskId | None:
        """Return the id of the task of that number; -1 is an id that no task has."""
        if number == -1:
            return 987_654_321
        return self.ids[number % len(self.ids)] if self.ids else None


Judged = Iterator[Disagreement] | None


def _keywords(queue: Queue, call: c.Enqueue) -> dict[str, Any]:
    """Return the options of an enqueue that are offered and differ from their defaults."""
    default = c.Enqueue()
    options = {
        "priority": (call.priority, default.priority),
        "delay_seconds": (call.delay, default.delay),
        "max_attempts": (call.max_attempts, default.max_attempts),
        "idempotency_key": (call.key, default.key),
        "compatibility": (call.compatibility, default.compatibility),
    }
    return {
        name: value for name, (value, usual) in options.items() if value != usual and queue.offers(f"enqueue.{name}")
    }


def _offered(queue: Queue, call: c.Enqueue) -> c.Enqueue:
    """Return the call as the queue can be asked it: options that are not offered keep their defaults."""
    given = _keywords(queue, call)
    return c.Enqueue(
        type=call.type,
        payload=call.payload,
        priority=given.get("priority", 100),
        delay=given.get("delay_seconds", 0.0),
        max_attempts=given.get("max_attempts", 5) if queue.offers("enqueue.max_attempts") else 10**9,
        key=given.get("idempotency_key"),
        compatibility=given.get("compatibility"),
    )


def _enqueue(run: Run, call: c.Enqueue) -> Judged:
    outcome = run.queue.attempt("enqueue", call.type, call.payload, **_keywords(run.queue, call))
    return enqueued(run.model, _offered(run.queue, call), outcome)


def _enqueue_many(run: Run, call: c.EnqueueMany) -> Judged:
    items = [{"type": one.type, "payload": one.payload, **_keywords(run.queue, one)} for one in call.items]
    outcome = run.queue.attempt("enqueue_many", items)
    offered = c.EnqueueMany(items=tuple(_offered(run.queue, one) for one in call.items))
    return enqueued_many(run.model, offered, outcome)


def _insert(run: Run, call: c.InsertRow) -> Judged:
    columns = dict(call.columns)
    task_id = run.queue.insert(columns)
    if task_id is None:
        return None
    state = run.model.state
    state.tasks[task_id] = ModelTask(
        id=task_id,
        type=columns["type"],
        payload=None,
        due=Window(state.now, state.now),
        place=state.next_place(),
        attempts=columns.get("attempts") or 0,
        max_attempts=columns.get("max_attempts") or 5,
        bad=True,
    )
    run.model.blame = {"*": breaks("CLM-11")}
    return iter(())


def _cancel(run: Run, call: c.Cancel) -> Judged:
    task_id = run.task_id(call.task)
    if task_id is None:
        return None
    return cancelled(run.model, call, task_id, run.queue.attempt("cancel_task", task_id))


def _get(run: Run, call: c.Get) -> Judged:
    task_id = run.task_id(call.task)
    if task_id is None:
        return None
    return looked_at(run.model, task_id, run.queue.attempt("get_task", task_id))


def _claim(run: Run, call: c.ClaimNext) -> Judged:
    queue = run.queue
    call = call if queue.offers("capabilities") else replace(call, capabilities={})
    common = (call.worker, call.capabilities, call.lease)
    if call.strategy is not None and call.strategy not in run.model.state.promises.strategies:
        return None
    if call.n is not None:
        outcome = queue.attempt("claim_many", call.n, *common)
    elif call.strategy is not None:
        outcome = queue.attempt("claim_by", call.strategy, *common)
    else:
        outcome = queue.attempt("claim_task", *common)
    return claimed(run.model, call, outcome)


def _complete(run: Run, call: c.Complete) -> Judged:
    claim = run.claim(call.claim)
    if claim is None:
        return None
    outcome = run.queue.attempt("complete_task", claim.task, call.worker or claim.worker)
    return completed(run.model, call, claim, outcome)


def _fail(run: Run, call: c.Fail) -> Judged:
    claim = run.claim(call.claim)
    if claim is None:
        return None
    keywords = {} if call.retry or not run.queue.offers("fail_task.retry") else {"retry": False}
    outcome = run.queue.attempt("fail_task", claim.task, call.worker or claim.worker, call.error, **keywords)
    asked = call if keywords else c.Fail(claim=call.claim, worker=call.worker, error=call.error)
    return failed(run.model, asked, claim, outcome)


def _renew(run: Run, call: c.Renew) -> Judged:
    claim = run.claim(call.claim)
    if claim is None:
        return None
    outcome = run.queue.attempt("renew_lease", claim.task, call.worker or claim.worker, call.lease)
    return renewed(run.model, call, claim, outcome)


def _reclaim(run: Run, _call: c.Reclaim) -> Judged:
    return reclaimed(run.model, run.queue.attempt("reclaim_expired"))


def _delete(run: Run, call: c.DeleteFinished) -> Judged:
    return deleted(run.model, call, run.queue.attempt("delete_finished", call.older_than))


def _stats(run: Run, _call: c.Stats) -> Judged:
    return counted(run.model, run.queue.attempt("queue_stats"))


def _pass(run: Run, call: c.Pass) -> Judged:
    state = run.model.state
    step = state.rounded_up(state.now + call.seconds * 1000) - state.now if call.seconds else call.steps * state.grid
    return _advance(run, step)


def _pass_until(run: Run, call: c.PassUntil) -> Judged:
    state = run.model.state
    moments: dict[str, list[int]] = {
        "lease": [t.deadline for t in state.tasks.values() if t.status is Status.LEASED and t.deadline is not None],
        "due": [t.due.high for t in state.tasks.values() if t.status is Status.QUEUED and t.waits_for],
        "retention": [
            t.finished + round(call.older_than * 1000) for t in state.tasks.values() if t.finished is not None
        ],
    }
    ahead = [moment for moment in moments[call.what] if moment + call.offset * state.grid > state.now]
    if not ahead:
        return None
    return _advance(run, state.rounded_up(min(ahead)) + call.offset * state.grid - state.now)


def _advance(run: Run, step: int) -> Judged:
    if step <= 0:
        return None
    run.queue.advance(step / 1000)
    run.model.state.now += step
    return iter(())


_STEPS: dict[type, Callable[[Run, Any], Judged]] = {
    c.Enqueue: _enqueue,
    c.EnqueueMany: _enqueue_many,
    c.InsertRow: _insert,
    c.Cancel: _cancel,
    c.Get: _get,
    c.ClaimNext: _claim,
    c.Complete: _complete,
    c.Fail: _fail,
    c.Renew: _renew,
    c.Reclaim: _reclaim,
    c.DeleteFinished: _delete,
    c.Stats: _stats,
    c.Pass: _pass,
    c.PassUntil: _pass_until,
}
