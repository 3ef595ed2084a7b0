"""The nouns of the queue: a task, its status, and the order in which tasks are served."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TaskId = int | str


class Status(StrEnum):
    """Where a task stands; its values are what the column ``status`` holds."""

    QUEUED = "queued"
    LEASED = "leased"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class SchedulingStrategy(StrEnum):
    """Which of the claimable tasks a claim serves."""

    FIFO = "fifo"
    LIFO = "lifo"
    PRIORITY = "priority"
    WEIGHTED_RANDOM = "weighted_random"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row of ``task_queue``, as it was when it was read.

    ``payload`` and ``compatibility`` are the stored JSON texts, times are UTC texts. A queue with its own storage
    fills ``id``, ``type``, ``payload`` and what else it knows; the rest stays None. ``handle`` belongs to the adapter:
    whatever it puts there comes back in complete, fail and renew (a receipt, a row, an attempt number).
    """

    id: TaskId
    type: str
    payload: str
    priority: int | None = None
    compatibility: str | None = None
    status: str | None = None
    attempts: int | None = None
    max_attempts: int | None = None
    run_after_utc: str | None = None
    reserved_at_utc: str | None = None
    lease_until_utc: str | None = None
    locked_by: str | None = None
    processing_started_utc: str | None = None
    finished_at_utc: str | None = None
    error_message: str | None = None
    idempotency_key: str | None = None
    created_at_utc: str | None = None
    updated_at_utc: str | None = None
    handle: object = None

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Task:
        """Make a task of a row, unknown columns left out. Raises ValueError if id, type or payload is missing."""
        present = set(row.keys())
        missing = [name for name in ("id", "type", "payload") if name not in present or row[name] is None]
        if missing:
            raise ValueError(f"a task row needs id, type and payload, but this one lacks {', '.join(missing)}")
        return cls(**{name: row[name] for name in _FIELDS if name in present})

    def to_dict(self) -> dict[str, Any]:
        """Return every column by name, without ``handle``; ``Task.from_dict`` of it is an equal task."""
        return {name: getattr(self, name) for name in COLUMNS}

    def get_payload_dict(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the payload as the JSON value that was enqueued. Raises ValueError if the text is not JSON."""
        return _decoded(self.id, "payload", self.payload)

    def get_compatibility_dict(self) -> dict[str, Any]:
        """Return what a worker must be able to do. Raises ValueError if the text is not a JSON object."""
        value = _decoded(self.id, "compatibility", self.compatibility or "{}")
        if not isinstance(value, dict):
            raise ValueError(f"compatibility of task {self.id!r} must be a JSON object, got {self.compatibility!r}")  # noqa: TRY004 - a bad value, not a bad type
        return value


def _decoded(task_id: TaskId, name: str, text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{name} of task {task_id!r} is not JSON: {text!r:.200}") from error


_FIELDS = tuple(field.name for field in fields(Task))
COLUMNS = tuple(name for name in _FIELDS if name != "handle")
