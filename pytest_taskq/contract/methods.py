"""The methods of an adapter as data: who owns them, and what their calls look like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who writes the code that a requirement grades."""

    INFRASTRUCTURE = "infrastructure"
    CLIENT = "client"
    ENGINE = "engine"
    SCHEDULING = "scheduling"
    OBSERVABILITY = "observability"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method of the adapter: its role, its parameters, and whether a queue may do without."""

    name: str
    role: Role
    parameters: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    optional: bool = False


_ENQUEUE_OPTIONS = ("priority", "delay_seconds", "max_attempts", "idempotency_key", "compatibility")
_CLAIMER = ("worker_id", "capabilities", "lease_seconds")

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(name="open_database", role=Role.INFRASTRUCTURE, parameters=()),
        Method(name="enqueue", role=Role.CLIENT, parameters=("type", "payload"), keywords=_ENQUEUE_OPTIONS),
        Method(name="cancel_task", role=Role.CLIENT, parameters=("task_id",)),
        Method(name="get_task", role=Role.CLIENT, parameters=("task_id",)),
        Method(
            name="enqueue_in",
            role=Role.CLIENT,
            parameters=("connection", "type", "payload"),
            keywords=_ENQUEUE_OPTIONS,
            optional=True,
        ),
        Method(name="enqueue_many", role=Role.CLIENT, parameters=("items",), optional=True),
        Method(name="claim_task", role=Role.ENGINE, parameters=_CLAIMER),
        Method(name="complete_task", role=Role.ENGINE, parameters=("task", "worker_id")),
        Method(name="fail_task", role=Role.ENGINE, parameters=("task", "worker_id", "error"), keywords=("retry",)),
        Method(name="renew_lease", role=Role.ENGINE, parameters=("task", "worker_id", "lease_seconds")),
        Method(name="claim_many", role=Role.ENGINE, parameters=("n", *_CLAIMER), optional=True),
        Method(name="claim_by", role=Role.SCHEDULING, parameters=("strategy", *_CLAIMER)),
        Method(name="queue_stats", role=Role.OBSERVABILITY, parameters=()),
        Method(name="reclaim_expired", role=Role.MAINTENANCE, parameters=()),
        Method(name="delete_finished", role=Role.MAINTENANCE, parameters=("older_than_seconds",)),
    )
}

# What a queue may declare as not offered: a method, an argument of one, or something that runs through several.
FEATURES: tuple[str, ...] = (
    *METHODS,
    *(f"{method.name}.{name}" for method in METHODS.values() for name in (*method.parameters, *method.keywords)),
    "leases",
    "capabilities",
    "worker_id",
    "shared schema",
)
