"""How a check says that the code under test broke the contract, or that it could not be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ContractViolation(AssertionError):  # noqa: N818 - a finding, not an error of ours
    """The code under test did what the contract forbids: what was expected, what was seen, and the calls before it.

    ``method`` names the adapter method that did it, None where the check itself judged; a requirement that does not
    grade that method is not judged by it (its precondition could not be made).
    """

    def __init__(self, expected: str, seen: str, *, calls: Sequence[str] = (), method: str | None = None) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen
        self.calls = tuple(calls)
        self.method = method


class NotJudgedError(Exception):
    """A check could not make its precondition happen, so it says nothing for or against the code under test."""


class UnsupportedError(Exception):
    """The back end has nothing that the check could use; other instruments are not touched by that."""


class InconclusiveError(Exception):
    """A check ran out of budget, samples, overlap or quiet before it could say pass or fail."""


class InexactTimeError(InconclusiveError):
    """A call lasted too long for the times that it stored to be told exactly; made again it may be quicker."""


class CallHungError(NotJudgedError):
    """A call of the adapter did not return within the bound."""


class CheckAbortedError(BaseException):
    """Raised inside a thread whose call hung, to end what Python code it still runs."""


class Died(BaseException):
    """Raised in an actor that ends here: the process it stands for is gone."""
