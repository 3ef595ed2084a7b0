"""The words that the requirements are written in; the contract's own definitions."""

from __future__ import annotations

TERMS: dict[str, str] = {
    "Lease": "A claim with a deadline. It is valid strictly before its deadline and over from then on.",
    "Holder": "The worker of the task's latest claim while the task is `leased`.",
    "Attempt": "One claim. `attempts` counts claims, so a worker that dies counts.",
    "Due": "`run_after <= now`.",
    "Reclaimed": (
        "A task is claimable again once its lease is over and something reclaimed it: the claim itself, or "
        "`reclaim_expired()`, which the kit calls."
    ),
    "Now": (
        "The database's clock. The kit moves it on the grid of `time_precision`, and on that grid results are exact: "
        "never early, never late. Off the grid (real processes) the late side may use one precision."
    ),
    "Promises": "What a team declares in `promises = Promises(...)`. Declared means graded.",
}
