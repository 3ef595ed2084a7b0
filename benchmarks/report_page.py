"""How long the page of a bad run takes to make, and how large it is: ``python -m benchmarks.report_page``.

50 requirements fail, each with a schedule of 30 moments (real ones have 8 to 30), and five of them with the proof in a
history of 100,000 calls. The targets are a second and two megabytes: a page that a browser opens at once.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter
from typing import Any

from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.history import Kind, Operation
from pytest_taskq.history.excerpt import history_details
from pytest_taskq.reports.html.page import render

FAILURES, HISTORIES, CALLS, MOMENTS = 50, 5, 100_000, 30
SECONDS, MEGABYTES = 1.0, 2.0


def history() -> dict[str, Any]:
    """Return the details of a history in which two processes hold one task."""
    operations = [
        Operation(
            kind=Kind.CLAIM if number % 2 else Kind.ENQUEUE,
            call=number * 1000,
            returned=number * 1000 + 1500,
            actor=f"w{number % 4}",
            task="w0-1" if number in (50_001, 50_003) else f"w0-{number}",
            lease=60 * 10**9,
        )
        for number in range(CALLS)
    ]
    return dict(history_details(operations, [operations[50_001], operations[50_003]], "histories/CLM-02-1.jsonl"))


def schedule() -> dict[str, Any]:
    """Return the details of a schedule of two workers, with statements as long as real ones."""
    statement = "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ? WHERE id = ? " * 2
    moments = [
        {
            "worker": number % 2,
            "kind": "statement",
            "text": statement,
            "notes": ["=> (1, 'job', 100, '{}', '{}', 'leased', 1, 5, '2030-12-31 23:59:50')"],
            "number": number + 1,
            "writing": True,
            "at": 0.0,
        }
        for number in range(MOMENTS)
    ]
    leases = [{"worker": worker, "task": "1", "began": 20, "ended": None, "ended_by": ""} for worker in (0, 1)]
    return {"scenario": "last-task", "run": 3, "workers": ["a", "b"], "moments": moments, "leases": leases}


def report(history: dict[str, Any]) -> dict[str, Any]:
    """Return a report as ``report.json`` holds it."""
    violation = {"expected": "one claim returns task 1", "seen": "two did"}
    failed = []
    for number, one in enumerate([*REQUIREMENTS.values()][:FAILURES]):
        kinds = [("interleavings", {"schedule": schedule(), "violation": violation})]
        kinds += [("history", {"history": history, "violation": violation})] if number < HISTORIES else []
        findings = [
            {
                "instrument": instrument,
                "finding": "FAIL",
                "seconds": 0.1,
                "reason": "two did",
                "evidence": "a line of evidence as the terminal prints it, a hundred columns wide\n" * 60,
                "details": details,
            }
            for instrument, details in kinds
        ]
        failed.append({"id": one.id, "level": "MUST", "role": one.role, "verdict": "FAIL", "findings": findings})
    return {"adapter": "team:Adapter", "requirements": failed}


def main() -> int:
    """Print what it takes; 1 if that is more than the targets."""
    begun = perf_counter()
    details = history()
    cut = perf_counter()
    plain = json.loads(json.dumps(report(details)))
    times = []
    for _ in range(5):
        before = perf_counter()
        page = render(plain)
        times.append(perf_counter() - before)
    size = len(page.encode()) / 1e6
    print(f"{CALLS:,} calls made and cut to {len(details['calls'])}: {cut - begun:.2f} s")
    print(f"{FAILURES} failures rendered in {min(times):.2f} s (first time {times[0]:.2f} s; target {SECONDS:g} s)")
    print(f"{size:.2f} MB (target {MEGABYTES:g} MB)")
    return int(min(times) > SECONDS or size > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
