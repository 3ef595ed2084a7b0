"""A process that makes one call and is killed at one of its statement boundaries that stdin names."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.subject import Bench, Subject


def main() -> None:
    """Run the job; does not return unless the boundary is never reached."""
    job: dict[str, Any] = json.loads(sys.stdin.read())
    from pytest_taskq.subject import Bench, Stores, Subject

    subject = Subject.load(job["adapter"])
    bench = Bench(subject, Stores(subject, Path(job["folder"])), means=job["means"])
    operation = operation_named(subject, job)

    def work() -> None:
        bench.clock.milliseconds = job["milliseconds"]
        (_on_server if "schema" in job else _on_files)(bench, operation, job)

    bench.run(work)


def _on_files(bench: Bench, operation: Operation, job: dict[str, Any]) -> None:
    from pytest_taskq.faults.sweep import record

    start = {name: base64.b85decode(content) for name, content in job["start"].items()}
    record(bench, operation, seed=job["seed"], start=start, die_at=job["die_at"])


def _on_server(bench: Bench, operation: Operation, job: dict[str, Any]) -> None:
    from pytest_taskq.faults.server_deaths import die_on
    from pytest_taskq.postgres.stores import ServerStore

    store = ServerStore(job["dsn"], job["schema"], Path(job["folder"]))
    store.move_time("shift" if job["shift"] else "shadow")
    die_on(bench, operation, store, seed=job["seed"], die_at=job["die_at"])


def operation_named(subject: Subject, job: dict[str, Any]) -> Operation:
    """Return the operation of a job: one of the list, or a claim after a death."""
    from pytest_taskq.faults.killer import claim_again
    from pytest_taskq.faults.operations import operations

    if "round" in job:
        return claim_again(subject, job["operation"], job["round"], job["known"])
    return operations(subject)[job["operation"]]
