"""WEIGHTED_RANDOM: each claim serves task i with probability weight_i / (sum of the weights of the claimable tasks).

Exact, and a claim costs O(log n). Every claimable task runs in a race: it arrives at a time that is exponential with
rate ``weight``, and a claim serves the first to arrive. That is the law wanted (the minimum of exponentials falls on i
with probability weight_i / sum). The clock of the race is the arrival served last.

Why arrivals may be kept from claim to claim: the exponential has no memory. Of a task that has not arrived by now, the
time it still needs is distributed as on the first day and is independent of all that was served, so every claim sees a
fresh race. A task that enters now (new, delayed until now, retried, its lease over) draws an arrival from now on. One
whose stored arrival lies in the past was served then, or skipped by a worker not able to do it, or away: it draws
again from now on, which is what it would need had it still not arrived. One that was away and whose stored arrival
still lies ahead keeps it: that it has not arrived is all that is known of it. So drawing lazily, in the claim, for
rows without an arrival ahead, is exact under any mix of arrivals, delays, retries, skips and other strategies.

The clock grows by 1 / (sum of weights) a claim, and doubles lose digits as it grows; so after ``LAP`` a new lap begins
at zero, and as every task of an older lap has no arrival ahead, it draws again. With priorities up to LAP that
is at most about one draw more per claim.

Where more than ``FEW`` tasks have no arrival ahead (a million rows of plain SQL, a new lap), no claim draws for all of
them. It samples instead: an id at random between the first candidate's and the last, kept with probability weight /
(largest weight) if it is a candidate that the worker can do; the first that is kept is served. That has the same law,
since every try falls on each task in proportion to its weight, and it looks at no arrival, so the arrivals drawn
before stay as good as they were. What decides whether a try is kept is a height, even between 0 and the largest weight:
a task that weighs more is kept. Many heights lie above all weights but that of the lowest priority, and such a try asks
the index by priority whether the id has that one. That is the same question, but those tasks lie in few pages, where
the index by age has a page for each hundred tasks, to be read anew after every commit of another worker. Whether a try
is high is drawn first, and how high, as far as it matters, once it falls on a candidate. Some tries are made at a time,
in no order: where a high one is kept, all that are kept have the same chance, and else the first low one will do.
How many tries it takes is the inverse of how dense the ids lie times how even the weights are; when ``TRIES`` are not
enough, some hundred tasks draw an arrival in a short transaction, and the claim begins anew. A queue that is sampled
badly so becomes one that races, a queue that is sampled well never pays for arrivals.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from .schema import BEGIN_WEIGHTED_CLOCK, CANDIDATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_taskq.contract import Connection

    from .ability import Ability

LAP = 2.0**20  # leaves 32 bits below 1, so that ties are rarer than 1e-4 per claim with 100,000 tasks of weight 1
FEW = 16  # an arrival is about as dear as ten tries
TRIES = (32,) * 8  # per statement: low ones are looked at until one is kept, a high one costs about a microsecond
WIDEST = 2**40  # ids further apart are never hit, and a double could not name each of them
_DEFAULT = 100  # the priority of what has none

# Its own generator: a program that seeds the global one in all its workers would make their draws dependent.
DRAWS = random.Random()  # noqa: S311 - not a secret
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DRAWS.seed)

_CLOCK = "SELECT lap, served FROM reference_weighted_clock"
_WITHOUT_KEY = f"""
    SELECT id, priority FROM task_queue INDEXED BY reference_by_age
    WHERE {CANDIDATE} AND (weighted_lap > 0) = 0 LIMIT ?
"""
_NOT_AHEAD = f"""
    SELECT id, priority FROM task_queue INDEXED BY reference_by_weighted_key
    WHERE {CANDIDATE} AND weighted_lap > 0 AND (weighted_lap > 0) = 1 AND (weighted_lap, weighted_key) <= (?, ?) LIMIT ?
"""
_KEEP = "UPDATE task_queue SET weighted_lap = ?, weighted_key = ? WHERE id = ?"
_ADVANCE = "UPDATE reference_weighted_clock SET served = ? WHERE one = 1"
_NEW_LAP = "UPDATE reference_weighted_clock SET lap = lap + 1, served = 0.0 WHERE one = 1"

_BY_AGE = f"SELECT id FROM task_queue INDEXED BY reference_by_age WHERE {CANDIDATE} AND (weighted_lap > 0)"
_SPAN = f"""
    SELECT ({_BY_AGE} = 0 ORDER BY id LIMIT 1), ({_BY_AGE} = 1 ORDER BY id LIMIT 1),
        ({_BY_AGE} = 0 ORDER BY id DESC LIMIT 1), ({_BY_AGE} = 1 ORDER BY id DESC LIMIT 1),
        (SELECT min(priority) FROM task_queue INDEXED BY reference_by_priority WHERE {CANDIDATE})
