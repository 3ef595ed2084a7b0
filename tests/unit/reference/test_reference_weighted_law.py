"""WEIGHTED_RANDOM against its law. Seeded, so each test passes or fails for good; the bound says how likely a correct
queue would have been to fail when the seed was chosen: at most one in a thousand by Hoeffding's inequality.
"""

from __future__ import annotations

import math
import random

import pytest

from pytest_taskq.reference_impl import queue_on, weighted

FALSE_ALARM = 1e-3
ROUNDS = 600
TOLERANCE = math.sqrt(math.log(2 * 3 / FALSE_ALARM) / (2 * ROUNDS))  # of a share, three shares looked at


@pytest.fixture(autouse=True)
def seeded(monkeypatch):
    """The draws of this process."""
    monkeypatch.setattr(weighted, "DRAWS", random.Random(20261123))  # noqa: S311 - not a secret


@pytest.fixture
def drawn(store):
    """Draws of the server's are seeded, too; durability is traded for speed on a file that nobody keeps."""
    with store.opened[0].connection() as connection:
        connection.execute("PRAGMA synchronous = OFF" if store.kind == "sqlite" else "SELECT setseed(0.2026)")


def shares(queue, strategy_claims):
    """Claim again and again, putting each task straight back; return the share of each id."""
    counts: dict[int, int] = {}
    for claim in strategy_claims:
        task = claim()
        counts[task.id] = counts.get(task.id, 0) + 1
        with queue.db.transaction() as connection:  # back at once, by plain SQL
            connection.execute("UPDATE task_queue SET status = 'queued', attempts = 0 WHERE status = 'leased'")
    return {task_id: count / sum(counts.values()) for task_id, count in counts.items()}


def weighted_claims(queue, capabilities=None):
    return [lambda: queue.claim_by("weighted_random", "w", capabilities or {}, 600)] * ROUNDS


def expect(seen, priorities):
    weights = {task_id: 1 / (priority + 1) for task_id, priority in priorities.items()}
    total = sum(weights.values())
    for task_id, weight in weights.items():
        assert seen.get(task_id, 0) == pytest.approx(weight / total, abs=TOLERANCE)


@pytest.mark.usefixtures("drawn")
def test_each_task_is_served_in_proportion_to_its_weight(queue):
    priorities = {queue.enqueue("t", 1, priority=priority): priority for priority in (0, 1, 4)}
    expect(shares(queue, weighted_claims(queue)), priorities)


@pytest.mark.parametrize(("few", "tries"), [(0, (4, 16)), (1, (4, 16)), (0, (1,)), (1, (1,))])
def test_the_law_holds_where_tasks_are_sampled(sqlite_store, monkeypatch, few, tries):
    """More tasks than ``few`` have no arrival, so a claim samples; with few tries it fails, and some draw arrivals."""
    queue, sql = queue_on(sqlite_store.opened[0]), sqlite_store.sql
    with sqlite_store.opened[0].connection() as connection:
        connection.execute("PRAGMA synchronous = OFF")
    monkeypatch.setattr(weighted, "FEW", few)
    monkeypatch.setattr(weighted, "TRIES", tries)
    priorities = {queue.enqueue("t", 1, priority=priority): priority for priority in (0, 1, 4)}
    ways = set()
    sampled = weighted.sampled
    monkeypatch.setattr(weighted, "sampled", lambda *given: ways.add("sample") or sampled(*given))
    advance = weighted.advance
    monkeypatch.setattr(weighted, "advance", lambda *given: ways.add("race") or advance(*given))
    counts = dict.fromkeys(priorities, 0)
    for _ in range(ROUNDS):
        [served] = shares(queue, weighted_claims(queue)[:1])
        counts[served] += 1
        sql("UPDATE task_queue SET weighted_lap = 0 WHERE id <> ? AND id % 2 = 1", served)  # come in anew
    expect({task_id: count / ROUNDS for task_id, count in counts.items()}, priorities)
    assert "sample" in ways


@pytest.mark.parametrize("lowest", [-1, 0, 1, 98, 99, 100, 101, 5000, 2**62, 0.5, "text", None])
def test_a_try_that_asks_for_the_lowest_priority_alone_could_keep_no_other(lowest):
    """A claimable task has at least the lowest priority, or one that is no integer."""
    bound = weighted._largest_weight(lowest)
    others = [2.5, "text", None, *(number for number in (-5, 0, 1, 2, 99, 100, 101, 2**62) if number != lowest)]
    possible = [
        other for other in others if not (isinstance(other, int) and isinstance(lowest, int) and other < lowest)
    ]
    edge = weighted._edge(lowest, bound)
    assert edge == bound or all(weighted.weight(other) <= edge for other in possible)
    assert edge < bound or lowest not in {0, 1, 98, 99}


@pytest.mark.usefixtures("drawn")
def test_a_sample_passes_over_what_the_worker_cannot_do_and_keeps_the_law_among_the_rest(queue, monkeypatch):
    monkeypatch.setattr(weighted, "FEW", 0)
    monkeypatch.setattr(weighted, "draw_arrivals", lambda *_: False)  # never a race
    priorities = {1: 0, 2: 1, 4: 4}
    for task_id, priority in ((1, 0), (2, 1), (3, 0), (4, 4)):
        queue.enqueue("t", 1, priority=priority, compatibility={"gpu": True} if task_id == 3 else {})
    expect(shares(queue, weighted_claims(queue)), priorities)


@pytest.mark.usefixtures("drawn")
def test_a_negative_priority_weighs_as_much_as_zero(queue):
    for priority in (-9, 0):
        queue.enqueue("t", 1, priority=priority)
    expect(shares(queue, weighted_claims(queue)), {1: 0, 2: 0})


