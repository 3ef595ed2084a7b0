"""What one requirement is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_taskq.contract.kills import KILLS
from pytest_taskq.contract.snippets import snippet_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract.methods import Role
    from pytest_taskq.contract.snippets import Snippet

CONTRACT_VERSION = "1.0"


class Level(StrEnum):
    """Whether a failed requirement fails the run (MUST) or is only shown (SHOULD)."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Instrument(StrEnum):
    """How a requirement is judged; the letter is the one of the contract's table."""

    MODEL = "model"
    INTERLEAVINGS = "interleavings"
    CRASH_POINTS = "crash points"
    HISTORY = "history"
    ORACLE = "oracle"
    DIRECT_EXAMPLE = "direct example"
    QUERY_COST = "query cost"
    STATISTICS = "statistics"
    TIMING = "timing"


LETTERS: dict[str, Instrument] = {
    "m": Instrument.MODEL,
    "i": Instrument.INTERLEAVINGS,
    "c": Instrument.CRASH_POINTS,
    "h": Instrument.HISTORY,
    "o": Instrument.ORACLE,
    "x": Instrument.DIRECT_EXAMPLE,
    "p": Instrument.QUERY_COST,
    "s": Instrument.STATISTICS,
    "t": Instrument.TIMING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One numbered promise of the contract and all that is said about it, once.

    ``grades`` names the adapter methods whose override makes the requirement graded; ``needs`` names what else must be
    offered for it to be judged (methods, ``"enqueue.delay_seconds"``, ``"leases"``, ``"capabilities"``,
    ``"shared schema"``); ``how`` is the instruments' letters. ``why`` says what breaks without it, ``look_at`` what to
    check first when it fails, ``bugs`` cites real defects (``owner/repo#number``).
    """

    id: str
    level: Level = Level.MUST
    role: Role
    grades: tuple[str, ...]
    needs: tuple[str, ...] = ()
    how: str
    text: str
    why: str
    look_at: tuple[str, ...]
    bugs: tuple[str, ...] = ()
    since: str = CONTRACT_VERSION

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The instruments that judge it, in the order of the contract's table."""
        return tuple(LETTERS[letter] for letter in self.how)

    @property
    def mutants(self) -> Mapping[str, str]:
        """The broken queues of ``tests/mutants`` that it must fail, by name, and what each does wrong."""
        return KILLS.get(self.id, {})

    @property
    def snippet(self) -> Snippet | None:
        """An adapter that breaks it and one that keeps it, read now; None where nothing is shown."""
        return snippet_of(self.id)