"""
# The candidates that tries fall on, given how far each lies from the first id.
_LOW = f"""
    SELECT task_queue.id, priority FROM json_each(?) AS tried CROSS JOIN task_queue INDEXED BY reference_by_age
    WHERE {CANDIDATE} AND (weighted_lap > 0) %s AND task_queue.id = ? + tried.value
"""
_LOW_WITHOUT_KEY, _LOW_EITHER = _LOW % "= 0", _LOW % "IN (0, 1)"
_HIGH = f"""
    SELECT task_queue.id, priority FROM json_each(?) AS tried CROSS JOIN task_queue INDEXED BY reference_by_priority
    WHERE {CANDIDATE} AND task_queue.id = ? + tried.value AND priority = ?
"""
_NEEDS = """
    SELECT CAST(compatibility AS BLOB) FROM task_queue
    WHERE id = ? AND ifnull(run_after_utc, '') <= datetime('now') AND ifnull(attempts, 0) < ifnull(max_attempts, 5)
"""


def draw_arrivals(connection: Connection, at_most: int | None = None) -> bool:
    """Give claimable tasks an arrival ahead of the clock; whether all have one now.

    With ``at_most`` some get one; without it all do, or none if more than ``FEW`` lack it.
    """
    limit = FEW + 1 if at_most is None else at_most
    lap, served = _clock(connection)
    rows = connection.execute(_WITHOUT_KEY, (limit,)).fetchall()
    if len(rows) < limit:
        rows += connection.execute(_NOT_AHEAD, (lap, served, limit - len(rows))).fetchall()
    if at_most is None and len(rows) == limit:
        return False
    for row in rows:
        connection.execute(_KEEP, (lap, served + DRAWS.expovariate(weight(row[1])), row[0]))
    return len(rows) < limit


def _clock(connection: Connection) -> tuple[int, float]:
    """Return the lap and the arrival served last; a clock whose row somebody deleted is begun anew.

    Each task then draws again, as in any new lap, so that the law stays what it is. A claim holds the write lock: of
    several at once the first begins it, and the others find it.
    """
    row = connection.execute(_CLOCK).fetchone()
    if row is None:
        connection.execute(BEGIN_WEIGHTED_CLOCK)
        row = connection.execute(_CLOCK).fetchone()
    return row[0], row[1]


def advance(connection: Connection, arrival: float) -> None:
    """Set the clock to the arrival that is served now."""
    if arrival > LAP:
        connection.execute(_NEW_LAP)
    else:
        connection.execute(_ADVANCE, (arrival,))


def sampled(connection: Connection, ability: Ability) -> int | None:
    """Return the id of a due task that the worker can do, drawn by weight; None if no try hit one."""
    *ends, lowest = connection.execute(_SPAN).fetchone()
    known = [end for end in ends if end is not None]
    first, width = min(known), max(known) - min(known) + 1
    if width > WIDEST:
        return None
    bound = _largest_weight(lowest)
    edge = _edge(lowest, bound)
    look = _LOW_WITHOUT_KEY if ends[1] is None else _LOW_EITHER
    for count in TRIES:
        low = sum(DRAWS.random() * bound < edge for _ in range(count)) if edge < bound else count
        kept: Iterable[int] = _kept(connection, look, (_distances(low, width), first), 0.0, edge)
        if low < count:
            high = list(_kept(connection, _HIGH, (_distances(count - low, width), first, lowest), edge, bound))
            kept = _shuffled([*high, *kept]) if high else kept
        for task_id in kept:
            needs = connection.execute(_NEEDS, (task_id,)).fetchone()
            if needs is not None and ability.suits(needs[0]):
                return task_id
    return None


def _kept(connection: Connection, look: str, tries: tuple[object, ...], least: float, most: float) -> Iterator[int]:
    """Yield the ids that are kept of what the tries fall on, whose heights lie between ``least`` and ``most``."""
    for row in connection.execute(look, tries):
        if least + DRAWS.random() * (most - least) < weight(row[1]):
            yield row[0]


def _shuffled(ids: list[int]) -> list[int]:
    return DRAWS.sample(ids, len(ids))


def _distances(count: int, width: int) -> str:
    return str([int(DRAWS.random() * width) for _ in range(count)])  # a JSON list, as json.dumps would write it


def _edge(lowest: object, bound: float) -> float:
    """Return the height above which only the lowest priority is kept; ``bound`` if that is not clear.

    It is clear of an integer from 0 that weighs more than the default, which is the weight of what is no integer.
    """
    if isinstance(lowest, int) and 0 <= lowest < _DEFAULT:
        return weight(lowest + 1)
    return bound


def weight(priority: object) -> float:
    """Return 1 / (priority + 1); a negative priority counts as 0, one that is no integer as the default 100."""
    number = priority if isinstance(priority, int) else _DEFAULT
    return 1 / (max(number, 0) + 1)


def _largest_weight(lowest: object) -> float:
    """Return what no weight exceeds where ``lowest`` is the lowest priority and some may be no integers."""
    return max(weight(int(lowest)) if isinstance(lowest, int | float) else 0.0, weight(None))
