"""One test of the suite at work: how it is run, and what its phases come to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.grading.collection import is_joined
from pytest_taskq.grading.outcome import finding_of, findings_of
from pytest_taskq.grading.record import Record
from pytest_taskq.subject import Bench, NotJudgedError
from pytest_taskq.subject.violation import CallHungError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Stores

# Each hang costs the whole call timeout, and a thread blocked in C stays until the end of the process.
MOST_HANGS = 3


@dataclass(frozen=True)
class RunningCheck:
    """What a test of the suite needs while it runs; ``hangs`` is shared by all tests of the process."""

    requirement: Requirement
    instrument: Instrument
    name: str
    budget: Budget
    not_offered: str | None
    make_bench: Callable[[Stores], Bench]
    hangs: Counter[str]
    record: Record = field(default_factory=Record)

    def run(self, test: Callable[..., object], arguments: dict[str, Any], bench: Bench | None) -> None:
        """Call the test: in virtual time, in a watched thread, with a fresh queue if it asks for one."""
        if bench is None:
            test(**arguments)
            return
        if self.hangs.total() >= MOST_HANGS:
            hung = ", ".join(self.hangs)
            raise NotJudgedError(f"not tried: {self.hangs.total()} checks of this run hung before ({hung})")
        try:
            bench.run(lambda: bench.exactly(lambda: self._on(bench, test, arguments)))
            self.record.time_note = bench.time_note
        except CallHungError as error:
            self.hangs[str(error).partition("(")[0]] += 1
            raise

    def _on(self, bench: Bench, test: Callable[..., object], arguments: dict[str, Any]) -> None:
        self.record.forget()
        if "taskq_queue" not in arguments:
            test(**arguments)
            return
        with bench.queue() as queue:
            test(**{**arguments, "taskq_queue": queue})

    def findings(self, when: str, error: BaseException | None) -> Sequence[Finding]:
        """Return what the phase ``when`` found, which ended with ``error``; none for one that only went well."""
        if isinstance(error, pytest.skip.Exception):
            return [self._skipped(str(error))]
        if when == "call":
            return findings_of(error, self.record, self.requirement, self.instrument)
        if error is None or isinstance(error, pytest.xfail.Exception):
            return []
        found = finding_of(error, self.requirement, self.instrument)
        return [replace(found, verdict=Verdict.NOT_RUN, reason=f"{when} failed: {found.reason}")]

    def _skipped(self, reason: str) -> Finding:
        verdict = Verdict.NOT_OFFERED if self.not_offered else Verdict.UNSUPPORTED
        return self.finding(verdict, self.not_offered or reason or "skipped, and nothing says why")

    def finding(self, verdict: Verdict, reason: str) -> Finding:
        """Return a finding of this check."""
        return Finding.of(self.requirement, self.instrument, verdict, reason=reason)


CHECK = pytest.StashKey[RunningCheck]()


def rerun_command(item: pytest.Function, requirement_id: str, options: Sequence[str]) -> str:
    """Return the command that runs this test again, with the same seed."""
    tail = " ".join(options)
    if is_joined(item):
        return f'pytest --taskq-conformance -k "{requirement_id} and {item.originalname}" {tail}'
    return f'pytest "{item.nodeid}" {tail}'


def timing_command(item: pytest.Function, options: Sequence[str]) -> str:
    """Return the command that times alone what this run of pytest-xdist runs beside other tests."""
    which = "--taskq-conformance -m taskq" if is_joined(item) else item.nodeid.partition("::")[0]
    return " ".join(("pytest", which, "-k timing -n0", *options))


def of_item(item: pytest.Item, fixture: str) -> RunningCheck:
    """Return the check that an item is. Raises UsageError for a test of the user's own."""
    try:
        return item.stash[CHECK]
    except KeyError:
        raise pytest.UsageError(
            f"{item.nodeid} asks for {fixture}, which is for the tests of the conformance suite alone; "
            "for tests of your own there are queue_db, worker_claimer, queue_tasks, queue_clock and run_workers."
        ) from None
