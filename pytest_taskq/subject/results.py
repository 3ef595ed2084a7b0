"""What each method of an adapter may return, by type; what it means is the model's business."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_taskq.contract import Status


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _is_task(value: object) -> bool:
    return (
        _is_id(getattr(value, "id", None))
        and isinstance(getattr(value, "type", None), str)
        and isinstance(getattr(value, "payload", None), str)
        and callable(getattr(value, "get_payload_dict", None))
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_stats(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(k, str) and _is_count(n) for k, n in value.items())


_EXPECTED: dict[str, tuple[Callable[[object], bool], str]] = {
    "enqueue": (_is_id, "a task id (int or str)"),
    "enqueue_in": (_is_id, "a task id (int or str)"),
    "enqueue_many": (lambda v: isinstance(v, list | tuple) and all(map(_is_id, v)), "a list of task ids"),
    "cancel_task": (lambda v: isinstance(v, bool), "a bool"),
    "get_task": (lambda v: v is None or _is_task(v), "a Task or None"),
    "claim_task": (lambda v: v is None or _is_task(v), "a Task or None"),
    "claim_by": (lambda v: v is None or _is_task(v), "a Task or None"),
    "claim_many": (lambda v: isinstance(v, list | tuple) and all(map(_is_task, v)), "a list of Tasks"),
    "complete_task": (lambda v: isinstance(v, bool), "a bool"),
    "fail_task": (lambda v: isinstance(v, bool), "a bool"),
    "renew_lease": (lambda v: isinstance(v, bool), "a bool"),
    "queue_stats": (_is_stats, f"a dict of counts by status ({', '.join(Status)})"),
    "reclaim_expired": (_is_count, "an int"),
    "delete_finished": (_is_count, "an int"),
}


def wrong_type(method: str, result: object) -> str | None:
    """Return what type ``method`` must return if ``result`` is not of it, else None."""
    if method not in _EXPECTED:
        return None
    fits, wanted = _EXPECTED[method]
    return None if fits(result) else wanted