@pytest.mark.usefixtures("drawn")
def test_claims_that_skip_tasks_leave_the_law_as_it_is(queue):
    """A worker that can do only task 2 claims in between, passing over the arrivals of the others."""
    priorities = {1: 0, 2: 1, 3: 4}
    for task_id, priority in priorities.items():
        queue.enqueue("t", 1, priority=priority, compatibility={} if task_id == 2 else {"gpu": True})
    counts = dict.fromkeys(priorities, 0)
    for _ in range(ROUNDS):
        assert shares(queue, weighted_claims(queue)[:1]) == {2: 1.0}
        [served] = shares(queue, weighted_claims(queue, {"gpu": True})[:1])
        counts[served] += 1
    expect({task_id: count / ROUNDS for task_id, count in counts.items()}, priorities)


@pytest.mark.usefixtures("drawn")
def test_a_task_that_arrives_late_is_neither_favoured_nor_set_back(queue, sql, store):
    """Tasks 1 and 2 race for a while before 3 comes due; then the three race by their weights, from its first claim."""
    counts = {1: 0, 2: 0, 3: 0}
    for priority in (0, 1, 4):
        queue.enqueue("t", 1, priority=priority)
    for _ in range(ROUNDS):
        sql(f"UPDATE task_queue SET run_after_utc = {store.now(86400)} WHERE id = 3")
        shares(queue, weighted_claims(queue)[:2])
        sql("UPDATE task_queue SET run_after_utc = {now} WHERE id = 3")
        [served] = shares(queue, weighted_claims(queue)[:1])
        counts[served] += 1
    expect({task_id: count / ROUNDS for task_id, count in counts.items()}, {1: 0, 2: 1, 3: 4})


@pytest.mark.usefixtures("drawn")
def test_the_law_holds_across_laps(queue, sql, store, monkeypatch):
    priorities = {queue.enqueue("t", 1, priority=priority): priority for priority in (0, 1, 4)}
    claims = weighted_claims(queue)
    if store.kind == "sqlite":
        monkeypatch.setattr(weighted, "LAP", 3.0)
        expect(shares(queue, claims), priorities)
        assert sql("SELECT lap FROM reference_weighted_clock")[0][0] > 100
    else:  # each claim finds the clock at the end of its lap

        def next_lap():
            sql("SELECT setval('reference_weighted_clock', (2^46)::bigint)")
            return claims[0]()

        expect(shares(queue, [next_lap] * ROUNDS), priorities)
        assert sql("SELECT last_value FROM reference_weighted_clock")[0][0] < 2**30


@pytest.mark.parametrize("few", [weighted.FEW, 0])
def test_the_law_holds_where_somebody_deletes_the_clock(sqlite_store, monkeypatch, few):
    """Before each claim; the arrivals that were drawn by the clock that is gone are not those of the next."""
    queue, sql = queue_on(sqlite_store.opened[0]), sqlite_store.sql
    with sqlite_store.opened[0].connection() as connection:
        connection.execute("PRAGMA synchronous = OFF")
    monkeypatch.setattr(weighted, "FEW", few)
    monkeypatch.setattr(weighted, "TRIES", (1,))
    priorities = {queue.enqueue("t", 1, priority=priority): priority for priority in (0, 1, 4)}
    [claim] = weighted_claims(queue)[:1]

    def without_a_clock():
        sql("DELETE FROM reference_weighted_clock")
        return claim()

    expect(shares(queue, [without_a_clock] * ROUNDS), priorities)


def test_a_clock_that_was_lost_begins_in_a_lap_that_no_task_has(sqlite_store, monkeypatch):
    """Nor one that no claim looks at now: when it comes back it must not find its old arrival ahead."""
    queue, sql = queue_on(sqlite_store.opened[0]), sqlite_store.sql
    monkeypatch.setattr(weighted, "LAP", 0.0)  # each claim begins a lap
    for _ in range(3):
        queue.enqueue("t", 1)
        assert queue.claim_by("weighted_random", "w", {}, 600)
    [(latest,)] = sql("SELECT max(weighted_lap) FROM task_queue WHERE status = 'leased'")
    assert latest == 3
    sql("DROP TABLE reference_weighted_clock")
    sqlite_store.opened[0].initialize_schema()
    assert sql("SELECT one, lap, served FROM reference_weighted_clock")[0][:] == (1, latest + 1, 0.0)


def test_a_claim_draws_only_for_tasks_whose_arrival_is_not_ahead(sqlite_store, monkeypatch):
    queue = queue_on(sqlite_store.opened[0])
    queue.enqueue_many([{"type": "t", "payload": n} for n in range(weighted.FEW)])
    queue.claim_by("weighted_random", "w", {}, 600)
    drawn = []
    monkeypatch.setattr(weighted, "weight", lambda priority: drawn.append(priority) or 1.0)
    queue.enqueue("t", "late", priority=7)
    queue.claim_by("weighted_random", "w", {}, 600)
    assert drawn == [7]


@pytest.mark.parametrize(
    ("priority", "weight"), [(0, 1), (1, 0.5), (-3, 1), (99, 0.01), (None, 1 / 101), ("x", 1 / 101)]
)
def test_the_weight_is_one_over_the_priority_plus_one(priority, weight):
    assert weighted.weight(priority) == pytest.approx(weight)


def test_priorities_at_the_ends_of_the_range_are_served(queue):
    for priority in (-(2**63), 2**63 - 1, 2**63 - 1):
        queue.enqueue("t", 1, priority=priority)
    served = {queue.claim_by("weighted_random", "w", {}, 600).id for _ in range(3)}
    assert served == {1, 2, 3}
