"""One database object in the hands of several threads, and of a forked child; each transaction has a known fate."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_taskq.recording.actor import Actor

_INSERT = "INSERT INTO workers (worker_id, capabilities) VALUES ({}, '{{}}')"
_FORK_LIMIT = 20.0


class _Abandoned(Exception):  # noqa: N818 - not an error: the transaction's fate
    """Ends a transaction that is to be rolled back."""


def sharing(actor: Actor) -> dict[str, Any]:
    """Run pairs of inserts in three threads until time is up, then fork; return what must be there and what not."""
    database = actor.adapter.db
    insert = _INSERT.format(actor.job["extra"]["placeholder"])
    fates: list[dict[str, Any]] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        number = 0
        while not actor.time_is_up:
            number += 1
            fate = _pair(database, insert, f"{name}-{number}", keep=number % 2 == 0)
            with lock:
                fates.append(fate)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fork = _forked(database, insert) if hasattr(os, "fork") and actor.job["extra"]["fork"] else ""
    fates.append(_pair(database, insert, "after-fork", keep=True))
    return {"fates": fates, "fork": fork}


def _pair(database: Any, insert: str, name: str, *, keep: bool) -> dict[str, Any]:  # noqa: ANN401 - the team's database object
    """Insert two rows in one transaction, with a moment between them in which the others run."""
    fate = {"name": name, "kept": False, "error": "", "call": time.monotonic_ns()}
    try:
        with suppress(_Abandoned), database.transaction() as connection:
            connection.execute(insert, (f"{name}/a",))
            time.sleep(0.0005)
            connection.execute(insert, (f"{name}/b",))
            if not keep:
                raise _Abandoned  # noqa: TRY301 - the way out of a transaction that is to be rolled back
        fate["kept"] = keep
    except Exception as error:  # noqa: BLE001 - what it raises is what happened
        from pytest_taskq.recording.actor import described

        fate["error"] = described(error)
    fate["returned"] = time.monotonic_ns()
    return fate


def _forked(database: Any, insert: str) -> str:  # noqa: ANN401 - the team's database object
    """Fork inside a transaction that is then rolled back; the child tries one of its own. Return how it ended."""
    with suppress(_Abandoned), database.transaction() as connection:
        connection.execute(insert, ("inherited/a",))
        child = os.fork()
        if child == 0:
            _leave_after(database)
        raise _Abandoned
    return _end_of(child)


def _leave_after(database: Any) -> None:  # noqa: ANN401 - the team's database object
    """Be the child: read, which is safe or refused, and be gone without any clean-up of what is the parent's."""
    code = 1
    try:
        with database.connection() as connection:
            connection.execute("SELECT count(*) FROM workers").fetchone()
        code = 0
    finally:
        os._exit(code)  # ends the child whatever was raised


def _end_of(child: int) -> str:
    deadline = time.monotonic() + _FORK_LIMIT
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "safe" if status == 0 else "refused"
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"
