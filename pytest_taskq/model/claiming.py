"""Rules of a claim: what may be returned, in which order, and when nothing may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy, Status
from pytest_taskq.model.calls import method_of
from pytest_taskq.model.disagreement import Disagreement, Outcome, breaks, raised
from pytest_taskq.model.enqueueing import PLAIN, refuses_nul, seen_as
from pytest_taskq.model.state import Claim, ModelTask, Window, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.model.calls import ClaimNext
    from pytest_taskq.model.model import Model
    from pytest_taskq.model.state import State

_ORDER = {
    SchedulingStrategy.FIFO: "SCH-01",
    SchedulingStrategy.LIFO: "SCH-02",
    SchedulingStrategy.PRIORITY: "SCH-03",
}


def claimed(model: Model, call: ClaimNext, outcome: Outcome) -> Iterator[Disagreement]:
    """A claim returned some tasks, or none, or raised."""
    also = _also(call)
    model.blame = {
        "attempts": breaks("CLM-05") | also,
        "holder": breaks("LSE-01") | also,
        "deadline": breaks("LSE-01") | also,
        "error": breaks("FIN-09"),
        "*": breaks("CLM-01") | also | _if_bad_rows(model),
    }
    model.witness("CLM-01", *also, *_if_bad_rows(model))
    if outcome.error is not None and refuses_nul(outcome, call.worker):
        return
    if outcome.error is not None:
        yield raised(outcome, "a task or None", breaks("CLM-01") | also | _if_bad_rows(model) | _if_odd_worker(call))
        return
    tasks = _as_list(outcome.result)
    limit = 1 if call.n is None else call.n
    if len(tasks) > limit:
        yield Disagreement(breaks("CLM-12"), f"at most {limit} tasks", f"{len(tasks)} tasks")
        return
    for task in tasks:
        yield from _returned(model, call, task, also)
    if not tasks:
        yield from _nothing(model, call, also)
    _leave_over_unsure(model)


def _as_list(result: Any) -> list[Any]:  # noqa: ANN401 - as returned
    if result is None:
        return []
    return list(result) if isinstance(result, list | tuple) else [result]


def _also(call: ClaimNext) -> frozenset[str]:
    if call.n is not None:
        return breaks("CLM-12")
    return breaks("SCH-06") if call.strategy is not None else frozenset()


def _if_bad_rows(model: Model) -> frozenset[str]:
    return breaks("CLM-11") if any(task.bad for task in model.state.tasks.values()) else frozenset()


def _if_odd_worker(call: ClaimNext) -> frozenset[str]:
    return frozenset() if PLAIN.issuperset(call.worker) else breaks("ENQ-04")


def _returned(model: Model, call: ClaimNext, found: Any, also: frozenset[str]) -> Iterator[Disagreement]:  # noqa: ANN401 - any task
    state = model.state
    task = state.tasks.get(found.id)
    if task is None:
        known = "a deleted task" if found.id in state.deleted else "a task that nobody enqueued"
        yield Disagreement(breaks("CLM-01") | also, "a task that is in the queue", f"{found.id!r}, {known}")
        return
    refused = _forbidden(model, call, task)
    if refused:
        reason, ids = refused
        yield Disagreement(ids | also, "another task, or None", f"task {task.id!r}, which {reason}")
        return
    model.witness(*_reason_to_wait(task, state))
    yield from _out_of_order(model, call, task)
    _take(state, call, found, task)
    model.returned.append(found)
    if found.attempts is not None and found.attempts != task.attempts:
        yield Disagreement(
            breaks("CLM-05") | also, f"attempt {task.attempts} of task {task.id!r}", f"attempt {found.attempts}"
        )
    yield from seen_as(task, found, also)


def _forbidden(model: Model, call: ClaimNext, task: ModelTask) -> tuple[str, frozenset[str]] | None:
    """Return why the task must not be returned, and what returning it breaks; None if it may be."""
    state, here = model.state, breaks("CLM-01")
    if task.status is Status.COMPLETED:
        return "is completed", here | breaks("FIN-01")
    if task.status is Status.FAILED:
        return "is failed, a dead letter", here | breaks("FIN-09", *(["CLM-05"] if task.unable else []))
    if task.status is Status.CANCELLED:
        return "is cancelled", here | breaks("ENQ-10")
    if task.unable and not task.bad:
        return f"has used up its {task.max_attempts} attempts", here | breaks("CLM-05")
    if task.status is Status.LEASED and not state.over(task):
        return f"{task.holder} holds, the lease not being over", here | breaks("LSE-01")
    if task.status is Status.LEASED and model.fails_over_leases(method_of(call)):
        return 'is to fail once its lease is over (lease_over="fail")', here | breaks("LSE-01")
    if task.status is Status.QUEUED and state.now < task.due.low:
        causes = {"delay": ("ENQ-06",), "backoff": ("FIN-04", "FIN-05")}.get(task.waits_for, ())
        early = (task.due.low - state.now) / 1000
        return f"is not due for another {early:g} s ({task.waits_for})", here | breaks(*causes)
    if not task.bad and not satisfies(call.capabilities, task.compatibility):
        return f"needs {task.compatibility!r}, and the worker can {call.capabilities!r}", here | breaks("CLM-07")
    return None


def _reason_to_wait(task: ModelTask, state: State) -> tuple[str, ...]:
    """Return the requirements about waiting that this claim is evidence for."""
    found = {"delay": ("ENQ-06",), "backoff": ("FIN-04", "FIN-05")}.get(task.waits_for, ())
    over = ("LSE-01", "CLM-05") if state.over(task) or task.attempts else ()
    able = ("CLM-07",) if task.compatibility else ()
    return (*found, *over, *able)


def _out_of_order(model: Model, call: ClaimNext, task: ModelTask) -> Iterator[Disagreement]:
    state = model.state
    requirement = _ORDER.get(call.strategy) if call.strategy else None
    if requirement is None or task.bad:
        return
    rivals = [other for other in state.tasks.values() if other is not task and _servable(state, call, other)]
    if rivals:
        model.witness(requirement)
    if state.over(task) and state.promises.retried == "to_back":
        return
    earlier = next((other for other in rivals if comes_first(state, call.strategy, other, task)), None)
    if earlier is not None and call.strategy is not None:
        yield Disagreement(
            breaks(requirement), f"task {earlier.id!r}, which {call.strategy.name} serves first", f"task {task.id!r}"
        )


def comes_first(state: State, strategy: SchedulingStrategy | None, one: ModelTask, other: ModelTask) -> bool:
    """Whether ``strategy`` certainly serves ``one`` before ``other``."""
    if strategy is SchedulingStrategy.PRIORITY and one.priority != other.priority:
        ascending = state.promises.priority_order == "ascending"
        return (one.priority < other.priority) == ascending
    if strategy is SchedulingStrategy.LIFO:
        one, other = other, one
    if state.promises.fifo_key == "run_after":
        if one.due.high < other.due.low:
            return True
        return one.due == other.due and one.due.exact and one.place < other.place
    return one.place < other.place


def _servable(state: State, call: ClaimNext, task: ModelTask) -> bool:
    return state.must_be_claimable(task) and satisfies(call.capabilities, task.compatibility)


def _take(state: State, call: ClaimNext, found: Any, task: ModelTask) -> None:  # noqa: ANN401 - any task
    state.end_claims(task.id, by="reclaim")
    task.status, task.holder, task.unsure, task.waits_for = Status.LEASED, call.worker, False, ""
    task.attempts += 1
    task.lease = state.after(call.lease) if state.leases else None
    state.claims.append(Claim(found, task.id, task.attempts, call.worker))


def _nothing(model: Model, call: ClaimNext, also: frozenset[str]) -> Iterator[Disagreement]:
    state = model.state
    waiting = [task for task in state.tasks.values() if _servable(state, call, task)]
    if model.claims_reclaim and state.promises.lease_over == "requeue":
        waiting += [task for task in state.tasks.values() if state.over(task) and not task.unable]
    if waiting:
        ids = breaks("CLM-01").union(*(_late(model, call, task) for task in waiting))
        yield Disagreement(ids | also | _if_bad_rows(model), f"task {waiting[0].id!r}, which is claimable", "None")
        return
    kept_back = [
        task
        for task in state.tasks.values()
        if not task.bad and not satisfies(call.capabilities, task.compatibility or {})
    ]
    model.witness(*(["CLM-07"] if kept_back else []))
    for task in state.tasks.values():
        if task.status is Status.QUEUED and state.now < task.due.low:
            model.witness(*_reason_to_wait(task, state))
        elif task.status is Status.LEASED:
            model.witness("LSE-01")
        elif task.status is not Status.QUEUED:
            final = {"completed": "FIN-01", "failed": "FIN-09", "cancelled": "ENQ-10"}
            model.witness(final[task.status.value], *(["CLM-05"] if task.unable else []))


def _late(model: Model, call: ClaimNext, task: ModelTask) -> frozenset[str]:
    """Return what an empty claim breaks beside CLM-01, by what the task was waiting for."""
    ids = set(_reason_to_wait(task, model.state))
    if any(
        not satisfies(call.capabilities, other.compatibility or {})
        for other in model.state.tasks.values()
        if not other.bad
    ):
        ids.add("CLM-07")
    return frozenset(ids)


def _leave_over_unsure(model: Model) -> None:
    for task in model.state.tasks.values():
        if model.state.over(task):
            task.unsure = True


def requeued(state: State, task: ModelTask) -> None:
    """Put a task whose lease is over back: due at once, at its place or behind all others."""
    state.end_claims(task.id, by="reclaim")
    task.status, task.holder, task.lease, task.unsure = Status.QUEUED, None, None, False
    # "Due at once" leaves open whether the time it was first due is kept or set to now: what is stored tells.
    task.due, task.waits_for = Window(min(task.due.low, state.now), state.now), ""
    if state.promises.retried == "to_back":
        task.place = state.next_place()


def dead_lettered(state: State, task: ModelTask) -> None:
    """Give a task up."""
    state.end_claims(task.id, by="reclaim")
    task.status, task.holder, task.lease, task.unsure = Status.FAILED, None, None, False
    task.finished = state.now
