"""What a checker says of a history: a verdict, the rule that was broken, and the operations that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_taskq.contract import Verdict

if TYPE_CHECKING:
    from pytest_taskq.history import Operation

_LONGEST = 40


class Rule(StrEnum):
    """What a history can break."""

    PHANTOM = "a task is handed out that nobody had enqueued"
    DOUBLE = "a task is handed out twice"
    ORDER = "a task is handed out before its turn"
    EMPTY = "a claim found nothing although a task was there all along"
    LEASE = "a task is handed out while its holder's lease runs"
    STALE = "a call of one who no longer holds the task is accepted"
    REFUSED = "a call of the holder is refused"
    FINISHED = "a finished task is handed out or finished again"
    LOST = "a task that was accepted is nowhere"
    GHOST = "a task is there that nobody enqueued"
    COUNTS = "the counts are those of no moment of the call"


@dataclass(frozen=True, slots=True)
class Judgement:
    """PASS, FAIL with ``rule``, ``text`` and ``witness``, or INCONCLUSIVE with ``text``.

    ``witness`` are operations of the history, in the order of their calls, which break the rule on their own: the same
    checker fails the witness alone. Where claims of unknown outcome explain a part, it shows the rest.
    """

    verdict: Verdict
    rule: Rule | None = None
    text: str = ""
    witness: tuple[Operation, ...] = ()

    @property
    def legal(self) -> bool:
        """Whether the history keeps every rule that was checked."""
        return self.verdict is Verdict.PASS

    def __str__(self) -> str:
        """Return the verdict with what was seen."""
        return f"{self.verdict}: {self.seen}" if self.seen else self.verdict.value

    @property
    def seen(self) -> str:
        """What breaks the rule with its proof, one operation a line; a long proof is cut, and says so."""
        if self.rule is None:
            return self.text
        lines = [f"{self.rule}: {self.text}", *(f"  {one}" for one in self.witness[:_LONGEST])]
        more = len(self.witness) - _LONGEST
        return "\n".join([*lines, f"  … and {more} more operations"] if more > 0 else lines)


LEGAL = Judgement(Verdict.PASS)


def broken(rule: Rule, text: str, *witness: Operation | None) -> Judgement:
    """Return a FAIL; operations named twice are shown once, those that are not there (None) not at all."""
    distinct = {id(one): one for one in witness if one is not None}
    return Judgement(Verdict.FAIL, rule, text, tuple(sorted(distinct.values(), key=lambda one: one.call)))


def undecided(text: str) -> Judgement:
    """Return an INCONCLUSIVE with its reason."""
    return Judgement(Verdict.INCONCLUSIVE, None, text)
