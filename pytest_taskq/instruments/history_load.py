"""The load run as a history: whether each of four workers got its share, and what locks did to the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.contract import Verdict
from pytest_taskq.instruments.history_evidence import Broken
from pytest_taskq.latency.load import LEAST_SHARE, WINDOW, least_share, shares
from pytest_taskq.subject.violation import InconclusiveError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.latency.load import Trial
    from pytest_taskq.recording.load import Window
    from pytest_taskq.recording.stage import Recording
    from pytest_taskq.subject import Subject


def none_is_starved(recording: Recording, _subject: Subject, _: str) -> str:
    """Judge that in a window of enough claims none got less than a quarter of its fair share; see `latency.load`."""
    return "; ".join(_judged(window, recording) for window in recording.answers["windows"])


def _judged(window: Window, recording: Recording) -> str:
    claims = window.block.claims
    if not window.is_whole:
        rate = sum(claims) / max(window.block.window, 1e-9)
        raise InconclusiveError(
            f"shares are compared in a window of {WINDOW} claims, and {len(claims)} workers made only {rate:.3g} a "
            f"second{_with(window)}, too few for {window.limit:g} s; a run of more effort goes on for longer"
        )
    if window.is_even:
        return f"{sum(claims)} claims in {window.block.window:.1f} s{_with(window)}, shares {shares_text(claims)}"
    trial = window.trial
    if trial is None or trial.verdict is not Verdict.FAIL:
        raise InconclusiveError(
            f"one of {len(claims)} workers got {least_share(claims):.2f} of its fair share of {sum(claims)} claims"
            f"{_with(window)}, but it may be the machine: {_trial_text(trial)}"
        )
    raise _Starved(window, trial, recording)


_WITHOUT = "the time not counted in which it was ready and had no processor"


class _Starved(Broken):
    """A window was uneven, and the trial says that it is the queue's doing."""

    def __init__(self, window: Window, trial: Trial, recording: Recording) -> None:
        block = window.block
        worst = min(range(len(block.claims)), key=lambda number: block.claims[number])
        turn = block.turns[worst]
        got = f"w{worst} got {block.claims[worst]} of {sum(block.claims)} claims in {block.window:.1f} s{_with(window)}"
        seen = [
            f"{got}, {least_share(block.claims):.2f} of its fair share",
            f"  shares     {shares_text(block.claims)}",
            f"  w{worst}         was inside calls for {turn.held_up / 1e9:.2f} s of {block.window:.2f} s, {_WITHOUT}",
            f"  the trial  {_trial_text(trial)}",
        ]
        expected = f"each of {len(block.claims)} workers gets a quarter of its fair share or more"
        super().__init__(expected, "\n".join(seen), recording.operations)
        self.figures = {
            "load": {
                "workers": len(block.claims),
                "seconds": block.window,
                "finished": block.finished,
                "per_minute": block.per_minute,
                "target": None,
                "reference_per_minute": None,
                "shares": shares(block.claims),
                "least_share": LEAST_SHARE,
                "lock_errors": 0,
                "think": window.think,
            }
        }


def shares_text(claims: Sequence[int]) -> str:
    """Return each worker's share, by name."""
    return ", ".join(f"w{number} {one:.1%}" for number, one in enumerate(shares(claims)))


def _with(window: Window) -> str:
    return f" with {window.think * 1000:g} ms of work on each task" if window.think else ""


def _trial_text(trial: Trial | None) -> str:
    if trial is None:
        return "there was no trial"
    return (
        f"in {trial.starved} of {len(trial.pairs)} pairs of blocks a worker was starved that had a processor, and in "
        "the reference's block beside it none"
    )
