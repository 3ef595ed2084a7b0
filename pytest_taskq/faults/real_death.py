"""The same call in a process of its own, killed for real: no finding rests on copies of files alone."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_taskq.sqlite.files import StoreFiles
from pytest_taskq.subject.violation import InconclusiveError

if TYPE_CHECKING:
    from pytest_taskq.postgres.stores import ServerStore
    from pytest_taskq.sqlite.files import Image
    from pytest_taskq.subject import Bench

REALLY = "a process of its own, killed there by SIGKILL, left the same"
LIMIT = 30.0  # seconds; importing, preparing and one call take less than one


def died(returncode: int) -> bool:
    """Whether a process ended by the signal that it sent to itself."""
    return returncode in (-9, 15) if sys.platform != "win32" else returncode == 15  # noqa: PLR2004 - SIGKILL, SIGTERM


def killed_at(bench: Bench, start: Image, milliseconds: int, job: dict[str, Any]) -> Image:
    """Return the files that a process leaves which is killed at ``job["die_at"]`` of an operation begun on ``start``.

    Raises InconclusiveError if that process cannot be brought to die there.
    """
    with tempfile.TemporaryDirectory(prefix="taskq-death-") as place:
        begins = {name: base64.b85encode(content).decode() for name, content in start.items()}
        _kill(bench, place, milliseconds, job | {"start": begins})
        stores = [path for path in Path(place).iterdir() if path.is_dir()]
        with StoreFiles() as files:
            return files.image(max(stores, key=lambda path: int(path.name.rpartition("-")[2])))


def killed_on(bench: Bench, store: ServerStore, milliseconds: int, job: dict[str, Any]) -> None:
    """Let a process work on a store on a server and be killed as above; the server has noticed it when this returns."""
    with tempfile.TemporaryDirectory(prefix="taskq-death-") as place:
        _kill(bench, place, milliseconds, job | {"dsn": store.dsn, "schema": store.schema, "shift": store.moves_rows})
    store.end_connections()


def _kill(bench: Bench, place: str, milliseconds: int, job: dict[str, Any]) -> None:
    whole = job | {
        "adapter": bench.subject.import_string,
        "folder": place,
        "means": bench.clock.means,
        "milliseconds": milliseconds,
    }
    ended = _run(json.dumps(whole))
    if not died(ended.returncode):
        said = ended.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise InconclusiveError(
            f"a process of its own was to be killed at boundary {job['die_at']} of {job['operation']}, but ended "
            f"with {ended.returncode} and said: {said[0]:.300}"
        )


def _run(job: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path[:] = {sys.path!r}; from pytest_taskq.faults.child import main; main()"
    command = [sys.executable, "-c", program]
    try:
        return subprocess.run(  # noqa: S603 - this interpreter and a program of ours
            command, input=job, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired as error:  # subprocess.run has killed it
        raise InconclusiveError(f"a process of its own did not get through the call within {LIMIT:g} s") from error
