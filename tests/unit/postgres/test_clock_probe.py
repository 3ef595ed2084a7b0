"""Code whose time the kit cannot move is not judged by what it does in time that the kit moved."""

from __future__ import annotations

import psycopg
import pytest

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Task, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.model import ModelJudge
from pytest_taskq.subject import UnsupportedError
from pytest_taskq.subject.store import SHIFTED

_CLAIM = """
    UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = %s, reserved_at_utc = {now},
        lease_until_utc = {now} + %s * interval '1 second', processing_started_utc = {now}, updated_at_utc = {now}
    WHERE id = (SELECT id FROM task_queue WHERE status = 'queued' AND run_after_utc <= {now}
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *
"""


class Claims(QueueAdapter):
    now = "now()"

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with psycopg.connect(self.dsn, row_factory=psycopg.rows.dict_row) as connection:
            row = connection.execute(_CLAIM.format(now=self.now), (worker_id, lease_seconds)).fetchone()
        return None if row is None else Task.from_dict(row)


class ByKeyword(Claims):
    now = "CURRENT_TIMESTAMP"


class Qualified(Claims):
    now = "pg_catalog.now()"


class ByTheClock(Claims):
    now = "clock_timestamp()"


class Reclaims(QueueAdapter):
    def reclaim_expired(self):
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(
                "UPDATE task_queue SET status = 'queued', locked_by = NULL, lease_until_utc = NULL, "
                "reserved_at_utc = NULL WHERE status = 'leased' AND lease_until_utc <= CURRENT_TIMESTAMP"
            ).rowcount


class NeverClaims(QueueAdapter):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        return None


def used(bench) -> None:
    def check() -> None:
        with bench.queue() as queue:
            queue.enqueue()

    bench.run(check)


class RemembersItsLeases(Claims):
    now = "CURRENT_TIMESTAMP"

    def __init__(self, dsn):
        super().__init__(dsn)
        self.over = {}

    def claim_task(self, worker_id, capabilities, lease_seconds):
        task = super().claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            self.over[task.id] = task.lease_until_utc
        return task

    def complete_task(self, task, worker_id):
        with psycopg.connect(self.dsn) as connection:
            return (
                connection.execute(
                    "UPDATE task_queue SET status = 'completed', finished_at_utc = now() WHERE lease_until_utc = %s",
                    (self.over[task.id],),
                ).rowcount
                == 1
            )


@pytest.mark.parametrize("adapter", [ByKeyword, Qualified, Reclaims])
def test_code_that_goes_by_the_servers_own_clock_is_judged_with_shifted_rows(adapter: type, bench_of) -> None:
    bench = bench_of(adapter)
    used(bench)
    assert bench.time_note == SHIFTED


def test_what_no_means_moves_is_unsupported_for_both_reasons(bench_of) -> None:
    both = r"claim_task works at the server's own time[\s\S]+complete_task works at the server's own time and not with"
    with pytest.raises(UnsupportedError, match=both):
        used(bench_of(RemembersItsLeases))


@pytest.mark.parametrize("adapter", [Claims, ByTheClock])
def test_code_that_goes_by_a_function_that_can_be_shadowed_is_judged(adapter: type, bench_of) -> None:
    bench = bench_of(adapter)
    used(bench)
    assert not bench.time_note


def test_what_never_works_is_a_finding_and_no_excuse(bench_of) -> None:
    used(bench_of(NeverClaims))


def test_what_looks_at_real_time_needs_no_other(bench_of) -> None:
    bench = bench_of(ByKeyword)

    def check() -> None:
        with bench.queue(in_real_time=True) as queue:
            queue.enqueue()

    bench.run(check)


def test_the_model_judges_a_team_there(bench_of) -> None:
    bench = bench_of(Claims)
    found = bench.run(lambda: ModelJudge().judge(REQUIREMENTS["LSE-01"], bench, Budget("smoke")))
    assert found.verdict is Verdict.PASS
