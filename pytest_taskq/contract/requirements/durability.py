"""DUR: what is left when the power, the disk or the storage fails."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Requirement

WRITING_METHODS: tuple[str, ...] = (
    "enqueue",
    "cancel_task",
    "claim_task",
    "claim_by",
    "complete_task",
    "fail_task",
    "renew_lease",
    "reclaim_expired",
    "delete_finished",
)

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="DUR-01",
        role=Role.CLIENT,
        grades=WRITING_METHODS,
        needs=("enqueue",),
        how="c",
        text=(
            'With `durability="power"`: in every image of the disk that a power cut may leave, what was acknowledged '
            "is there and the database is whole."
        ),
        why=(
            "In WAL mode with synchronous NORMAL a commit may be gone after a power cut. Whoever promised 'power' and "
            "runs NORMAL tells customers that an order is safe which the disk has never seen."
        ),
        look_at=(
            "`PRAGMA synchronous` on the connection that writes: FULL or EXTRA",
            "another connection of the same process that still runs NORMAL or OFF",
            "a copy or restore that leaves an old `-wal` file beside the database",
        ),
        bugs=("mozilla/glean#3478", "WordPress/sqlite-database-integration#483"),
    ),
    Requirement(
        id="DUR-02",
        role=Role.CLIENT,
        grades=WRITING_METHODS,
        needs=("enqueue",),
        how="c",
        text=(
            "Disk full, I/O error, read-only storage: a clear error, nothing acknowledged lost, nothing half done, and "
            "the queue works again when the fault is gone."
        ),
        why=(
            "A full disk is an ordinary event. If the error is swallowed the producer believes its task is stored; "
            "if the connection stays in a broken transaction every worker must be restarted by hand."
        ),
        look_at=(
            "an explicit ROLLBACK when COMMIT fails: SQLite may leave the transaction open",
            "errors that are mapped to 'busy' and retried for ever",
            "a True or an id that is returned although COMMIT raised",
        ),
    ),
)
