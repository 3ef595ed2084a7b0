from __future__ import annotations

import json
from pathlib import Path

import pytest
from serving import serve_each_task_once

from benchmarks import __main__ as command
from benchmarks import bars, crew, figures, postgres
from benchmarks.pictures import pictures
from benchmarks.places import Schemas
from benchmarks.queues.candidate import EVERY_ON_POSTGRES, load
from benchmarks.tables import page
from pytest_taskq.postgres.server import WAYS, NoServerError, connected

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def measured(postgres_database):
    """What a quick run finds on a database of its own, and the schemas it left there."""
    schemas = "SELECT nspname FROM pg_namespace"
    with connected(postgres_database) as connection:
        before = connection.execute(schemas).fetchall()
        found = postgres.measured(figures.QUICK_PLAN, postgres_database, print)
        left = set(connection.execute(schemas).fetchall()).difference(before)
    return json.dumps(found), left


@pytest.fixture
def found():
    """The figures of the repository's page."""
    return json.loads((DOCS / "benchmarks" / "figures.json").read_text())


@pytest.fixture
def quick(found, measured):
    """The same with those of the quick run for PostgreSQL."""
    return found | {"postgres": json.loads(measured[0])}


# --- the candidates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", EVERY_ON_POSTGRES)
@pytest.mark.parametrize("synchronous", ["on", "off"])
def test_every_candidate_serves_each_task_once_under_the_level_it_was_given(postgres_server, spec, synchronous):
    with Schemas(postgres_server).fresh("one", synchronous) as place:
        serve_each_task_once(load(spec)(place, synchronous), synchronous)


# One row per task that was finished, wherever the candidate records it.
RECORDED = {
    "floor": "SELECT count(*) FROM task_queue WHERE status = 'completed'",
    "reference": "SELECT count(*) FROM task_queue WHERE status = 'completed'",
    "procrastinate": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'",
    "pgqueuer": "SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'",
    "chancy": "SELECT count(*) FROM chancy_jobs WHERE state = 'succeeded'",
}
# The tables that a task lies in, now or later.
TASKS = {
    "floor": ["task_queue"],
    "reference": ["task_queue"],
    "procrastinate": ["procrastinate_jobs", "procrastinate_events"],
    "pgqueuer": ["pgqueuer", "pgqueuer_log"],
    "chancy": ["chancy_jobs"],
}


@pytest.mark.parametrize("spec", EVERY_ON_POSTGRES)
def test_every_candidate_has_recorded_the_completion_when_the_call_returns_and_in_tables_that_are_logged(
    postgres_server, spec
):
    with Schemas(postgres_server).fresh("one", "on") as place, connected(place) as connection:
        candidate = load(spec)(place, "on")
        try:
            candidate.enqueue()
            claimed = candidate.claim()
            assert connection.execute(RECORDED[candidate.name]).fetchone()[0] == 0
            candidate.complete(claimed)
            assert connection.execute(RECORDED[candidate.name]).fetchone()[0] == 1
        finally:
            candidate.close()
        logged = "SELECT every(relpersistence = 'p') FROM pg_class WHERE oid = ANY (%s::regclass[])"
        assert connection.execute(logged, (TASKS[candidate.name],)).fetchone()[0] is True


@pytest.mark.parametrize("spec", EVERY_ON_POSTGRES[1:])
def test_batches_store_and_take_as_many_as_they_say(postgres_server, spec):
    with Schemas(postgres_server).fresh("one", "off") as place:
        candidate = load(spec)(place, "off")
        try:
            candidate.enqueue_many(7)
            if candidate.claim_many(4) is None:
                assert candidate.name == "procrastinate"
                assert sum(candidate.claim() is not None for _ in range(8)) == 7
            else:
                assert candidate.claim_many(4) == 3
        finally:
            candidate.close()


def test_a_filled_schema_has_statistics_once_it_is_settled(postgres_server):
    places = Schemas(postgres_server)
    with places.fresh("one", "off") as place, connected(place) as connection:
        connection.execute('CREATE TABLE "Odd name" AS SELECT generate_series(1, 70)')
        counted = "SELECT reltuples FROM pg_class WHERE oid = '\"Odd name\"'::regclass"
        assert connection.execute(counted).fetchone()[0] == -1
        places.settle(place)
        assert connection.execute(counted).fetchone()[0] == 70


class CollidedError(Exception):
    def __init__(self, sqlstate):
        self.sqlstate = sqlstate


@pytest.mark.parametrize(("state", "is_one"), [("40001", True), ("40P01", True), ("55P03", True), ("23505", False)])
def test_a_collision_is_known_by_its_state_whatever_the_driver_and_whoever_wrapped_it(state, is_one):
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = CollidedError(state)
    assert crew.is_lock_error(CollidedError(state)) is is_one
    assert crew.is_lock_error(wrapped) is is_one


