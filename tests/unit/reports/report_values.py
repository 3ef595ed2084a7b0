"""Reports made by hand, as report.json holds them."""

from __future__ import annotations

from typing import Any

HOSTILE = (
    "<script>window.struck=1</script><img src=x onerror=window.struck=2>\"'></style></script></title>"
    "<svg onload=window.struck=3> javascript:alert(1) {{ 7*7 }} \x00\x1b[31m \ud800 \u202egnp.exe"
)

SCHEDULE: dict[str, Any] = {
    "scenario": "last-task",
    "token": "CLM-02.last-task.ab",
    "run": 3,
    "deviations": 1,
    "workers": ["a", "b"],
    "moments": [
        {"worker": 0, "kind": "call", "text": "claim_task('w1', {}, 60.0)", "notes": [], "number": None, "at": 0.0},
        {"worker": 0, "kind": "statement", "text": "SELECT id", "notes": ["=> (1,)"], "number": 1, "at": 0.0},
        {"worker": 1, "kind": "call", "text": "claim_task('w2', {}, 60.0)", "notes": [], "number": None, "at": 0.0},
        {"worker": 1, "kind": "statement", "text": "SELECT id", "notes": ["=> (1,)"], "number": 2, "at": 0.0},
        {"worker": 1, "kind": "return", "text": "-> <task 1, attempt 1>", "notes": [], "number": None, "at": 0.0},
        {"worker": 0, "kind": "statement", "text": "UPDATE t", "notes": [], "number": 3, "at": 0.0},
        {"worker": 0, "kind": "return", "text": "-> <task 1, attempt 2>", "notes": [], "number": None, "at": 0.0},
    ],
    "left_out": 0,
    "leases": [
        {"worker": 1, "task": "1", "began": 4, "ended": None, "ended_by": ""},
        {"worker": 0, "task": "1", "began": 6, "ended": None, "ended_by": ""},
    ],
}
HISTORY: dict[str, Any] = {
    "total": 100_000,
    "file": "histories/CLM-02-1.jsonl",
    "calls": [
        {
            "worker": f"w{n % 4}",
            "kind": "claim",
            "task": "w0-1" if n in (50, 51) else f"w0-{n}",
            "called": n * 1000,
            "returned": n * 1000 + 1500,
            "outcome": "",
            "witness": n in (50, 51),
        }
        for n in range(200)
    ],
    "leases": [
        {"worker": "w2", "task": "w0-1", "began": 51_500, "ended": None},
        {"worker": "w3", "task": "w0-1", "began": 52_500, "ended": None},
    ],
}
DEATH: dict[str, Any] = {  # w1 dies in its second call, and another process goes on under its name
    "total": 5,
    "file": "histories/ENQ-08-1.jsonl",
    "calls": [
        {"worker": worker, "kind": "enqueue", "task": task, "called": called, "returned": returned, "outcome": outcome}
        for worker, task, called, returned, outcome in (
            ("w0", "w0-1", 0, 9_000_000, ""),
            ("w1", "w1-1", 1_000_000, 2_000_000, ""),
            ("w1", "w1-2", 3_000_000, None, "died before it returned"),
            ("w1", "w1-3", 6_000_000, 7_000_000, ""),
        )
    ],
    "leases": [],
    "deaths": [{"worker": "w1", "at": 5_000_000, "call": 2}],
}
DEATH["calls"][1]["witness"] = True
CALLS: list[dict[str, Any]] = [
    {"kind": "call", "number": 1, "text": "enqueue('job', 0)", "outcome": "1"},
    {"kind": "note", "number": None, "text": "then claim_task(), statement by statement:", "outcome": ""},
    {"kind": "statement", "number": 1, "text": "BEGIN IMMEDIATE", "outcome": ""},
    {"kind": "death", "number": None, "text": "the process dies here", "outcome": ""},
]
LATENCY: dict[str, Any] = {
    "calls": [
        {
            "name": "claim_by(FIFO)",
            "samples": 1000,
            "p50": [0.001, 0.0009, 0.0011],
            "p95": [0.0061, 0.006, 0.0063],
            "p99": [0.0082, None, None],
            "target": 0.005,
            "quantile": 0.95,
            "exceeded": 90,
            "allowed": 66,
            "floor": {"samples": 1000, "p50": 0.0005, "p95": 0.0007, "p99": 0.001},
            "ratio": [2.0, 1.9, 2.1],
            "histogram": {
                "edges": [0.0003, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016],
                "counts": [0, 300, 500, 80, 90, 30],
                "floor": [400, 500, 90, 10, 0, 0],
            },
            "verdict": "FAIL",
        }
    ],
    "environment": {"cpu": "2 cores", "file system": "ext4"},
}
LOAD = {
    "workers": 4,
    "seconds": 30.0,
    "finished": 2400,
    "per_minute": 4800,
    "target": 400,
    "shares": [600, 500, 700, 600],
}
LAW = {
    "log10_e": -0.4,
    "claims": 3000,
    "threshold": 9,
    "excludes": "a weight that is off by a tenth",
    "classes": [{"weight": 1, "expected": 2000.0, "seen": 1987}, {"weight": 0.5, "expected": 1000.0, "seen": 1013}],
}


