"""Each obstacle to grading is found before anything is graded, with what to do about it."""

import subprocess
import sys
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Role
from pytest_taskq.doctor import machine
from pytest_taskq.doctor.beginning import beginning
from pytest_taskq.doctor.code import code_signs
from pytest_taskq.doctor.sign import State
from pytest_taskq.postgres.stores import SchemaStores
from pytest_taskq.reference_impl import Queue, QueueDatabase
from pytest_taskq.reference_impl.postgres.database import PostgresDatabase
from pytest_taskq.subject import Bench, Stores, Subject


@pytest.fixture
def signs(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return partial(_signs_of, lambda subject: Stores(subject, tmp_path))


@pytest.fixture
def signs_on_server(tmp_path, monkeypatch, postgres_server):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return partial(_signs_of, lambda subject: SchemaStores(subject, tmp_path, postgres_server))


def _signs_of(stores_for, adapter):
    subject = Subject(f"{adapter.__module__}:{adapter.__qualname__}", adapter)
    with closing(stores_for(subject)) as stores:
        return {one.area: one for one in code_signs(subject, Bench(subject, stores))}


class Sound(QueueAdapter):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        return super().claim_task(worker_id, capabilities, lease_seconds)


def test_a_sound_adapter_has_only_good_signs(signs):
    found = signs(Sound)
    assert {one.state for one in found.values()} == {State.OK}
    assert list(found) == ["adapter", "import", "calls", "isolation", "threads", "statements", "settings"]


class Raising(QueueAdapter):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        raise KeyError("nobody")


class WrongType(QueueAdapter):
    def queue_stats(self):
        return [("queued", 1)]


@pytest.mark.parametrize(("adapter", "said"), [(Raising, "KeyError"), (WrongType, "a dict of counts")])
def test_a_call_that_does_not_do_what_it_must_ends_the_look(signs, adapter, said):
    found = signs(adapter)
    assert found["calls"].state is State.WRONG
    assert said in found["calls"].found
    assert "isolation" not in found


class OneFileForAll(QueueAdapter):
    """Keeps to a path of its own, whatever the DSN says."""

    path = None

    def enqueue(self, type, payload, **options):
        with closing(QueueDatabase(self.path)) as db:
            db.initialize_schema()
            return Queue(db).enqueue(type, payload, **options)


def test_a_path_of_its_own_is_found_as_no_isolation(signs, tmp_path, monkeypatch):
    monkeypatch.setattr(OneFileForAll, "path", tmp_path / "mine.db")
    found = signs(OneFileForAll)
    assert found["isolation"].state is State.WRONG
    assert "does not arrive" in found["isolation"].found
    assert "self.dsn" in found["isolation"].cure


class OneConnectionForAll(QueueAdapter):
    """Keeps what belongs to a thread in the class."""

    kept: ClassVar = {}

    def claim_task(self, worker_id, capabilities, lease_seconds):
        if self.kept.setdefault(str(self.db.path), threading.get_ident()) != threading.get_ident():
            raise RuntimeError("the connection was opened in another thread")
        return super().claim_task(worker_id, capabilities, lease_seconds)


def test_a_connection_of_another_thread_is_found(signs):
    found = signs(OneConnectionForAll)
    assert found["threads"].state is State.WRONG
    assert "thread" in found["threads"].found


class LeavesAThread(QueueAdapter):
    stop = threading.Event()

    def claim_task(self, worker_id, capabilities, lease_seconds):
        threading.Thread(target=self.stop.wait, args=(20,), name="heartbeat").start()
        return super().claim_task(worker_id, capabilities, lease_seconds)


def test_a_thread_that_close_leaves_behind_is_noted(signs):
    try:
        found = signs(LeavesAThread)
    finally:
        LeavesAThread.stop.set()
    assert found["threads"].state is State.NOTE
    assert "heartbeat" in found["threads"].found


class Loose(QueueAdapter):
    def open_database(self, **settings):
        return _Loose(self.dsn.removeprefix("sqlite:///"), **settings)


class _Loose(QueueDatabase):
    def _open(self):
        connection = super()._open()
        connection.execute("PRAGMA foreign_keys = OFF")
        return connection


def test_connections_without_the_contracts_settings_are_found(signs):
    found = signs(Loose)
    assert found["settings"].state is State.WRONG
    assert found["settings"].found == "its connections run with foreign_keys = 0"
    assert found["settings"].cure == "set on each connection: foreign_keys: at least 1 (INF-04)"


class Impatient(QueueAdapter):
    def open_database(self, **settings):
        return PostgresDatabase(self.dsn, **settings)


class Endless(QueueAdapter):
    def open_database(self, **settings):
        return _Endless(self.dsn, **settings)


class _Endless(PostgresDatabase):
    def connect(self):
        connection = super().connect()
        connection.execute("SET lock_timeout = 0")
        return connection


@pytest.mark.parametrize(("adapter", "state"), [(Impatient, State.OK), (Endless, State.WRONG)])
def test_connections_to_a_server_are_asked_for_their_settings_too(signs_on_server, adapter, state):
    sign = signs_on_server(adapter)["settings"]
    assert sign.state is state
    assert "the bound on waiting for a lock" in sign.found


def test_an_adapter_that_another_process_cannot_import_is_found(signs):
    class Local(Sound):
        pass

    found = signs(Local)
    assert found["import"].state is State.WRONG
    assert "top of a module" in found["import"].cure


def test_statements_that_nobody_sees_are_found(signs, monkeypatch):
    from pytest_taskq.doctor import listening

    monkeypatch.setattr(listening, "statements_of", lambda work: work() or 0)
    found = signs(Sound)
    assert found["statements"].state is State.WRONG
    assert "NOT RUN" in found["statements"].cure


# --- the machine ------------------------------------------------------------------------------------------------------


def test_a_debugger_is_noted_with_what_it_costs(monkeypatch):
    monkeypatch.setattr(machine.sys, "gettrace", object)
    [sign] = [one for one in machine.machine_signs() if one.area == "tracing"]
    assert sign.state is State.NOTE
    assert "INCONCLUSIVE" in sign.cure


def test_a_platform_without_sigkill_is_noted(monkeypatch):
    monkeypatch.delattr(machine.signal, "SIGKILL")
    [sign] = [one for one in machine.machine_signs() if one.area == "processes"]
    assert sign.state is State.NOTE


# --- the beginning, and the command -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_the_lines_of_a_first_adapter_work_for_each_role(signs, role):
    namespace = {"__name__": "beginning"}
    exec(beginning(role), namespace)  # noqa: S102 - what a user would paste
    found = signs(namespace["Adapter"])
    assert {one.state for area, one in found.items() if area != "import"} == {State.OK}
    assert role.value in found["adapter"].found


def doctor(folder, *arguments):
    command = [sys.executable, "-m", "pytest_taskq", "doctor", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_without_an_adapter_the_command_prints_the_lines_and_exits_2(tmp_path):
    ran = doctor(tmp_path, "--role", "observability")
    assert ran.returncode == 2, ran.stderr
    assert "def queue_stats(self):" in ran.stdout


def test_the_adapter_of_the_configuration_is_looked_at_with_its_pythonpath(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "mine.py").write_text(beginning(Role.MAINTENANCE), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\npythonpath = src\ntaskq_adapter = mine:Adapter\nfilterwarnings = error\n", encoding="utf-8"
    )
    ran = doctor(tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "ready: pytest --taskq-conformance" in ran.stdout
    assert [one.name for one in tmp_path.iterdir() if one.name not in ("src", "pytest.ini")] == []


def test_a_module_that_is_not_there_is_one_thing_to_mend(tmp_path):
    ran = doctor(tmp_path, "--adapter", "nowhere:Adapter")
    assert ran.returncode == 1
    assert "1 to mend" in ran.stdout
    assert "No module named 'nowhere'" in ran.stdout
