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
"""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection

LAP = 2.0**20  # leaves 32 bits below 1, so that ties are rarer than 1e-4 per claim with 100,000 tasks of weight 1

# Its own generator: a program that seeds the global one in all its workers would make their draws dependent.
DRAWS = random.Random()  # noqa: S311 - not a secret
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DRAWS.seed)

_CLOCK = "SELECT lap, served FROM reference_weighted_clock"
_NOT_AHEAD = """
    SELECT id, priority FROM task_queue
    WHERE status = 'queued' AND ready = 1 AND (weighted_lap, weighted_key) <= (?, ?)
"""
_KEEP = """
    INSERT INTO reference_drawn_keys (task_id, weighted_lap, weighted_key)
    SELECT CAST(key AS INTEGER), ?, value FROM json_each(?)
"""
_ADVANCE = "UPDATE reference_weighted_clock SET served = ? WHERE one = 1"
_NEW_LAP = "UPDATE reference_weighted_clock SET lap = lap + 1, served = 0.0 WHERE one = 1"


def draw_arrivals(connection: Connection) -> None:
    """Give every claimable task an arrival ahead of the clock."""
    lap, served = connection.execute(_CLOCK).fetchone()
    rows = connection.execute(_NOT_AHEAD, (lap, served)).fetchall()
    if rows:
        arrivals = {row[0]: served + DRAWS.expovariate(weight(row[1])) for row in rows}
        connection.execute(_KEEP, (lap, json.dumps(arrivals)))


def advance(connection: Connection, arrival: float) -> None:
    """Set the clock to the arrival that is served now."""
    if arrival > LAP:
        connection.execute(_NEW_LAP)
    else:
        connection.execute(_ADVANCE, (arrival,))


def weight(priority: object) -> float:
    """Return 1 / (priority + 1); a negative priority counts as 0, one that is no integer as the default 100."""
    number = priority if isinstance(priority, int) else 100
    return 1 / (max(number, 0) + 1)
