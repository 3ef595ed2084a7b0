"""Rules of maintenance and observability: reclaim, cleanup, statistics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_taskq.contract import Status
from pytest_taskq.model.claiming import dead_lettered, requeued
from pytest_taskq.model.disagreement import Disagreement, Outcome, breaks, raised
from pytest_taskq.model.state import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.model.calls import DeleteFinished
    from pytest_taskq.model.model import Model


def reclaimed(model: Model, outcome: Outcome) -> Iterator[Disagreement]:
    """Exactly the tasks whose lease is over are taken back."""
    state = model.state
    rule = breaks("MNT-05")
    over = [task for task in state.tasks.values() if state.over(task)]
    unsure = sum(task.unsure for task in over)
    exhausted = breaks("CLM-05", "FIN-09") if any(task.unable for task in over) else frozenset()
    model.witness("MNT-05", *(["LSE-01"] if over else []), *exhausted)
    model.blame = {"attempts": breaks("CLM-05"), "*": rule | exhausted}
    if outcome.error is not None:
        yield raised(outcome, f"{len(over)}", rule)
        return
    if not len(over) - unsure <= outcome.result <= len(over):
        leases = "no lease is over" if not over else f"the lease of {', '.join(repr(t.id) for t in over)} is over"
        yield Disagreement(rule, f"{len(over)}: {leases}", f"{outcome.result}")
        return
    for task in over:
        if task.unable or model.fails_over_leases("reclaim_expired"):
            dead_lettered(state, task)
        else:
            requeued(state, task)


def deleted(model: Model, call: DeleteFinished, outcome: Outcome) -> Iterator[Disagreement]:
    """Exactly the finished tasks older than the limit go."""
    state = model.state
    rule = breaks("MNT-01")
    limit = state.now - milliseconds(call.older_than)
    doomed = [
        task
        for task in state.tasks.values()
        if task.status.value in state.promises.deletes and task.finished is not None and task.finished < limit
    ]
    model.blame = {"*": rule}
    if doomed or any(task.finished is not None for task in state.tasks.values()):
        model.witness("MNT-01")
    if outcome.error is not None:
        yield raised(outcome, f"{len(doomed)}", rule)
        return
    if outcome.result != len(doomed):
        which = ", ".join(repr(task.id) for task in doomed) or "none"
        yield Disagreement(rule, f"{len(doomed)} deleted ({which})", f"{outcome.result}")
        return
    for task in doomed:
        state.deleted.add(task.id)
        if task.key is not None:
            state.gone[task.key] = task.id
        del state.tasks[task.id]


def counted(model: Model, outcome: Outcome) -> Iterator[Disagreement]:
    """The counts are exact; a status without tasks is 0 or absent."""
    rule = breaks("OBS-01")
    model.witness("OBS-01")
    model.blame = {"*": rule}
    if outcome.error is not None:
        yield raised(outcome, "counts per status", rule)
        return
    tasks = model.state.tasks.values()
    if any(task.unsure for task in tasks):
        return
    expected = Counter(task.status.value for task in tasks)
    seen = {str(status): count for status, count in outcome.result.items() if count}
    if seen != dict(expected):
        yield Disagreement(rule, f"{dict(sorted(expected.items()))}", f"{dict(sorted(seen.items()))}")


def settle(model: Model, task_id: object, status: Status) -> None:
    """An observation shows what became of a task whose lease was over when a claim went by."""
    task = model.state.tasks[task_id]  # type: ignore[index]  # the id of a task that is there
    if status is Status.QUEUED:
        requeued(model.state, task)
    elif status is Status.FAILED and (task.unable or model.state.promises.lease_over == "fail"):
        dead_lettered(model.state, task)
    else:
        task.unsure = False
