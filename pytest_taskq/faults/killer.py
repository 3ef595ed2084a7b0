"""A task that kills each worker that claims it: the same queue, one death after another, until it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Status
from pytest_taskq.faults.evidence import death_lines
from pytest_taskq.faults.operations import Operation, claim_calls
from pytest_taskq.faults.real_death import killed_at
from pytest_taskq.faults.rules import Breach, Scene
from pytest_taskq.faults.situations import LEASE, stored
from pytest_taskq.faults.survivors import attempts_of, described, read_rows
from pytest_taskq.faults.sweep import Recording, record

if TYPE_CHECKING:
    from pytest_taskq.faults.survivors import Row
    from pytest_taskq.sqlite.files import Image
    from pytest_taskq.subject import Bench, QueueUnderTest, Subject

MAX_ATTEMPTS = 3
SPARE = 2  # rounds more than there may be claims, so that one too many is seen


def claim_again(subject: Subject, way: str, number: int, known: list[Any]) -> Operation:
    """Return the claim of round ``number``, from 1: the first after the enqueue, later ones after a reclaim."""
    method, call = claim_calls(subject)[way]

    def prepare(queue: QueueUnderTest) -> Scene:
        scene = Scene(queue.promises, known=list(known), worker=f"w{number}")
        if number == 1:
            stored(queue, scene, max_attempts=MAX_ATTEMPTS)
        elif queue.subject.offers("reclaim_expired"):
            queue.reclaim_expired()
        return scene

    return Operation(
        name=way,
        method=method,
        prepare=prepare,
        call=call,
        rule=lambda _left, _scene: None,
        succeeded=lambda _: True,
    )


@dataclass(frozen=True, slots=True)
class Death:
    """One round: the claim, the boundary at which its process died, and what that left."""

    recording: Recording
    number: int
    image: Image


@dataclass(frozen=True, slots=True)
class Course:
    """All rounds of one task: the deaths, and its row in the end."""

    deaths: tuple[Death, ...]
    row: Row | None
    task_id: Any

    @property
    def lines(self) -> list[str]:
        """What happened, for the reader: the first death in full, of the others where they struck."""
        first = self.deaths[0]
        lines = death_lines(first.recording, first.number)
        for number, death in enumerate(self.deaths[1:], 2):
            prepared = [line.partition(".")[2].strip() for line in death.recording.lines]
            statements = len(death.recording.statements)
            calls = "; ".join([*prepared, death.recording.outcome.call])
            lines.append(
                f"round {number}, a new process, the lease being over: {calls} dies before statement "
                f"{death.number + 1} of {statements}"
                if death.number < statements
                else f"round {number}, a new process, the lease being over: {calls} dies right after it"
            )
        return lines


def course(bench: Bench, way: str, *, seed: int, early: bool, real: bool = False) -> Course:
    """Let the task kill its worker in every claim: ``early`` as soon as the lease is in the file, else right after.

    ``real``: each death is that of a process that is killed.
    """
    deaths: list[Death] = []
    image: Image | None = None
    known: list[Any] = []
    moment = bench.clock.milliseconds
    for number in range(1, MAX_ATTEMPTS + SPARE + 1):
        bench.clock.milliseconds = moment
        one = record(bench, claim_again(bench.subject, way, number, known), seed=seed, start=image)
        known = one.scene.known
        if one.outcome.result is None:
            image = one.after
            break
        deaths.append(_death(bench, one, early=early))
        if real:
            deaths[-1] = _really(bench, deaths[-1], way, number, seed)
        image, moment = deaths[-1].image, one.moment + round((LEASE + 10) * 1000)
    bench.clock.milliseconds = moment
    with bench.restored(image or {}) as queue:
        row = read_rows(queue, known).get(known[0])
    return Course(tuple(deaths), row, known[0])


def _death(bench: Bench, one: Recording, *, early: bool) -> Death:
    for boundary in one.boundaries[1:-1] if early else ():
        bench.clock.milliseconds = one.moment
        with bench.restored(boundary.image) as queue:
            row = read_rows(queue, one.scene.known).get(one.scene.known[0], {})
        if row.get("status") == Status.LEASED and row.get("locked_by", one.scene.worker) == one.scene.worker:
            return Death(one, boundary.number, boundary.image)
    return Death(one, one.boundaries[-1].number, one.after)


def _really(bench: Bench, death: Death, way: str, number: int, seed: int) -> Death:
    one = death.recording
    known = [] if number == 1 else one.scene.known
    job = {"operation": way, "round": number, "known": known, "seed": seed, "die_at": death.number}
    return Death(one, death.number, killed_at(bench, one.start, one.began, job))


def course_breach(found: Course, bench: Bench) -> Breach | None:
    """Return what is wrong with how often the task was claimed and how it ended."""
    wanted = MAX_ATTEMPTS if bench.subject.promises.lease_over == "requeue" else 1
    claims = len(found.deaths)
    if claims != wanted:
        return Breach(
            f"a task with max_attempts={MAX_ATTEMPTS} that kills its worker every time is claimed {wanted} times",
            f"{claims} claims{' or more' if claims > wanted else ''}; {described(found.task_id, found.row)}",
        )
    row = found.row or {}
    if row.get("status", Status.FAILED) != Status.FAILED or attempts_of(row) not in (None, wanted):
        return Breach(f"it ends failed after {wanted} attempts", described(found.task_id, found.row))
    return None
