"""What `quick_validate` says of a queue on PostgreSQL; its session cannot write."""

import pytest

from pytest_taskq.reference_impl import QueueDatabase, open_database, queue_on, quick_validate


@pytest.fixture
def queue(postgres_database):
    db = open_database(postgres_database)
    db.initialize_schema()
    yield queue_on(db)
    db.close()


def said(report, requirement):
    [one] = [one for one in report.checks if one.requirement == requirement]
    return one


def test_a_sound_queue_is_valid_and_what_would_have_to_write_is_not_checked(queue, postgres_database):
    queue.enqueue("mail", {"n": 1})
    report = quick_validate(postgres_database)
    assert report, str(report)
    assert "1 rows" in said(report, "INF-05").detail
    assert [one.requirement for one in report.checks if not one.judged] == ["INF-06", "INF-08"]


def test_a_table_that_differs_is_named(queue, postgres_database):
    with queue.db.transaction() as connection:
        connection.execute("ALTER TABLE task_queue DROP COLUMN error_message")
    report = quick_validate(postgres_database)
    assert report.exit_code == 1
    assert "error_message is missing" in said(report, "INF-03").detail
    assert not said(report, "INF-05").judged


@pytest.mark.usefixtures("queue")
def test_commits_that_may_be_lost_are_wrong(postgres_database):
    report = quick_validate(f"{postgres_database}?options=-csynchronous_commit%3Doff")
    assert "synchronous_commit is off" in said(report, "INF-04").detail
    assert report.exit_code == 1


def test_a_server_that_does_not_answer_is_no_verdict_and_the_password_is_not_shown():
    report = quick_validate("postgresql://someone:secret@127.0.0.1:1/test")
    assert report.exit_code == 2
    assert "did not answer" in report.obstacle
    assert "secret" not in str(report)


def test_the_session_cannot_write(postgres_database):
    import psycopg

    from pytest_taskq.reference_impl.validation.server import _connected

    with _connected(postgres_database, 5) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TABLE mine (x int)")


def test_a_path_is_never_taken_for_a_server(tmp_path):
    assert isinstance(QueueDatabase(tmp_path / "postgresql"), QueueDatabase)
    assert "does not exist" in quick_validate(tmp_path / "postgresql").obstacle
