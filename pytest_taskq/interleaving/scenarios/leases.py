"""The holder's calls against those that take the task away from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios.registry import races
from pytest_taskq.interleaving.scenarios.ways import Way, a_way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.interleaving.scenario import Player
    from pytest_taskq.subject import QueueUnderTest, Subject

LEASE = 10.0
JUMP = 15.0
RENEWED = 60.0


def leased(queue: QueueUnderTest) -> Any:  # noqa: ANN401 - a Task
    """Store a task and lease it to w1."""
    queue.enqueue()
    task = queue.claim_task("w1", lease_seconds=LEASE)
    queue.precondition(task, "a claim that returns the one task")
    return task


def over(queue: QueueUnderTest) -> Any:  # noqa: ANN401 - a Task
    """Store a task, lease it to w1, and let the lease be over."""
    task = leased(queue)
    queue.advance(LEASE + 1)
    return task


def holder(method: str, *more: Any, **keywords: Any) -> Callable[[Player], Any]:  # noqa: ANN401 - arguments of any method
    """Return the script of w1, who calls ``method`` for the task that it was given."""
    return lambda player: player(method, player.prepared, "w1", *more, **keywords)


def taker(way: Way, *, reclaims: bool) -> Callable[[Player], Any]:
    """Return the script of w2, who claims, after taking back what is over."""

    def take(player: Player) -> None:
        if reclaims:
            player("reclaim_expired")
        way.script("w2", RENEWED)(player)

    return take


@races("LSE-02", "LSE-03", "LSE-04", "MNT-05", "MNT-06")
def renew_and_reclaim(subject: Subject) -> Iterator[Scenario]:
    """The holder renews while its lease becomes over and somebody takes back what is over."""
    if subject.offers("renew_lease") and subject.offers("reclaim_expired"):
        scripts = [holder("renew_lease", RENEWED), lambda player: player("reclaim_expired")]
        yield while_it_becomes_over("renew", scripts, renewed_or_taken_back, renewed_or_taken_back)


def while_it_becomes_over(
    word: str,
    scripts: Sequence[Callable[[Player], Any]],
    judge: Callable[[Aftermath], None],
    judge_of_over: Callable[[Aftermath], None],
    needs: Sequence[str] = (),
) -> Scenario:
    """Return the race for a lease that becomes over at any moment; it is over before where no time can pass."""
    name = f"{word}-an-over-lease-while-reclaim"
    standing = Scenario(name=name, prepare=over, scripts=scripts, judge=judge_of_over, needs=needs)
    name = f"{word}-while-reclaim"
    return Scenario(name=name, prepare=leased, scripts=scripts, judge=judge, needs=needs, jump=JUMP, standing=standing)


def renewed_or_taken_back(after: Aftermath) -> None:
    """Require that either the renewal holds and the task stays, or it is refused."""
    (renewal,), (reclaim,) = after.of("renew_lease"), after.of("reclaim_expired")
    after.require_settled(early_locks=True)
    blamed = after.suspects(renewal, reclaim)
    if renewal.error is None and renewal.returned:
        # Renewed at some moment of the call for a minute; nothing can have been over after it.
        after.require_status(after.prepared.id, "leased", why=f"the renewal was accepted ({renewal})", by=blamed)
    if reclaim.error is None and reclaim.returned:
        after.require_status(after.prepared.id, "queued", "failed", why=f"it was taken back ({reclaim})", by=blamed)
        expected = "a renewal of what was taken back is refused"
        after.require(not renewal.returned, expected, f"{renewal}, and {reclaim}", *([blamed] if blamed else []))


@races("LSE-03", "FIN-02")
def holder_and_the_next_one(subject: Subject) -> Iterator[Scenario]:
    """The lease is over: the holder completes, fails or renews while the next worker takes the task."""
    way, reclaims = a_way(subject), subject.offers("reclaim_expired")
    calls = {"complete": holder("complete_task"), "renew": holder("renew_lease", RENEWED)}
    if subject.offers("fail_task.retry"):
        calls["fail"] = holder("fail_task", "boom", retry=False)
    for word, script in calls.items():
        method = f"{word}_{'lease' if word == 'renew' else 'task'}"
        if subject.offers(method):
            yield Scenario(
                name=f"{word}-while-the-next-claims",
                prepare=over,
                scripts=[script, taker(way, reclaims=reclaims)],
                judge=fenced,
            )


def fenced(after: Aftermath) -> None:
    """Require that the former holder's call is refused once somebody else holds the task, and changes nothing then."""
    after.require_settled(early_locks=True)
    call = after.by(0)[0]
    claim = next((one for one in after.of("claim_task", "claim_by") if one.returned is not None), None)
    if claim is None:
        return
    seen = f"{call}, and {claim}"
    after.require(not call.returned, "the call of a worker that lost its lease returns False", seen, call)
    after.require_status(after.prepared.id, "leased", why=f"the next worker holds it ({claim})", by=call)
    if after.queue.subject.shared_schema:
        row = after.rows()[after.prepared.id]
        expected = "the task is the next worker's"
        after.require(row["locked_by"] == "w2", expected, f"locked_by is {row['locked_by']!r}", call)
