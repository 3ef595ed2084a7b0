"""Draws by weight: correct ways to make them, and the ways in which a draw only looks like one."""

from __future__ import annotations

import random
from math import log
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from mutant_queues.registry import STATISTICS, breaks, twin
from mutant_queues.scheduler import WeightedScheduler
from pytest_taskq import Promises

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

DRAWS = random.Random()  # noqa: S311 - no secret
LIKE_ITS_BASE = "as WeightedScheduler"
WON = r"E is \d\.\de(9|1\d)"


def urn(chance: float, weight: float) -> float:
    """Return the time at which a task of this weight arrives; of several, each is first in proportion to its weight."""
    return -log(1 - chance) / weight


# --- correct ----------------------------------------------------------------------------------------------------------


@twin(detail=True, SCH_08=LIKE_ITS_BASE)
class LeastKey(WeightedScheduler):
    """Draws a key for every task at every claim, and serves the least."""

    def draw(self, connection: sqlite3.Connection, able: list[sqlite3.Row]) -> int:
        return min(able, key=self.key)["id"]

    def key(self, row: sqlite3.Row) -> float:
        return urn(DRAWS.random(), self.weight(row["priority"]))


@twin(detail=True, SCH_08=LIKE_ITS_BASE)
class HeavierByTheNumber(WeightedScheduler):
    """Promises weights of its own."""

    promises: ClassVar[Promises] = Promises(weight=lambda priority: 1.0 + priority)

    def weight(self, priority: int) -> float:
        return 1.0 + max(priority, 0)


class Arrival(NamedTuple):
    time: float
    attempts: int


@twin(SCH_08=LIKE_ITS_BASE)
class Race(WeightedScheduler):
    """Keeps the arrivals that it drew as long as they lie ahead, which an exponential time allows."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.now = 0.0
        self.arrivals: dict[int, Arrival] = {}

    def draw(self, connection: sqlite3.Connection, able: list[sqlite3.Row]) -> int:
        for row in self.runners(connection, able):
            drawn = self.arrivals.get(row["id"])
            if drawn is None or self.runs_anew(row, drawn):
                time = self.now + urn(DRAWS.random(), self.weight(row["priority"]))
                self.arrivals[row["id"]] = Arrival(time, row["attempts"])
        first = min(able, key=lambda row: self.arrivals[row["id"]])
        self.now = max(self.now, self.arrivals[first["id"]].time)
        return first["id"]

    def runners(self, connection: sqlite3.Connection, able: list[sqlite3.Row]) -> list[sqlite3.Row]:
        return able

    def runs_anew(self, row: sqlite3.Row, drawn: Arrival) -> bool:
        return drawn.time <= self.now


# --- weights that are not those promised ------------------------------------------------------------------------------


@breaks("SCH-04", STATISTICS, WON)
class AllAlike(WeightedScheduler):
    """Draws without a look at weights."""

    def weight(self, priority):
        return 1.0


@breaks("SCH-04", STATISTICS, "best explained by the heaviest first")
@breaks("SCH-05", STATISTICS, r"was not served in \d+ claims \(fresh\)")
class HeaviestFirst(WeightedScheduler):
    """Takes the heaviest for the likeliest."""

    def draw(self, connection, able):
        return min(able, key=lambda row: (row["priority"], row["id"]))["id"]


@breaks("SCH-04", STATISTICS, WON)
class RootOfTheWeight(WeightedScheduler):
    """Evens the weights out."""

    def weight(self, priority):
        return super().weight(priority) ** 0.5


@breaks("SCH-04", STATISTICS, WON)
class WeighsByRank(WeightedScheduler):
    """Gives the best priority as many shares as there are priorities, the next one less, the last one."""

    def draw(self, connection, able):
        ranks = sorted({row["priority"] for row in able}, reverse=True)
        return DRAWS.choices(able, [ranks.index(row["priority"]) + 1 for row in able])[0]["id"]


@breaks("SCH-04", STATISTICS, WON)
class TurnsWeightsRound(WeightedScheduler):
    """Takes the priority for the weight."""

    def weight(self, priority):
        return 1.0 + max(priority, 0)


@breaks("SCH-04", STATISTICS, WON)
class ChanceTimesWeight(WeightedScheduler):
    """``ORDER BY random() * weight DESC``."""

    def draw(self, connection, able):
        return max(able, key=lambda row: DRAWS.random() * self.weight(row["priority"]))["id"]


@breaks("SCH-04", STATISTICS, WON, twin=HeavierByTheNumber)
class PromisesOtherWeights(HeavierByTheNumber):
    """Promises that the number is the weight, and divides by it."""

    def weight(self, priority):
        return 1 / (max(priority, 0) + 1)


# --- tasks that are not looked at -------------------------------------------------------------------------------------


@breaks("SCH-05", STATISTICS, r"was not served in \d+ claims \(fresh\)")
@breaks("SCH-04", STATISTICS, WON)
class NeverTheLightest(WeightedScheduler):
    """Starves whoever is last."""

    def draw(self, connection, able):
        last = max(row["priority"] for row in able)
        return super().draw(connection, [row for row in able if row["priority"] < last] or able)


@breaks("SCH-05", STATISTICS, r"was not served in \d+ claims \(far apart\)")
class WholeWeights(WeightedScheduler):
    """Counts shares in whole numbers, of which the lightest have none."""

    def weight(self, priority):
        return 64 // (max(priority, 0) + 1)


@breaks("SCH-05", STATISTICS, r"was not served in \d+ claims \(crowd\)")
@breaks("SCH-04", STATISTICS, "a bias by place among")
class DrawsAmongTheFirst(WeightedScheduler):
    """``LIMIT 50`` before the draw."""

    def draw(self, connection, able):
        return super().draw(connection, able[:50])


@breaks("SCH-04", STATISTICS, "a bias by place among")
class OldestOfEqualWeight(WeightedScheduler):
    """Draws a weight, and serves the oldest task that has it."""

    def draw(self, connection, able):
        drawn = super().draw(connection, able)
        priority = next(row["priority"] for row in able if row["id"] == drawn)
        return next(row["id"] for row in able if row["priority"] == priority)


@breaks("SCH-04", STATISTICS, WON)
class DrawsForAnybody(WeightedScheduler):
    """Draws among all that is due; if the worker cannot do what it drew, the oldest that it can do is served."""

    def first(self, connection, strategy, capabilities):
        if strategy != "weighted_random":
            return super().first(connection, strategy, capabilities)
        due = connection.execute(
            f"SELECT id, ifnull(priority, 100) AS priority FROM task_queue "
            f"WHERE status = 'queued' AND {self.DUE} AND {self.LEFT}"
        ).fetchall()
        able = [row["id"] for row in self.claimable(connection, capabilities)]
        if not able:
            return None
        drawn = self.draw(connection, due)
        return drawn if drawn in able else able[0]


# --- keys that were drawn too early -----------------------------------------------------------------------------------


class EarlyKey(LeastKey):
    """Finds the key of a task again by what it was drawn for."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.chances: dict[Any, float] = {}

    def key(self, row: Mapping[str, Any]) -> float:
        return urn(self.chances.setdefault(self.drawn_for(row), DRAWS.random()), self.weight(row["priority"]))

    def drawn_for(self, row: Mapping[str, Any]) -> Any:
        return row["id"]


