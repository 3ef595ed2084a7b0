"""The columns of a schema that hold times, and the SQL that moves them all from one frame to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.postgres.frame import GAP, GRAIN, ROUND, moment_at

if TYPE_CHECKING:
    from pytest_taskq.postgres.frame import Frame

# Partitions are reached through their table. What the server generates follows by itself. The kit's clock is no row.
COLUMNS = """
    SELECT relname::text, attname::text,
        atttypid = 'date'::regtype OR atttypmod BETWEEN 0 AND 2 AS coarse, pg_catalog.clock_timestamp()
    FROM pg_catalog.pg_class JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND relname <> 'taskq_clock' AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        AND atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
    ORDER BY relname, attnum
"""
_MOST_ROWS = 1000  # that are looked at after one call
_UNITS = ", ".join(f"({number}, {unit})" for number, unit in enumerate(ROUND))
# The same as Frame.for_kit of what was written; `beside` are the times of the row.
SETTLED = f"""
    CREATE OR REPLACE FUNCTION pg_temp.taskq_settled(
        written timestamptz, shown timestamptz, began timestamptz, ended timestamptz, VARIADIC beside timestamptz[]
    ) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
        WITH round(number, unit) AS (VALUES {_UNITS}),
        known AS (
            SELECT length FROM (
                SELECT 1000000 * extract(epoch FROM written - one), 1000000 * extract(epoch FROM one)
                FROM unnest(beside) AS one WHERE one BETWEEN began AND ended
            ) AS since(length, at)
            WHERE mod(length, {GRAIN}) = 0 OR mod(length, 1000) = 0 AND mod(at, 1000) <> 0
            ORDER BY (SELECT min(number) FROM round WHERE mod(length, unit) = 0) NULLS LAST, length LIMIT 1
        ),
        possible(least, most) AS (
            SELECT 1000000 * extract(epoch FROM written - ended), 1000000 * extract(epoch FROM written - began)
        )
        SELECT shown + pg_catalog.make_interval(secs => (coalesce(
            (SELECT length FROM known),
            (SELECT ceil(least / unit) * unit FROM round, possible
                WHERE ceil(least / unit) * unit <= most ORDER BY number LIMIT 1),
            (SELECT most FROM possible)
        ) / 1000000)::double precision)
    $$
"""


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """The columns of one table that hold times."""

    table: str
    names: tuple[str, ...]

    def for_code(self, frame: Frame) -> str:
        """Return what moves them into the code's frame."""
        near, far = _interval(frame.moved), _interval(frame.moved + GAP)
        limit = _literal(frame.limit)
        return self._update(f"{{0}} + CASE WHEN {{0}} < {limit} THEN {near} ELSE {far} END")

    def for_kit(self, frame: Frame, ended: int) -> str:
        """Return what moves them back; what was written is rounded to what was meant."""
        call = ", ".join((*map(_literal, (frame.shown, frame.began, ended)), *map(_quoted, self.names)))
        far = _any_of(frame)
        return self._update(
            f"CASE WHEN NOT isfinite({{0}}) THEN {{0}} "
            f"WHEN {{0}} < {_literal(frame.edge)} THEN {{0}} - {_interval(frame.moved)} "
            f"WHEN {far} THEN {{0}} - {_interval(frame.moved + GAP)} "
            f"ELSE pg_temp.taskq_settled({{0}}, {call}) END"
        )

    def far(self, limit: int) -> list[str]:
        """Return what reads the moments from ``limit`` on, in microseconds, one for each column."""
        table = _quoted(self.table)
        return [
            f"SELECT 1000000 * extract(epoch FROM {name}) FROM {table} WHERE {name} >= {_literal(limit)} "
            f"AND isfinite({name})"
            for name in map(_quoted, self.names)
        ]

    def at_once(self, since: int, until: int, shown: int) -> str:
        """Return what puts the virtual moment where a default has put the server's time, between two moments of it."""
        between = f"{{0}} BETWEEN {_literal(since)} AND {_literal(until)}"
        value = f"CASE WHEN {between} THEN {_literal(shown)} ELSE {{0}} END"
        conditions = " OR ".join(between.format(_quoted(name)) for name in self.names)
        return f"{self._update(value)} WHERE {conditions}"

    def written(self, frame: Frame) -> str:
        """Return what reads the times of each row in which the code has written one, in microseconds."""
        names = list(map(_quoted, self.names))
        between = f"{{0}} >= {_literal(frame.edge)} AND isfinite({{0}}) AND NOT {_any_of(frame)}"
        times = ", ".join(f"CASE WHEN isfinite({one}) THEN 1000000 * extract(epoch FROM {one}) END" for one in names)
        condition = " OR ".join(f"({between.format(name)})" for name in names)
        return f"SELECT {times} FROM {_quoted(self.table)} WHERE {condition} LIMIT {_MOST_ROWS}"

    def _update(self, value: str) -> str:
        sets = ", ".join(f"{name} = {value.format(name)}" for name in map(_quoted, self.names))
        return f"UPDATE {_quoted(self.table)} SET {sets}"


def _any_of(frame: Frame) -> str:
    return f"{{0}} = ANY (ARRAY[{', '.join(map(_literal, frame.far))}]::timestamptz[])"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(moment: int) -> str:
    return f"'{moment_at(moment).isoformat(' ')}'::timestamptz"


def _interval(microseconds: int) -> str:
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    return f"'{'-' * (microseconds < 0)}{seconds}.{rest:06} seconds'::interval"
