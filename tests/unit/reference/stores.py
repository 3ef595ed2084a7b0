"""The two places where a reference queue can live, told apart in as few words as the tests allow."""

from __future__ import annotations

import sqlite3

from pytest_taskq.reference_impl import open_database

TIMES = ("run_after_utc", "reserved_at_utc", "lease_until_utc", "finished_at_utc")


def get_over_the_beginning(waiter):
    """Wait until what was under way on the server when the waiter came has ended: until then it may be told of that."""
    while waiter.wait(0.02) or not getattr(waiter, "_settled", True):
        pass


class Store:
    """A place for one test's queue. SQL of the tests has ``?`` for parameters and ``{now}`` for the time."""

    def __init__(self, dsn):
        self.dsn = dsn
        self.opened = []

    def open(self, **settings):
        """Return a new database object on the same tables; closed at the end of the test."""
        db = open_database(self.dsn, **settings)
        self.opened.append(db)
        return db

    def close(self):
        for db in self.opened:
            db.close()

    def sql(self, statement, *parameters):
        with self.opened[0].transaction() as connection:
            cursor = connection.execute(self.translated(statement), parameters)
            return cursor.fetchall() if cursor.description else []

    def translated(self, statement):
        return statement.replace("{now}", self.now())


class SqliteStore(Store):
    kind = "sqlite"
    driver_error = sqlite3.Error

    def now(self, seconds=0):
        return f"datetime('now', '{seconds} seconds')"

    def epoch(self, time):
        return f"round((julianday({time}) - 2440587.5) * 86400, 3)"

    def pass_time(self, seconds):
        """Move every stored time into the past: the same as waiting."""
        for column in TIMES:
            self.sql(f"UPDATE task_queue SET {column} = datetime({column}, ?)", f"-{seconds} seconds")

    def in_one_moment(self, work):
        """Return what ``work`` returned when all of it was done within one second of the clock."""
        while True:
            before = self.sql("SELECT datetime('now')")
            result = work()
            if self.sql("SELECT datetime('now')") == before:
                return result


class PostgresStore(Store):
    kind = "postgres"

    def __init__(self, dsn, schema, clock):
        super().__init__(dsn)
        self.schema = schema
        self.clock = clock

    @property
    def driver_error(self):
        import psycopg

        return psycopg.Error

    def now(self, seconds=0):
        return f"(now() + interval '{seconds} seconds')"

    def epoch(self, time):
        return f"extract(epoch FROM {time})::double precision"

    def translated(self, statement):
        return super().translated(statement).replace("%", "%%").replace("?", "%s")

    def pass_time(self, seconds):
        self.clock.advance(seconds)

    def in_one_moment(self, work):
        self.clock.stand_still()
        return work()

    def empty(self):
        """Make the tables what they were when they were made; TRUNCATE would take ten times as long."""
        self.clock.reset()
        with self.opened[0].transaction() as connection:
            for table in ("task_logs", "task_queue", "reference_retired_keys", "workers"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute(
                "SELECT setval('task_queue_id_seq', 1, false), setval('task_logs_log_id_seq', 1, false),"
                "setval('reference_weighted_clock', 0, false)"
            )
