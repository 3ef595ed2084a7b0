"""The rules: a module per concern; each takes what was read of one module and yields what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.review.rules import claims, clocks, connections, errors, parameters, reads, settings, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.review.reading import Reading, Seen

CHECKS: tuple[Callable[[Reading], Iterator[Seen]], ...] = (
    connections.writes_outside_transactions,
    connections.reads_inside_transactions,
    parameters.values_in_sql,
    clocks.times_from_elsewhere,
    tasks.rows_by_hand,
    connections.raw_connections,
    claims.unguarded_updates,
    reads.careless_reads,
    settings.hard_coded,
    errors.swallowed,
)
