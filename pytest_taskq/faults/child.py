"""A process that makes one call and is killed at one of its statement boundaries that stdin names."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.subject import Subject


def main() -> None:
    """Run the job; does not return unless the boundary is never reached."""
    job: dict[str, Any] = json.loads(sys.stdin.read())
    from pytest_taskq.faults.sweep import record
    from pytest_taskq.subject import Bench, Stores, Subject

    subject = Subject.load(job["adapter"])
    bench = Bench(subject, Stores(subject, Path(job["folder"])), means=job["means"])
    start = {name: base64.b85decode(content) for name, content in job["start"].items()}

    def work() -> None:
        bench.clock.milliseconds = job["milliseconds"]
        record(bench, operation_named(subject, job), seed=job["seed"], start=start, die_at=job["die_at"])

    bench.run(work)


def operation_named(subject: Subject, job: dict[str, Any]) -> Operation:
    """Return the operation of a job: one of the list, or a claim after a death."""
    from pytest_taskq.faults.killer import claim_again
    from pytest_taskq.faults.operations import operations

    if "round" in job:
        return claim_again(subject, job["operation"], job["round"], job["known"])
    return operations(subject)[job["operation"]]
