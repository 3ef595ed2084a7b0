"""LSE: how long a worker may count on its task, and when others may."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Level, Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="LSE-01",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by", "renew_lease", "reclaim_expired"),
        needs=("enqueue", "claim_task", "leases"),
        how="m",
        text=(
            "Until its deadline no one else gets the task; once over and reclaimed, it is claimable again, with the "
            "next attempt."
        ),
        why=(
            "Too early, and two workers do one task. Too late or never, and the tasks of a crashed worker stay where "
            "they are until somebody notices in the morning."
        ),
        look_at=(
            "`lease_until_utc <= now` is over, `>` is valid; the moment itself counts as over",
            "one clock for writing the deadline and for judging it: the database's",
            "a reclaim that asks how long ago the claim was, and so ignores renewals",
            "a reclaim that looks for a status which the claim never writes",
        ),
        bugs=("graphile/worker#204", "oban-bg/oban#424", "celery/celery#2599"),
    ),
    Requirement(
        id="LSE-02",
        role=Role.ENGINE,
        grades=("renew_lease",),
        needs=("enqueue", "claim_task", "leases"),
        how="mi",
        text=(
            "`renew_lease` by the holder moves the deadline to now + `lease_seconds` (which may be earlier than "
            "before, never the past); bad `lease_seconds` as CLM-08."
        ),
        why=(
            "A long task lives by its heartbeat. If a renewal that returned True did not reach the row, a second "
            "worker starts the task while the first is in the middle of it."
        ),
        look_at=(
            "the commit: a heartbeat in an open transaction renews nothing and blocks the writers",
            "a deadline computed from the old deadline instead of from now",
            "the column that the reclaim reads: is it the one that is written here?",
        ),
        bugs=("oban-bg/oban#1141",),
    ),
    Requirement(
        id="LSE-03",
        role=Role.ENGINE,
        grades=("renew_lease",),
        needs=("enqueue", "claim_task", "leases"),
        how="mi",
        text=(
            "`renew_lease` by anyone else, or after the task was reclaimed or finished, returns False and changes "
            "nothing."
        ),
        why=(
            "False is how a slow worker learns that it must stop. A renewal that goes by the id alone extends the new "
            "holder's lease, or takes it back, and both workers go on."
        ),
        look_at=(
            "`WHERE id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?`",
            "the result from the row count, not a constant True",
            "the same worker id with an older attempt: it is not the holder",
        ),
        bugs=("stablemates/workhorse#169",),
    ),
    Requirement(
        id="LSE-04",
        role=Role.ENGINE,
        grades=("renew_lease", "reclaim_expired"),
        needs=("enqueue", "claim_task", "renew_lease", "leases"),
        how="i",
        text=("Renewal racing reclaim: either the renewal holds and the task stays, or it is refused; never both."),
        why=(
            "The race happens whenever a worker is a little late. If the renewal says True and the task is requeued "
            "all the same, two workers have good reason to believe that it is theirs."
        ),
        look_at=(
            "a reclaim that selects ids first and updates them later without asking for the deadline again",
            "the deadline in the WHERE clause of the UPDATE itself",
            "a renewal that does not check that the task is still leased",
        ),
    ),
    Requirement(
        id="LSE-05",
        level=Level.SHOULD,
        role=Role.ENGINE,
        grades=("claim_task", "claim_by", "renew_lease"),
        needs=("enqueue", "claim_task", "leases"),
        how="x",
        text="Fractions are not cut off: started anywhere within a second, a lease of 1 s lasts at least 1 s.",
        why=(
            "`datetime('now', '+1 second')` cuts the fraction off: a lease of one second that starts at .93 is over "
            "after 0.07 s, and short tasks run twice for no visible reason."
        ),
        look_at=(
            "whole-second time functions; write fractions, or round the deadline up",
            "`int(lease_seconds)`, which turns 0.9 into 0",
            "the renewal as well as the claim",
        ),
        bugs=("conductor-oss/conductor#738",),
    ),
)
