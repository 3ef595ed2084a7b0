"""What can be seen of an adapter by running each of its calls once, on stores that the kit makes and removes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from pytest_taskq.contract import METHODS, Role
from pytest_taskq.doctor.sign import Sign, State
from pytest_taskq.subject import NotJudgedError
from pytest_taskq.subject.store import SQLITE
from pytest_taskq.subject.violation import CallHungError, ContractViolation, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.subject import Bench, QueueUnderTest, Subject

_IMPORT_LIMIT = 60.0  # seconds
_THREAD_LIMIT = 20.0
_THREAD = "taskq-doctor"


def code_signs(subject: Subject, bench: Bench) -> Iterator[Sign]:
    """Yield what holds for this adapter; ``bench`` is where it is tried."""
    yield _what_is_graded(subject)
    yield _importable(subject)
    tries: list[tuple[str, Callable[[Bench], Sign]]] = [("calls", _calls), ("isolation", _isolation)]
    tries += [("threads", _threads)]
    if subject.shared_schema:
        tries += [("statements", _statements)] if bench.backend == SQLITE else []
        tries += [("settings", _settings)]
    for area, tried in tries:
        sign = _tried(area, tried, bench)
        yield sign
        if sign.state is State.WRONG and area == "calls":
            return  # the others would say the same in more words


def _tried(area: str, tried: Callable[[Bench], Sign], bench: Bench) -> Sign:
    try:
        return bench.run(lambda: tried(bench))
    except ContractViolation as error:
        cure = "mend that first: each check would meet it"
        return Sign(area, State.WRONG, f"expected: {error.expected}; seen: {error.seen}", cure)
    except CallHungError as error:
        return Sign(area, State.WRONG, str(error), "a call must come back; raise --taskq-call-timeout if it is slow")
    except UnsupportedError as error:
        return Sign(area, State.NOTE, str(error), "what needs it is listed as unsupported")
    except NotJudgedError as error:
        return Sign(area, State.NOTE, f"could not be tried: {error}")


def _what_is_graded(subject: Subject) -> Sign:
    roles = [f"{role.value} {how}" for role in Role if (how := subject.role_summary(role)) != "reference"]
    return Sign.ok("adapter", f"{subject.name}: {', '.join(sorted(subject.own))} ({'; '.join(roles)})")


def _importable(subject: Subject) -> Sign:
    """Histories and crashes start processes of their own, which import the adapter by its name."""
    code = "import sys; from pytest_taskq.subject import Subject; Subject.load(sys.argv[1])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        ran = subprocess.run(  # noqa: S603 - our own command, no shell
            [sys.executable, "-c", code, subject.import_string],
            env=environment, capture_output=True, text=True, timeout=_IMPORT_LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        found = f"another process did not import it within {_IMPORT_LIMIT:g} s"
        return Sign("import", State.WRONG, found, "do no work at import time")
    if ran.returncode:
        last = ran.stderr.strip().splitlines()[-1:] or ["it ended without a word"]
        cure = "name a class at the top of a module that can be imported from anywhere; install your package"
        return Sign("import", State.WRONG, f"another process cannot import it: {last[0]}", cure)
    return Sign.ok("import", "another process imports it by name")


def _calls(bench: Bench) -> Sign:
    with bench.queue(in_real_time=True) as queue:
        made = [name for name in METHODS if _made(queue, name)]
    return Sign.ok("calls", f"return what the contract says: {', '.join(made)}")


def _made(queue: QueueUnderTest, method: str) -> bool:
    """Whether the call is the team's and was made once, with ordinary arguments."""
    if method not in queue.subject.own or not queue.subject.offers(method) or method not in _ONCE:
        return False
    _ONCE[method](queue)
    return True


def _held(queue: QueueUnderTest) -> object:
    queue.enqueue()
    task = queue.claim_task()
    queue.require(task is not None, "claim_task returns the one task that is due", "None", method="claim_task")
    return task


_ONCE: dict[str, Callable[[QueueUnderTest], object]] = {
    "open_database": lambda q: q.store,
    "enqueue": lambda q: q.enqueue(),
    "cancel_task": lambda q: q.cancel_task(q.enqueue()),
    "get_task": lambda q: q.get_task(q.enqueue()),
    "enqueue_many": lambda q: q.enqueue_many([{"type": "job", "payload": {}}]),
    "claim_task": _held,
    "complete_task": lambda q: q.complete_task(_held(q)),  # type: ignore[arg-type]  # a task by then
    "fail_task": lambda q: q.fail_task(_held(q)),  # type: ignore[arg-type]  # as above
    "renew_lease": lambda q: q.renew_lease(_held(q)),  # type: ignore[arg-type]  # as above
    "claim_many": lambda q: q.claim_many(1),
    "claim_by": lambda q: q.claim_by(min(q.promises.strategies)),
    "queue_stats": lambda q: q.queue_stats(),
    "reclaim_expired": lambda q: q.reclaim_expired(),
    "delete_finished": lambda q: q.delete_finished(),
}


