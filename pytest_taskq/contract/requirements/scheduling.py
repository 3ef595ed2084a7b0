"""SCH: which of the claimable tasks is served; SCH-01 to SCH-05 for the strategies that are promised."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Level, Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="SCH-01",
        role=Role.SCHEDULING,
        grades=("claim_by",),
        needs=("enqueue",),
        how="mh",
        text="FIFO serves the oldest first (`fifo_key`, `retried`).",
        why=(
            "Producers enqueue 'create' before 'update' and rely on it. With times of whole seconds, hundreds of tasks "
            "share one, and without a second key they are served in any order."
        ),
        look_at=(
            "`ORDER BY` with the id as the last key",
            "no ORDER BY at all: the heap's order looks right until the first update",
            "a retried task: does it keep its place or go to the back, and is that what is promised?",
        ),
        bugs=("malthe/pq#49",),
    ),
    Requirement(
        id="SCH-02",
        role=Role.SCHEDULING,
        grades=("claim_by",),
        needs=("enqueue",),
        how="mh",
        text="LIFO serves the newest first.",
        why=(
            "It is chosen where only fresh work is worth doing. If equal timestamps fall back to the oldest, the burst "
            "that mattered most is served backwards."
        ),
        look_at=(
            "DESC on every key, also on the last one",
            "FIFO and LIFO exchanged in the table of strategies",
            "an index that is read forwards and cut before it is sorted",
        ),
    ),
    Requirement(
        id="SCH-03",
        role=Role.SCHEDULING,
        grades=("claim_by",),
        needs=("enqueue", "enqueue.priority"),
        how="mh",
        text="PRIORITY serves the first in `priority_order`, FIFO within one priority.",
        why=(
            "Half of all queues serve the low number first and half the high one. With the direction turned round, "
            "the password reset waits behind the night's report."
        ),
        look_at=(
            "the direction, also for negative priorities",
            "priorities kept as text: '10' sorts before '9'",
            "the tie: by age, not by a random id",
        ),
    ),
    Requirement(
        id="SCH-04",
        role=Role.SCHEDULING,
        grades=("claim_by",),
        needs=("enqueue", "enqueue.priority"),
        how="s",
        text=(
            "WEIGHTED_RANDOM serves task i with probability weight_i / sum of weights of the claimable tasks, at each "
            "claim; false alarm at most 1e-9."
        ),
        why=(
            "Teams share capacity by these weights. A formula that only looks random gives a tenant who paid for a "
            "tenth of the capacity a hundredth of it, and no single run shows it."
        ),
        look_at=(
            "`ORDER BY random() * weight`, which is not this law; `-ln(u) / weight`, smallest first, is",
            "SQLite's `random()`: signed 64 bits, and `abs()` of it",
            "a draw among the first rows only, or among rows that are not claimable",
        ),
    ),
    Requirement(
        id="SCH-05",
        role=Role.SCHEDULING,
        grades=("claim_by",),
        needs=("enqueue", "enqueue.priority"),
        how="s",
        text=(
            "WEIGHTED_RANDOM starves no one: the lightest task of the pool is served within the bound its weight gives."
        ),
        why=(
            "A weight that rounds to zero, or a draw that sees only the head of the queue, leaves somebody's task for "
            "ever at the end; its owner sees a queue that works for everyone else."
        ),
        look_at=(
            "integer division: `1 / (priority + 1)` is 0 in SQL; write 1.0",
            "a LIMIT on the candidates before the draw",
            "weights so small that the sum swallows them",
        ),
    ),
    Requirement(
        id="SCH-06",
        role=Role.SCHEDULING,
        grades=("claim_by",),
        needs=("enqueue",),
        how="mi",
        text=(
            "CLM-01, -02, -05, -06, -07, -09 hold under every strategy, and when workers with different strategies "
            "share the queue (one scenario each)."
        ),
        why=(
            "Each strategy tends to be its own query. The guard that FIFO got after the first incident is missing in "
            "LIFO, and two workers with different strategies meet on the last task."
        ),
        look_at=(
            "one claim statement that differs in ORDER BY only",
            "the strategy that reads its candidates first and updates later, often the random one",
            "attempts, deadline and capabilities under each strategy",
        ),
    ),
    Requirement(
        id="SCH-07",
        role=Role.SCHEDULING,
        grades=("claim_by",),
        how="x",
        text="An unknown strategy raises ValueError naming the known ones.",
        why=(
            "A misspelt strategy in a configuration that quietly becomes FIFO is found weeks later, when somebody "
            "wonders why priorities have no effect."
        ),
        look_at=(
            "`strategies.get(name, fifo)` and a last `else` that means FIFO",
            "the text: it must name the value and the known strategies",
            "None and the empty text",
        ),
    ),
    Requirement(
        id="SCH-08",
        level=Level.SHOULD,
        role=Role.SCHEDULING,
        grades=("claim_task", "claim_by"),
        needs=("enqueue", "shared schema"),
        how="p",
        text=(
            "With all queued tasks compatible, the work of a claim (virtual-machine steps) does not grow from 100 to "
            "100,000 queued, nor with 10,000 delayed or finished rows beside; amortised."
        ),
        why=(
            "A backlog is when speed matters. If a claim reads the whole backlog under the write lock, the queue gets "
            "slower the longer it is, and never catches up."
        ),
        look_at=(
            "an index on status and then the columns of ORDER BY, so that LIMIT 1 reads one row",
            "`USE TEMP B-TREE FOR ORDER BY` in the plan",
            "delayed tasks in front of the due ones in the same index",
            "JSON functions that are evaluated for every candidate",
        ),
    ),
)
