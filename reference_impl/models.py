"""Rows of the two smaller tables; a row of ``task_queue`` is the contract's ``Task``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class _FromRow:
    """Makes a dataclass of a row by column name; columns it does not know are left out."""

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Make one of a row; raises ValueError if its key column lacks."""
        known = [field.name for field in fields(cls)]  # type: ignore[arg-type] # every subclass is a dataclass
        present = set(row.keys())
        if known[0] not in present or row[known[0]] is None:
            raise ValueError(f"a row of {cls.__name__} needs {known[0]}, but this one has {sorted(present)}")
        return cls(**{name: row[name] for name in known if name in present})

    def to_dict(self) -> dict[str, Any]:
        """Return every column by name."""
        return asdict(self)  # type: ignore[call-overload,no-any-return] # every subclass is a dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker(_FromRow):
    """A worker that has sent a heartbeat; ``capabilities`` is JSON text, ``heartbeat_utc`` a UTC text."""

    worker_id: str
    capabilities: str = "{}"
    heartbeat_utc: str | None = None

    def get_capabilities_dict(self) -> dict[str, Any]:
        """Return what the worker is able to do. Raises ValueError if the text is not a JSON object."""
        value = json.loads(self.capabilities)
        if not isinstance(value, dict):
            raise ValueError(f"capabilities of {self.worker_id!r} must be a JSON object, got {self.capabilities!r}")  # noqa: TRY004 - a bad value, not a bad type
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLog(_FromRow):
    """One line about a task; ``details`` is JSON text or None."""

    log_id: int
    task_id: int | None = None
    at_utc: str | None = None
    level: str | None = None
    message: str | None = None
    details: str | None = None
