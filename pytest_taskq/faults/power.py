"""One call and every call that it makes of its files, so that the power can fail after each of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_taskq.faults.disk import Disk
from pytest_taskq.faults.file_calls import SKIPPED, FileCall, file_calls_told
from pytest_taskq.faults.survivors import read_rows
from pytest_taskq.faults.sweep import OutOfReachError, seeded
from pytest_taskq.faults.switched import Switched
from pytest_taskq.sqlite.files import REBUILT, StoreFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.contract import TaskId
    from pytest_taskq.faults.disk import Cut
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Scene
    from pytest_taskq.faults.survivors import Rows
    from pytest_taskq.sqlite.files import Image
    from pytest_taskq.subject import Bench, Outcome

_SHOWN = 16


@dataclass
class FileLog(Switched):
    """Takes note of what changes the files of one folder; syncs are noted and left out."""

    folder: str = ""
    calls: list[FileCall] = field(default_factory=list)

    def before(self, call: FileCall) -> int:
        """Note the call by the file's name in the folder."""
        if self.active and call.path.startswith(self.folder) and not call.path.endswith(REBUILT):
            name = os.path.relpath(call.path, self.folder).replace(os.sep, "/")
            if call.kind in ("write", "truncate", "sync", "delete"):
                self.calls.append(replace(call, path=name))
        return SKIPPED if call.kind == "sync" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRecording:
    """One call: files and rows before and after it, and its calls on files. What was before it counts as synced."""

    operation: Operation
    moment: int
    scene: Scene
    outcome: Outcome
    lines: Sequence[str]
    start: Image
    calls: list[FileCall]
    before: Rows
    after: Rows

    @property
    def known(self) -> list[TaskId]:
        """The ids of all tasks that were acknowledged."""
        return self.operation.known_after(self.scene)


def record_files(bench: Bench, operation: Operation, *, seed: int) -> PowerRecording:
    """Run the operation once. Raises NotJudgedError if it does not succeed, or if a write of it was not seen."""
    log = FileLog()
    with StoreFiles() as files, file_calls_told(log), bench.queue() as queue, seeded(seed):
        log.folder = os.path.realpath(queue.path.parent)
        scene = operation.prepare(queue)
        before, lines, moment = read_rows(queue, scene.known), queue.transcript.lines, queue.clock.milliseconds
        start = files.image(queue.path.parent)
        with log.on():
            outcome = operation.call(queue, scene)
        end = files.image(queue.path.parent)
        scene.result = outcome.result
        after = read_rows(queue, operation.known_after(scene))
    operation.require_success(outcome)
    _refuse_if_incomplete(start, log.calls, end, outcome)
    return PowerRecording(
        operation=operation,
        moment=moment,
        scene=scene,
        outcome=outcome,
        lines=tuple(lines),
        start=start,
        calls=log.calls,
        before=before,
        after=after,
    )


def _refuse_if_incomplete(start: Image, calls: list[FileCall], end: Image, outcome: Outcome) -> None:
    """Replay all calls: if that does not give the very bytes of the files, something wrote that was not seen."""
    disk = Disk(start)
    for call in calls:
        disk.make(call)
    if dict(disk.files("all")) != dict(end):
        raise OutOfReachError(f"{outcome.call} wrote to its files by a way that was not seen, so no image can be made")


def cut_lines(recording: PowerRecording, cut: Cut) -> list[str]:
    """Return the calls before it, and the call's own calls on files with an arrow where the power failed."""
    lines = [*recording.lines, f"then {recording.outcome.call}, call by call on its files:"]
    arrow = f"===> the power fails here; of what is not synced, {cut.chosen} reached the disk"
    if cut.made == len(recording.calls):
        arrow += "; the call had returned"
    for number, call in enumerate(recording.calls):
        if number == cut.made:
            lines.append(arrow)
        if abs(number - cut.made) <= _SHOWN:
            lines.append(f"  {number + 1:>3}  {_line(call)}")
    return lines if cut.made < len(recording.calls) else [*lines, arrow]


def _line(call: FileCall) -> str:
    if call.kind == "write":
        return f"write {len(call.data)} bytes at {call.offset} of {call.path}"
    if call.kind == "truncate":
        return f"truncate {call.path} to {call.offset} bytes"
    return f"{call.kind} {call.path}{' and sync its folder' if call.kind == 'delete' and call.flag else ''}"
