"""The part of the run that needs a PostgreSQL server."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pytest_taskq.postgres.server import NoServerError, connected, find_server, version_of, why_unusable

from . import batches, crew, single
from .measure import Latency
from .places import Schemas
from .queues.candidate import EVERY_ON_POSTGRES, PEERS_ON_POSTGRES, REFERENCE_ON_POSTGRES
from .values import crews, flatness, priced, singles

if TYPE_CHECKING:
    from collections.abc import Callable

    from .figures import Plan

LEVELS = ("on", "off")
SETTINGS = ("fsync", "synchronous_commit", "wal_sync_method", "shared_buffers", "autovacuum")
PACKAGES = ("procrastinate", "pgqueuer", "chancy", "psycopg", "asyncpg")


def measured(plan: Plan, dsn: str | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything in schemas that are dropped afterwards; without a server, say why there is nothing."""
    try:
        server = find_server(dsn)
    except NoServerError as error:
        return {"skipped": str(error)}
    if why := why_unusable(server):
        return {"skipped": why}
    places = Schemas(server)
    found: dict[str, Any] = {"machine": _machine(server)}
    for level in LEVELS:
        tell(f"PostgreSQL: single calls, synchronous_commit {level}")
        found[f"single {level}"] = singles(single.measure(EVERY_ON_POSTGRES, level, plan.single[level], places))
    with crew.Crew() as workers:
        for level in LEVELS:
            tell(f"PostgreSQL: {crew.PROCESSES} processes, synchronous_commit {level}")
            found[f"crew {level}"] = crews(crew.measure(workers, EVERY_ON_POSTGRES, level, plan.crew, places))
    tell("PostgreSQL: batches")
    batching = (REFERENCE_ON_POSTGRES, *PEERS_ON_POSTGRES)
    found["batches"] = [one.to_dict() for one in batches.measure(batching, "on", plan.batches, places)]
    return found | _inside(plan, places, tell)


def _inside(plan: Plan, places: Schemas, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure what concerns the reference alone."""
    from . import flat_postgres, prices_postgres  # import psycopg

    tell("PostgreSQL: prices of indexes and triggers")
    found: dict[str, Any] = {"prices": priced(prices_postgres.measure(plan.prices, places))}
    tell("PostgreSQL: statistics and cleanup")
    found["statistics"] = Latency.of(flat_postgres.statistics(plan.flat, places)).to_dict()
    found["cleanup"] = Latency.of(flat_postgres.cleanup(plan.cleanup, places)).to_dict()
    tell("PostgreSQL: flatness")
    return found | {"flat": flatness(flat_postgres.claims(plan.flat, places))}


def _machine(server: str) -> dict[str, Any]:
    with connected(server) as connection:
        settings = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in SETTINGS}  # type: ignore[index] # always one row
    return {
        "server": version_of(server),
        "settings": settings,
        "packages": {package: version(package) for package in PACKAGES},
    }