def finding(verdict: str = "PASS", instrument: str = "model", **values: Any) -> dict[str, Any]:
    return {
        "instrument": instrument,
        "finding": verdict,
        "explored": "200 programs, 4000 calls" if verdict == "PASS" else "",
        "seconds": 0.5,
        "check": "test_model::TestModel.test_it",
        "reason": "" if verdict == "PASS" else f"why it is {verdict}",
        "evidence": "",
        "replay": "",
        "details": {},
        **values,
    }


def requirement(name: str, verdict: str = "PASS", *findings: dict[str, Any], **values: Any) -> dict[str, Any]:
    found = [*findings] or [finding(verdict)]
    return {
        "id": name,
        "level": "MUST",
        "role": "engine" if name[:3] in ("CLM", "LSE", "FIN") else "client",
        "verdict": verdict,
        "reason": found[0]["reason"],
        "explored": "",
        "findings": found,
        "evidence": found[0]["evidence"],
        "replay": found[0]["replay"],
        **values,
    }


def report(*requirements: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "contract": "1.0",
        "kit": "0.1.0",
        "adapter": "team:Adapter",
        "backend": "sqlite 3.45.0",
        "clock": "vfs",
        "roles": {"engine": "graded", "client": "partial", "maintenance": "reference"},
        "seed": 7,
        "effort": "smoke",
        "summary": {"must": {"graded": 3, "passed": 1}, "should": {"graded": 0, "passed": 0}, "inconclusive": 1},
        "requirements": [*requirements],
        "not_selected": [],
        "waiting": {"LAT-02": ["timing"]},
        "partly": {},
        "reference_alone": 29,
        **values,
    }


BROKEN = {"expected": "one claim returns task 1", "seen": "two did"}
FULL = report(
    requirement(
        "CLM-02",
        "FAIL",
        finding(
            "FAIL",
            "interleavings",
            details={"schedule": SCHEDULE, "violation": BROKEN},
            evidence="schedule   last-task",
            replay="pytest --taskq-conformance --taskq-replay=CLM-02.last-task.ab",
        ),
        finding(
            "FAIL",
            "history",
            details={"history": HISTORY, "violation": BROKEN},
            recheck="taskq check histories/CLM-02-1.jsonl",
        ),
    ),
    requirement("ENQ-08", "FAIL", finding("FAIL", "history", details={"history": DEATH, "violation": BROKEN})),
    requirement("CLM-06", "FAIL", finding("FAIL", "crash points", details={"calls": CALLS, "violation": BROKEN})),
    requirement("LAT-02", "FAIL", finding("FAIL", "timing", details={"latency": LATENCY, "load": LOAD})),
    requirement("FIN-01", "NOT RUN"),
    requirement("ENQ-09", "INCONCLUSIVE"),
    requirement("ENQ-07", "NOT OFFERED"),
    requirement("ENQ-10", "KNOWN", finding("FAIL", "model", details={"calls": CALLS})),
    requirement("SCH-04", "PASS", finding("PASS", "statistics", details={"law": LAW})),
    *(requirement(f"CLM-{n:02d}") for n in (1, 3, 4, 5)),
)


def hostile(value: Any) -> Any:
    """Return the same shape with an attack in every text."""
    if isinstance(value, dict):
        return {key: hostile(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return HOSTILE if isinstance(value, str) and value not in {"statement", "call", "return", "FAIL"} else value
