"""Rules of the client's calls: enqueue, batch, cancel, get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import FINAL, Status
from pytest_taskq.model.disagreement import Disagreement, Outcome, breaks, raised
from pytest_taskq.model.state import ModelTask, json_equal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.contract import TaskId
    from pytest_taskq.model.calls import Cancel, Enqueue, EnqueueMany
    from pytest_taskq.model.model import Model

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ")


# What Python raises where nobody thought of the row; an error that was meant is of another class.
_ACCIDENTS = frozenset(
    {
        AssertionError,
        AttributeError,
        IndexError,
        KeyError,
        NameError,
        OverflowError,
        RecursionError,
        TypeError,
        UnboundLocalError,
    }
)


def is_clear(error: Exception) -> bool:
    """Whether somebody meant to raise this for a row that no enqueue would write (INF-05)."""
    return type(error) not in _ACCIDENTS


def refuses_nul(outcome: Outcome, *texts: str) -> bool:
    """Whether a text with NUL was refused, which ENQ-04 allows."""
    return isinstance(outcome.error, ValueError | TypeError) and any("\0" in text for text in texts)


def enqueued(model: Model, call: Enqueue, outcome: Outcome, *, batch: bool = False) -> Iterator[Disagreement]:
    """One task was asked for."""
    ids = _concerned(model, call, batch=batch)
    model.witness(*ids)
    model.blame = _blame(ids, batch=batch)
    if outcome.error is not None and refuses_nul(outcome, call.type, call.key or ""):
        return
    if outcome.error is not None:
        yield raised(outcome, "an id: every argument is valid", ids)
        return
    yield from _stored(model, call, outcome.result, ids)


def enqueued_many(model: Model, call: EnqueueMany, outcome: Outcome) -> Iterator[Disagreement]:
    """A batch equals its single calls, item by item."""
    model.witness("ENQ-13")
    model.blame = {"*": breaks("ENQ-13")}
    if outcome.error is not None:
        yield raised(outcome, "ids: every item is valid", breaks("ENQ-13"))
        return
    ids = list(outcome.result)
    if len(ids) != len(call.items):
        yield Disagreement(breaks("ENQ-13"), f"{len(call.items)} ids, one an item", f"{len(ids)} ids")
        return
    for item, task_id in zip(call.items, ids, strict=True):
        yield from _stored(model, item, task_id, breaks("ENQ-13"))


def _concerned(model: Model, call: Enqueue, *, batch: bool) -> frozenset[str]:
    if batch:
        return breaks("ENQ-13")
    ids = {"ENQ-01"}
    if call.payload != {}:
        ids.add("ENQ-02")
    if not PLAIN.issuperset(call.type + (call.key or "")):
        ids.add("ENQ-04")
    if call.key is not None and _owner_of_key(model, call.key) is not None:
        ids.add("ENQ-05")
    if call.delay:
        ids.add("ENQ-06")
    return frozenset(ids)


def _blame(ids: frozenset[str], *, batch: bool) -> dict[str, frozenset[str]]:
    if batch:
        return {"*": ids}
    return {
        "payload": ids & breaks("ENQ-02") or breaks("ENQ-01"),
        "type": breaks("ENQ-01") | ids & breaks("ENQ-04"),
        "key": breaks("ENQ-01") | ids & breaks("ENQ-04"),
        "due": breaks("ENQ-01") | ids & breaks("ENQ-06"),
        "*": breaks("ENQ-01") | ids & breaks("ENQ-05"),
    }


def _owner_of_key(model: Model, key: str) -> TaskId | None:
    """Return the task that the key stands for within its promised scope."""
    state = model.state
    forever = state.promises.key_scope == "forever"
    for task in state.tasks.values():
        if task.key == key and (forever or task.status not in FINAL):
            return task.id
    return state.gone.get(key) if forever else None


def _stored(model: Model, call: Enqueue, task_id: Any, ids: frozenset[str]) -> Iterator[Disagreement]:  # noqa: ANN401 - as returned
    state = model.state
    owner = None if call.key is None else _owner_of_key(model, call.key)
    if owner is not None:
        if task_id != owner:
            yield Disagreement(ids, f"{owner!r}, the task that the key {call.key!r} stands for", f"{task_id!r}")
        return
    if task_id in state.tasks or task_id in state.deleted:
        broken = ids if call.key is None else ids | breaks("ENQ-05")
        yield Disagreement(broken, "an id that no other task has", f"{task_id!r}, the id of an earlier task")
        return
    state.tasks[task_id] = ModelTask(
        id=task_id,
        type=call.type,
        payload=call.payload,
        priority=call.priority,
        compatibility=call.compatibility or {},
        max_attempts=call.max_attempts,
        key=call.key,
        due=state.after(call.delay),
        waits_for="delay" if call.delay else "",
        place=state.next_place(),
    )


def cancelled(model: Model, _call: Cancel, task_id: TaskId, outcome: Outcome) -> Iterator[Disagreement]:
    """True exactly when the task was queued."""
    task = model.state.tasks.get(task_id)
    model.witness("ENQ-10")
    model.blame = {"*": breaks("ENQ-10")}
    if outcome.error is not None:
        yield raised(outcome, "True or False", breaks("ENQ-10"))
        return
    queued = task is not None and task.status is Status.QUEUED
    unsure = task is not None and task.unsure
    if outcome.result != queued and not unsure:
        state = "unknown" if task is None else task.status.value
        yield Disagreement(breaks("ENQ-10"), f"{queued}: the task is {state}", f"{outcome.result}")
        return
    if outcome.result and task is not None:
        task.status, task.finished, task.unsure = Status.CANCELLED, model.state.now, False


def looked_at(model: Model, task_id: TaskId, outcome: Outcome) -> Iterator[Disagreement]:
    """The task as it is, None for an unknown id."""
    model.witness("ENQ-11")
    model.blame = {"*": breaks("ENQ-11")}
    task = model.state.tasks.get(task_id)
    if outcome.error is not None:
        bad = task is not None and task.bad
        if not (bad and is_clear(outcome.error)):
            yield raised(outcome, "the task or None", breaks("ENQ-11", "INF-05") if bad else breaks("ENQ-11"))
        return
    found = outcome.result
    if (found is None) != (task is None):
        expected = "None: no such task" if task is None else f"task {task_id!r}"
        yield Disagreement(breaks("ENQ-11"), expected, "a task" if found is not None else "None")
        return
    if task is not None:
        model.returned.append(found)
        yield from seen_as(task, found, breaks("ENQ-11"))


def seen_as(task: ModelTask, found: Any, ids: frozenset[str]) -> Iterator[Disagreement]:  # noqa: ANN401 - any task
    """The fields that a returned task shows agree with what was enqueued; a field that is None shows nothing."""
    for name, known in (("type", task.type), ("priority", task.priority), ("max_attempts", task.max_attempts)):
        shown = getattr(found, name, None)
        if shown is not None and shown != known and not task.bad:
            yield Disagreement(_field_breaks(name, ids), f"{name} {known!r}", f"{name} {shown!r}")
    if task.bad:
        return
    try:
        payload = found.get_payload_dict()
    except Exception as error:  # noqa: BLE001 - whatever the team's task raises
        yield Disagreement(
            breaks("ENQ-02") | ids, "the payload that was enqueued", f"get_payload_dict raised {error!r:.200}"
        )
        return
    if not json_equal(payload, task.payload):
        yield Disagreement(breaks("ENQ-02") | ids, f"payload {task.payload!r:.100}", f"payload {payload!r:.100}")


def _field_breaks(name: str, ids: frozenset[str]) -> frozenset[str]:
    return ids | (breaks("ENQ-04", "ENQ-01") if name == "type" else breaks("ENQ-01"))