def _isolation(bench: Bench) -> Sign:
    """A task that goes into one store is in that one and in no other."""
    if not bench.subject.offers("enqueue"):
        return Sign("isolation", State.NOTE, "could not be tried: enqueue is not offered")
    with bench.queue(in_real_time=True) as one, bench.queue(in_real_time=True) as other:
        one.enqueue()
        if _tasks_in(other):
            return _shared("is seen in another store")
        if not _tasks_in(one):
            return _shared("does not arrive in the store that it was given")
    return Sign.ok("isolation", "what goes into one store is in that one alone")


def _shared(seen: str) -> Sign:
    cure = "use self.db, or open self.dsn; a path, an engine or a pool kept in a module global is every store's"
    return Sign("isolation", State.WRONG, f"a task that is enqueued {seen}", cure)


def _tasks_in(queue: QueueUnderTest) -> int:
    if queue.subject.shared_schema:
        return len(queue.sql("SELECT id FROM task_queue"))
    return int(queue.claim_task() is not None)


def _threads(bench: Bench) -> Sign:
    """Each actor has an instance of its own; actors of an interleaving are threads of one process."""
    before = set(threading.enumerate())
    with bench.queue(in_real_time=True) as queue:
        _work(queue)
        error = _in_a_thread(queue.another(apart=True))
    if error is not None:
        cure = "keep no connection in a module global; open one per instance, or per thread"
        return Sign("threads", State.WRONG, f"a second instance in another thread fails: {error}", cure)
    left = [one.name for one in set(threading.enumerate()) - before if one.is_alive() and one.name != _THREAD]
    if left:
        cure = "end in close() what the instance started"
        return Sign("threads", State.NOTE, f"close() leaves threads behind: {', '.join(left)}", cure)
    return Sign.ok("threads", "a second instance works in a thread of its own")


def _in_a_thread(actor: QueueUnderTest) -> Exception | None:
    failed: list[Exception] = []

    def work() -> None:
        try:
            _work(actor)
            actor.close_actor()
        except Exception as error:  # noqa: BLE001 - handed to the caller
            failed.append(error)

    thread = threading.Thread(target=work, name=_THREAD, daemon=True)
    thread.start()
    thread.join(_THREAD_LIMIT)
    return failed[0] if failed else (TimeoutError("it did not come back") if thread.is_alive() else None)


def _statements(bench: Bench) -> Sign:
    """Interleavings need to see every statement of the team's connections."""
    from pytest_taskq.doctor.listening import statements_of

    with bench.queue(in_real_time=True) as queue:
        if queue.subject.offers("enqueue"):
            queue.enqueue()
        actor = queue.another()
        seen = statements_of(lambda: _work(actor))
    if not seen:
        cure = (
            "connect through Python's sqlite3 (SQLAlchemy and other layers on it are fine), when the instance is first "
            "used and not at import; schedules of code that cannot be seen are NOT RUN"
        )
        return Sign("statements", State.WRONG, "no statement of the adapter's calls was seen", cure)
    return Sign.ok("statements", f"{seen} statements of its calls were seen")


def _work(queue: QueueUnderTest) -> None:
    """Make a call of the team's that needs a connection."""
    for method in ("enqueue", "claim_many", "claim_by", "queue_stats", "reclaim_expired", "delete_finished"):
        if queue.subject.offers(method):
            _ONCE[method](queue)
    if queue.subject.offers("claim_task"):
        queue.claim_task()


def _settings(bench: Bench) -> Sign:
    with bench.queue(in_real_time=True) as queue:
        database = queue.adapter.db  # type: ignore[union-attr]  # only asked for on the shared schema
        with database.connection() as connection:
            found = queue.store.settings(connection)
    wrong = [one for one in found if not one.fits]
    if wrong:
        seen = ", ".join(f"{one.name} = {one.value}" for one in wrong)
        cure = f"set on each connection: {'; '.join(f'{one.name}: {one.expected}' for one in wrong)} (INF-04)"
        return Sign("settings", State.WRONG, f"its connections run with {seen}", cure)
    return Sign.ok("settings", f"{', '.join(one.name for one in found)}: as the contract asks")
