"""What the suite says of an adapter class about one requirement, in this process, by the plugin's own path."""

from __future__ import annotations

import inspect
from collections import Counter
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.grading.check import RunningCheck
from pytest_taskq.grading.places import stores_for
from pytest_taskq.grading.suite import ShippedTest, shipped_tests
from pytest_taskq.instruments.budget import Budget, Effort
from pytest_taskq.subject import Bench, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from pathlib import Path

    from pytest_taskq.subject import Stores


@cache
def subject_of(adapter_class: type[Any]) -> Subject:
    """Return the one subject of a class: schedules that requirements share are explored once for each subject."""
    return Subject(adapter_class.__name__, adapter_class)


def findings(
    adapter_class: type[Any],
    requirement: Requirement,
    folder: Path,
    effort: Effort = "smoke",
    seed: int = 1,
    *,
    instrument: Instrument | None = None,
    server: str | None = None,
    apart: Container[Instrument] = (),
) -> list[Finding]:
    """Return what every shipped check of ``requirement`` finds, or those of one instrument, or all but some ``apart``.

    Stores are made below ``folder``, or on the PostgreSQL server whose DSN is given. Raises ValueError if the
    requirement is not about the adapter's code, or the suite has no such check.
    """
    subject = subject_of(adapter_class)
    if not subject.graded(requirement):
        raise ValueError(f"{subject.name} overrides nothing that {requirement.id} grades: {requirement.grades}")
    tests = [
        test
        for test in shipped_tests()
        if test.check.requirement == requirement.id
        and instrument in (None, test.check.instrument)
        and test.check.instrument not in apart
    ]
    if not tests:
        what = f"{requirement.id} by {instrument}" if instrument else requirement.id
        raise ValueError(f"the suite has no check of {what}, so nothing would be found of {subject.name}")
    stores, hangs = stores_for(subject, server, folder), Counter[str]()
    try:
        return [
            finding
            for test in tests
            for finding in _run(test, _running(test, requirement, subject, Budget(effort, seed), hangs), stores)
        ]
    finally:
        stores.close()


def _running(
    test: ShippedTest, requirement: Requirement, subject: Subject, budget: Budget, hangs: Counter[str]
) -> RunningCheck:
    return RunningCheck(
        requirement=requirement,
        instrument=test.check.instrument,
        name=test.check.name,
        budget=budget,
        not_offered=subject.not_offered(requirement),
        make_bench=partial(Bench, subject),
        hangs=hangs,
    )


def _run(test: ShippedTest, check: RunningCheck, stores: Stores) -> Sequence[Finding]:
    if check.not_offered:  # the plugin marks it as skipped
        return [check.finding(Verdict.NOT_OFFERED, check.not_offered)]
    method = getattr(test.group(), test.method)
    names = set(inspect.signature(method).parameters)
    bench = check.make_bench(stores) if names & {"taskq_bench", "taskq_queue"} else None
    fixtures = {"taskq_bench": bench, "taskq_queue": None, "taskq_record": check.record, "taskq_budget": check.budget}
    known = {**fixtures, **test.parameters}
    if names - set(known):
        raise LookupError(f"{check.name} takes {names - set(known)}, and nobody but pytest has such a fixture")
    error = _raised(lambda: check.run(method, {name: known[name] for name in names}, bench))
    return check.findings("call", error)


def _raised(work: Callable[[], None]) -> BaseException | None:
    try:
        work()
    except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - becomes a finding
        return error
    return None
