"""Databases that many open at once, and one database object in many hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.history import SECOND, Kind, Operation
from pytest_taskq.history.overlap import met
from pytest_taskq.instruments.history_evidence import Broken, enough, nothing_raised
from pytest_taskq.recording import sessions
from pytest_taskq.recording.stage import Recording, Stage
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from pytest_taskq.subject import Subject


def opens_at_once(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that all could open at once, and left what one alone would have."""
    nothing_raised(recording, subject, (Kind.OPEN,))
    (_, expected), *together = recording.answers["schemas"].items()
    for dsn, found in together:
        if found != expected:
            differs = sorted(set(map(str, found)) ^ set(map(str, expected)))
            raise Broken(
                "the schema is the one that a single process makes", f"in {dsn}: {differs}", recording.operations
            )
    raced = sum(met([one for one in recording.operations if one.task == dsn]) > 1 for dsn, _ in together)
    enough(raced, 3, "databases were opened by several processes at the same time")
    return f"{len(together)} fresh databases, {raced} of them opened by several processes at the same time"


def record_sharing(stage: Stage, longer: int) -> Recording:
    """Record the session, with the rows that are there at the end."""
    recording = sessions.sharing(stage, longer)
    names = [row[0] for row in stage.queue.sql("SELECT worker_id FROM workers")]
    return Recording(operations=(), answers={**recording.answers, "names": names})


def shared_by_threads(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that each transaction has the fate that its thread gave it."""
    fates, fork = recording.answers["shared"]["fates"], recording.answers["shared"]["fork"]
    names = set(recording.answers["names"])
    for fate in fates:
        busy = any(word in fate["error"] for word in ("QueueBusyError",))
        waited = (fate["returned"] - fate["call"]) / SECOND
        if fate["error"] and not (busy and waited >= 0.9 * subject.promises.busy_timeout):
            raise Broken("a thread's transaction is its own", f"{fate['name']} raised {fate['error']}", ())
        there = [end for end in ("a", "b") if f"{fate['name']}/{end}" in names]
        if there != (["a", "b"] if fate["kept"] else []):
            what = "committed" if fate["kept"] else "rolled back"
            seen = f"{fate['name']} was {what}, and of its two rows there {'is' if len(there) == 1 else 'are'} {there}"
            raise Broken("a transaction is all or nothing, whatever other threads do", seen, ())
    if "inherited/a" in names:
        raise Broken("a fork is safe or refused", "the child's exit made the parent's open transaction permanent", ())
    if fork == "hung":
        raise NotJudgedError("the forked child did not come back from a read")
    spans = [
        Operation(kind=Kind.OPEN, actor=one["name"].split("-")[0], call=one["call"], returned=one["returned"])
        for one in fates
    ]
    overlapping = met(spans)
    enough(overlapping, 20, "transactions met another thread's")
    tried = f"a fork was {fork or 'not tried'}"
    return f"{len(fates)} transactions, {overlapping} at the same time as another thread's; {tried}"
