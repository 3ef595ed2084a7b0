"""Query cost: how the work of a call grows with what it should not depend on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Finding, Instrument, Requirement, SchedulingStrategy, Verdict
from pytest_taskq.instruments.means import means_of
from pytest_taskq.instruments.meter import Meter
from pytest_taskq.subject.backlog import fill
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench, QueueUnderTest, Subject

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to make a call: its name in reports, the method it belongs to, and what to do before and in it."""

    name: str
    method: str
    prepare: Callable[[QueueUnderTest], Any]
    run: Callable[[QueueUnderTest, Any], Any]


def _nothing(_queue: QueueUnderTest) -> None:
    return None


def _claims(subject: Subject) -> list[Measured]:
    calls = [Measured("claim_task", "claim_task", _nothing, lambda queue, _: queue.claim_task())]
    return [*calls, *map(_claim_by, sorted(subject.promises.strategies))]


def _claim_by(strategy: SchedulingStrategy) -> Measured:
    return Measured(f"claim_by({strategy.name})", "claim_by", _nothing, lambda queue, _: queue.claim_by(strategy))


def _hot(subject: Subject) -> list[Measured]:
    """Return the hot calls, each on a task or two of its own beside whatever else is stored."""
    return [
        *_claims(subject),
        Measured("complete_task", "complete_task", lambda q: q.claim_task(), lambda q, task: q.complete_task(task)),
        Measured("reclaim_expired", "reclaim_expired", _one_over, lambda q, _: q.reclaim_expired()),
        Measured("delete_finished", "delete_finished", _one_finished, lambda q, _: q.delete_finished(10.0)),
    ]


def _one_over(queue: QueueUnderTest) -> None:
    queue.claim_task(lease_seconds=2.0)
    queue.advance(60.0)


def _one_finished(queue: QueueUnderTest) -> None:
    fill(queue, queue.promises.deletes[0], 1, ago=timedelta(hours=1))


class QueryCostJudge:
    """Judges INF-07 and SCH-08 by counting steps or rows; the oracle is off, since its triggers would count too."""

    def supports(self, subject: Subject) -> str | None:
        """Return why not for a queue with its own storage: rows cannot be put there by plain SQL."""
        return None if subject.shared_schema else "it needs the shared schema, and this queue has its own storage"

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with the steps counted; a growth that the requirement forbids raises ContractViolation."""
        means, subject = means_of(bench), bench.subject
        if requirement.id == "INF-07":
            judged, calls = means.uses_indexes, _hot(subject)
        else:
            judged, calls = means.is_flat, _claims(subject)
        graded = [
            call
            for call in calls
            if call.method in requirement.grades and call.method in subject.own and subject.offers(call.method)
        ]
        return Finding.of(requirement, Instrument.QUERY_COST, Verdict.PASS, explored=judged(bench, graded, budget))


# --- INF-07 ---------------------------------------------------------------------------------------------------------

_FEW, MANY = 100, 2_000


def uses_indexes(bench: Bench, calls: Sequence[Measured], _budget: Budget) -> str:
    """No statement of a hot call walks rows that do not concern it: return what was counted."""
    shown = []
    for call in calls:
        few, _ = _counted_beside(bench, call, _FEW)
        many, plans = _counted_beside(bench, call, MANY)
        for statement, steps in many.steps.items():
            grown = steps - few.steps[statement]
            if grown >= MANY - _FEW and "SCAN" in plans.get(statement, ""):
                raise ContractViolation(
                    f"{call.name} reads only the rows that concern it, through an index",
                    f"{steps} steps beside {4 * MANY} other rows, {few.steps[statement]} beside {4 * _FEW}\n"
                    f"in {statement}\n{plans[statement]}",
                    method=call.method,
                )
        shown.append(f"{call.name} {few.total} to {many.total}")
    return f"steps beside {4 * _FEW} and {4 * MANY} other rows: {', '.join(shown)}"


def fill_around(queue: QueueUnderTest, others: int) -> None:
    """Insert ``others`` rows of each kind that no hot call is about, and three that are due."""
    for status in ("completed", "failed", "leased"):
        fill(queue, status, others)
    fill(queue, "queued", others, delay=_MONTH)
    fill(queue, "queued", 3)


def _counted_beside(bench: Bench, call: Measured, others: int) -> tuple[Meter, dict[str, str]]:
    with bench.queue() as queue:
        fill_around(queue, others)
        call.run(queue, call.prepare(queue))  # opens connections, and does what is done once after rows come in
        prepared = call.prepare(queue)
        meter = Meter(queue.path)
        with meter.running():
            call.run(queue, prepared)
        _seen(meter, call)
        return meter, {shape: _plan(queue, text) for shape, text in meter.texts.items()}


def _plan(queue: QueueUnderTest, statement: str) -> str:
    """Return the lines of the statement's plan that walk the task table, "" if none does."""
    if statement.split(None, 1)[0].upper() not in ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH"):
        return ""
    lines = [row["detail"] for row in queue.sql(f"EXPLAIN QUERY PLAN {statement}")]
    return "\n".join(f"plan: {line}" for line in lines if line.startswith("SCAN"))


