"""REV-09: what a deployment decides, spelled out in the code."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING

from pytest_taskq.review.reading import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.reading import Reading
    from pytest_taskq.review.scopes import Scope

_OPENERS = frozenset({"sqlite3.connect", "aiosqlite.connect", "psycopg.connect", "psycopg2.connect", "asyncpg.connect"})
_QUEUE_OPENERS = frozenset({"QueueDatabase", "open_database"})
_POOLS = {
    "ThreadPoolExecutor": "max_workers",
    "ProcessPoolExecutor": "max_workers",
    "Pool": "processes",
    "ThreadPool": "processes",
}
_COUNTS = frozenset({"workers", "num_workers", "n_workers", "worker_count", "concurrency", "max_workers"})
_OWN = re.compile(r"|:memory:|file::memory:.*")
_PRAGMA = re.compile(r"\s*pragma\s+(?:\w+\.)?(\w+)\s*(?:=\s*\S+|\(\s*['\"]?-?\w+['\"]?\s*\))", re.IGNORECASE)
# Those that tune. What a schema or its correctness needs (foreign_keys, user_version) is no matter of a deployment.
_TUNING = frozenset(
    {"busy_timeout", "cache_size", "cache_spill", "journal_mode", "journal_size_limit", "locking_mode", "mmap_size"}
    | {"synchronous", "temp_store", "threads", "wal_autocheckpoint", "page_size", "max_page_count", "auto_vacuum"}
    | {"soft_heap_limit", "hard_heap_limit", "shrink_memory", "analysis_limit"}
)


def hard_coded(reading: Reading) -> Iterator[Seen]:
    """REV-09: a path where a database is opened, a pragma with its value, a number of workers. Tests may."""
    if reading.is_test or not reading.is_about_queue:
        return
    for call, scope in reading.module.calls:
        yield from _path(reading, call, scope)
        yield from _workers(reading, call, scope)
    alternatives = Counter(statement.node for statement in reading.statements)
    for statement in reading.statements:
        if alternatives[statement.node] > 1:
            continue  # a setting chooses among them
        match = _PRAGMA.match(statement.template.constant or "") if statement.verb == "pragma" else None
        if match and match[1].lower() in _TUNING:
            node, scope, below = statement.place_of("pragma")
            yield Seen("REV-09", scope.module, node, f"the pragma {match[1]} is set to a value of the code", below)


def _path(reading: Reading, call: ast.Call, scope: Scope) -> Iterator[Seen]:
    dotted = reading.project.dotted(call.func, scope)
    is_queue = dotted.startswith("pytest_taskq.") and dotted.rpartition(".")[2] in _QUEUE_OPENERS
    if not (dotted in _OPENERS or is_queue) or not call.args:
        return
    for template in reading.evaluator.templates(call.args[0], scope):
        if template.constant is not None and not _OWN.fullmatch(template.constant):
            yield Seen("REV-09", reading.module, call.args[0], f"the path {template.constant!r} is hard-coded")
            return


def _workers(reading: Reading, call: ast.Call, scope: Scope) -> Iterator[Seen]:
    name = reading.project.dotted(call.func, scope).rpartition(".")[2]
    counts = [one.value for one in call.keywords if one.arg in _COUNTS or one.arg == _POOLS.get(name)]
    if name in _POOLS and call.args:
        counts.append(call.args[0])
    for count in counts:
        if isinstance(count, ast.Constant) and isinstance(count.value, int) and count.value > 1:
            yield Seen("REV-09", reading.module, count, f"the number of workers, {count.value}, is hard-coded")