# --- the run ----------------------------------------------------------------------------------------------------------


@pytest.mark.alone
def test_a_quick_run_measures_everything_of_everyone(quick):
    names = {load(spec).name for spec in EVERY_ON_POSTGRES}
    for level in ("on", "off"):
        assert {row["name"] for row in quick["postgres"][f"single {level}"]} == names
        assert {row["name"] for row in quick["postgres"][f"crew {level}"]} == names
        assert all(row["synchronous"] == level for row in quick["postgres"][f"single {level}"])
        reference = next(row for row in quick["postgres"][f"crew {level}"] if row["name"] == "reference")
        assert len(reference["shares"]) == 4
        assert (reference["claimed_twice"], reference["lost"], reference["lock_errors"]) == (0, 0, 0)
    assert len(quick["postgres"]["flat"]) == 12
    without = [row["without"] for row in quick["postgres"]["prices"]]
    assert (without[0], without[-1]) == ("", "all of these")
    assert {"reference_by_priority", "reference_wake_for_new"} <= set(without)
    assert {(row["name"], row["to_a_call"]) for row in quick["postgres"]["batches"]} == {
        (name, size) for name in names - {"floor"} for size in (1, 10, 100)
    }


@pytest.mark.alone
def test_nothing_of_a_run_is_left_on_the_server(measured):
    assert measured[1] == set()


@pytest.mark.alone
def test_the_page_and_the_pictures_are_made_of_the_figures(quick):
    text = page(quick)
    for name in ("procrastinate", "pgqueuer", "chancy"):
        assert f"4 processes, on: cycles as a multiple of {name}" in text
    drawn = dict(pictures(quick))
    for name in ("single-postgres-on", "crew-postgres-on", "single-postgres-off", "crew-postgres-off", "flat-postgres"):
        assert drawn[name].startswith("<svg")
        assert f"benchmarks/{name}.svg" in text


@pytest.mark.parametrize(("own", "met"), [(101, True), (99, False)])
def test_the_reference_must_be_ahead_of_each_peer(found, own, met):
    for row in found["postgres"]["crew on"]:
        row["per_second"] = {"reference": own, "chancy": 100}.get(row["name"], 50)
    judged = {bar.text: bar.met for bar in bars.judged_on_postgres(found)}
    assert judged["4 processes, on: cycles as a multiple of chancy"] is met
    assert judged["4 processes, on: cycles as a multiple of pgqueuer"]


def test_a_peer_that_lost_tasks_or_gave_them_twice_is_named_with_it(found):
    for row in found["postgres"]["crew on"]:
        if row["name"] == "chancy":
            row.update(claimed_twice=3, lost=2)
    assert "cycles as a multiple of chancy, which gave 3 twice and lost 2 |" in page(found)


# --- without a server -------------------------------------------------------------------------------------------------


def test_without_a_server_the_page_names_the_ways_to_provide_one(monkeypatch):
    def nowhere(_):
        raise NoServerError(f"no PostgreSQL server (refused): {WAYS}")

    monkeypatch.setattr(postgres, "find_server", nowhere)
    kept = json.loads((DOCS / "benchmarks" / "figures.json").read_text())
    kept["postgres"] = postgres.measured(figures.QUICK_PLAN, None, print)
    assert WAYS in page(kept)
    assert bars.judged_on_postgres(kept) == []
    assert not any("postgres" in name for name, _ in pictures(kept))


def test_a_server_that_does_not_answer_is_said_on_the_page():
    skipped = postgres.measured(figures.QUICK_PLAN, "postgresql://nobody@127.0.0.1:1/none", print)
    assert "does not answer" in skipped["skipped"]


def test_measuring_one_part_keeps_the_figures_of_the_other(tmp_path, monkeypatch):
    def fails(*_):
        raise AssertionError("this part was not to be measured")

    kept = json.loads((DOCS / "benchmarks" / "figures.json").read_text())
    command.written(kept, tmp_path)
    monkeypatch.setattr(command, "measured", fails)
    monkeypatch.setattr(command.postgres, "measured", lambda *_: {"skipped": "no server here"})
    command.main(["--quick", "--only", "postgres", "--docs", str(tmp_path)])
    now = json.loads((tmp_path / "benchmarks" / "figures.json").read_text())
    assert now == kept | {"postgres": {"skipped": "no server here"}}
    assert "Not measured: no server here." in (tmp_path / "benchmarks.md").read_text()


def test_there_must_be_figures_to_keep(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["--quick", "--only", "postgres", "--docs", str(tmp_path)])
    assert "no figures of SQLite to keep" in capsys.readouterr().err