def _seen(meter: Meter, call: Measured) -> None:
    if not meter.total:
        raise NotJudgedError(f"no statement of {call.name} was seen: its connection could not be reached")


# --- SCH-08 ---------------------------------------------------------------------------------------------------------

BASE = 100
_BESIDE = 10_000
_SAMPLES = 15
ALLOWED, _SLACK = 1.5, 100


def situations(budget: Budget) -> Sequence[tuple[str, int, int]]:
    """Return what claims are measured in: its name, the rows queued, and those delayed and finished beside."""
    return (
        (f"{budget.backlog} queued", budget.backlog, 0),
        (f"{_BESIDE} delayed and {_BESIDE} finished beside", BASE, _BESIDE),
    )


def fill_backlog(queue: QueueUnderTest, *, queued: int, beside: int) -> None:
    """Insert the rows of a situation."""
    if beside:
        fill(queue, "queued", beside, delay=_MONTH)  # first, so that they stand in front
        fill(queue, "completed", beside)
    fill(queue, "queued", queued)


def is_flat(bench: Bench, calls: Sequence[Measured], budget: Budget) -> str:
    """The steps of a claim do not grow with the backlog, nor with rows beside: return what was counted."""
    base = _medians(bench, calls, queued=BASE, beside=0)
    shown = []
    for what, queued, beside in situations(budget):
        bench.tell(f"claims with {what}")
        for call, steps in _medians(bench, calls, queued=queued, beside=beside).items():
            if steps > base[call] * ALLOWED + _SLACK:
                raise ContractViolation(
                    f"a claim costs at most {base[call] * ALLOWED + _SLACK:.0f} steps ({ALLOWED} times what it costs "
                    f"with {BASE} queued, and {_SLACK})",
                    f"{call} costs {steps:.0f} steps with {what}, {base[call]:.0f} with {BASE} queued",
                    method=call.partition("(")[0],
                )
            shown.append(f"{call} {base[call]:.0f} to {steps:.0f} with {what}")
    return f"steps of a claim, median of {_SAMPLES}: {'; '.join(shown)}"


def _medians(bench: Bench, calls: Sequence[Measured], *, queued: int, beside: int) -> dict[str, float]:
    with bench.queue() as queue:
        fill_backlog(queue, queued=queued, beside=beside)
        return {call.name: _median(queue, call) for call in calls}


def _median(queue: QueueUnderTest, call: Measured) -> float:
    call.run(queue, None)  # what is paid once for the rows that came in is not counted: amortised
    meter, samples = Meter(queue.path), []
    with meter.running():
        for _ in range(_SAMPLES):
            meter.clear()
            task = call.run(queue, None)
            if task is None:
                raise NotJudgedError(f"{call.name} found nothing to claim while the backlog was there")
            samples.append(meter.total)
    _seen(meter, call)
    return median(samples)