@breaks("SCH-04", STATISTICS, WON, twin=LeastKey)
class KeyForEver(EarlyKey):
    """Draws a key when a task comes in, and none again when it is retried."""


@breaks("SCH-04", STATISTICS, WON, twin=LeastKey)
class KeyPerAttempt(EarlyKey):
    """Draws a key when a task comes in or comes back, so that newcomers overtake whoever was unlucky before."""

    def drawn_for(self, row):
        return row["id"], row["attempts"]


@breaks("SCH-04", STATISTICS, r"the last of them retried, E is .* best explained by a bias by")
class RetriedKeepTheirArrival(Race):
    """Keeps the time of a task that was served and came back, which lies behind all others."""

    def runs_anew(self, row, drawn):
        return drawn.time <= self.now and row["attempts"] == drawn.attempts


@breaks("SCH-04", STATISTICS, r"the last of them skipped, E is .* best explained by a bias by")
class SkippedKeepTheirArrival(Race):
    """Draws again for each attempt alone, so that whoever was passed over goes first."""

    def runs_anew(self, row, drawn):
        return row["attempts"] != drawn.attempts


@breaks("SCH-04", STATISTICS, r"the last of them delayed, E is .* best explained by a bias by")
class DelayedRunFromTheStart(Race):
    """Draws for what is not due yet, so that its time is long past when it comes."""

    def __init__(self, dsn):
        super().__init__(dsn)
        self.early = {}

    def runners(self, connection, able):
        known = {row["id"] for row in able}
        rows = connection.execute("SELECT id, priority, attempts FROM task_queue WHERE status = 'queued'").fetchall()
        self.early.update({row["id"]: row["attempts"] for row in rows if row["id"] not in known})
        return rows

    def runs_anew(self, row, drawn):
        return super().runs_anew(row, drawn) and self.early.get(row["id"]) != row["attempts"]
