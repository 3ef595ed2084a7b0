"""Rules of the holder's calls: complete, fail, renew; whoever is not the holder changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from pytest_taskq.contract import Status
from pytest_taskq.model.disagreement import Disagreement, Outcome, breaks, raised
from pytest_taskq.model.enqueueing import PLAIN, refuses_nul
from pytest_taskq.model.state import Claim, ModelTask, Window, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.model.calls import Complete, Fail, Renew
    from pytest_taskq.model.model import Model

Fence = Callable[[Claim, bool, bool], frozenset[str]]

_LONG = 1000


def completed(model: Model, call: Complete, claim: Claim, outcome: Outcome) -> Iterator[Disagreement]:
    """The holder's completion takes effect, anyone else's does not."""
    accepted = yield from _answered(model, claim, call.worker or claim.worker, outcome, breaks("FIN-01"), _fence)
    if accepted is not None:
        accepted.status, accepted.finished = Status.COMPLETED, model.state.now
        accepted.holder = accepted.lease = None
        model.state.end_claims(accepted.id, by="complete")


def failed(model: Model, call: Fail, claim: Claim, outcome: Outcome) -> Iterator[Disagreement]:
    """The holder's failure requeues after the backoff, or ends in the dead letters."""
    robust = breaks("FIN-08") if len(call.error) > _LONG or not PLAIN.issuperset(call.error) else frozenset()
    rules = breaks("FIN-04") | robust
    if outcome.error is not None and call.retry:
        rules |= breaks("FIN-05")  # a backoff that overflows raises before it is stored
    accepted = yield from _answered(model, claim, call.worker or claim.worker, outcome, rules, _fence)
    if accepted is None:
        return
    model.witness("FIN-05", *robust)
    model.blame = {
        "due": breaks("FIN-05", "FIN-04"),
        "error": rules,
        "holder": breaks("FIN-09"),
        "deadline": breaks("FIN-09"),
        "*": rules,
    }
    accepted.error = call.error
    accepted.holder = accepted.lease = None
    model.state.end_claims(accepted.id, by="fail")
    if call.retry and not accepted.unable:
        _retry_later(model, accepted)
    else:
        model.witness("FIN-09")
        model.blame = {"*": rules | breaks("FIN-09")}
        accepted.status, accepted.finished = Status.FAILED, model.state.now


def _retry_later(model: Model, task: ModelTask) -> None:
    state = model.state
    shortest, longest = state.promises.backoff.window(task.attempts)
    low = state.now + int(shortest * 1000)
    task.status, task.waits_for = Status.QUEUED, "backoff"
    task.due = Window(low, state.rounded_up(state.now + milliseconds(longest)))
    if state.promises.retried == "to_back":
        task.place = state.next_place()


def renewed(model: Model, call: Renew, claim: Claim, outcome: Outcome) -> Iterator[Disagreement]:
    """The holder's renewal moves the deadline, anyone else's does not."""
    accepted = yield from _answered(
        model, claim, call.worker or claim.worker, outcome, breaks("LSE-02"), _renewal_fence
    )
    if accepted is not None:
        accepted.lease = model.state.after(call.lease)


def _fence(claim: Claim, stranger: bool, leased: bool) -> frozenset[str]:
    if stranger:
        return breaks("FIN-02")
    if claim.ended_by == "reclaim":
        return breaks("FIN-02") if leased else breaks("FIN-02", "FIN-03")
    return breaks("FIN-03")


def _renewal_fence(_claim: Claim, _stranger: bool, _leased: bool) -> frozenset[str]:
    return breaks("LSE-03")


def _answered(
    model: Model, claim: Claim, worker: str, outcome: Outcome, rules: frozenset[str], fence: Fence
) -> Generator[Disagreement, None, ModelTask | None]:
    """Judge the answer to a holder's call; return the task if the call took effect."""
    state = model.state
    task = state.tasks.get(claim.task_id)
    holder = state.holder_of(claim.task_id)
    holds = task is not None and holder is claim and worker == claim.worker
    leased = task is not None and task.status is Status.LEASED
    fenced = fence(claim, worker != claim.worker, leased)
    late = task is not None and state.over(task)
    expected = holds and not (late and state.promises.late_finish == "refuse")
    ids = rules if holds and not late else fenced if not holds else _late_rules(rules)
    model.witness(*ids)
    model.blame = {"*": ids}
    if outcome.error is not None and refuses_nul(outcome, worker):
        return None
    if outcome.error is not None:
        odd = frozenset() if PLAIN.issuperset(worker) else breaks("ENQ-04")
        yield raised(outcome, f"{expected}", ids | odd)
        return None
    answer = bool(outcome.result)
    if answer != expected and not (task is not None and task.unsure and holds):
        yield Disagreement(ids, f"{expected}: {_standing(claim, worker, task, late=late)}", f"{answer}")
        return None
    if answer and task is not None:
        task.unsure = False
        return task
    return None


def _late_rules(rules: frozenset[str]) -> frozenset[str]:
    return rules if "LSE-02" in rules else breaks("FIN-02")


def _standing(claim: Claim, worker: str, task: ModelTask | None, *, late: bool) -> str:
    """Say in words why the call must be accepted or refused."""
    if task is None:
        return "the task was deleted"
    if worker != claim.worker:
        return f"{worker} never held task {task.id!r}"
    if claim.ended_by == "reclaim":
        return f"{worker} lost attempt {claim.attempt} of task {task.id!r} when its lease was over"
    if claim.ended_by:
        return f"attempt {claim.attempt} of task {task.id!r} was ended by {claim.ended_by}"
    return f"{worker} holds task {task.id!r}" + (", its lease over but nobody having taken it back" if late else "")
