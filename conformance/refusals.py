"""Arguments that must be refused, and what a refusal is: ValueError or TypeError whose text names the argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_taskq.subject import Outcome, QueueUnderTest

NAN, INFINITY = float("nan"), float("inf")


@dataclass(frozen=True, slots=True)
class Refused:
    """An argument, the words by which a message may name it, and values that it must not take."""

    argument: str
    words: tuple[str, ...]
    values: tuple[Any, ...]


_NO_NUMBERS = (None, "60", NAN, INFINITY, -INFINITY)

PAYLOAD = Refused(
    "payload",
    ("payload", "json", "serializ", "serialis"),
    (object(), {"n": {object()}}, 1j, NAN, INFINITY, -INFINITY, {"deep": [1, {"n": NAN}]}, [-INFINITY]),
)
TYPE = Refused("type", ("type", "kind"), ("", None, 5, b"job", ["job"]))
DELAY = Refused("delay_seconds", ("delay",), (*_NO_NUMBERS, -1, -0.001))
MAX_ATTEMPTS = Refused("max_attempts", ("attempts",), (0, -1, "3", 2.5, NAN))
PRIORITY = Refused("priority", ("priority",), ("high", "5", 1.5, NAN))
ENQUEUE = (PAYLOAD, TYPE, DELAY, MAX_ATTEMPTS, PRIORITY)
# For one bad item in a batch: an argument each, and one payload that fails late, as it is written.
BAD_ITEMS = (*ENQUEUE, Refused("payload", PAYLOAD.words, ({"deep": [1, {"n": NAN}]},)))

WORKER = Refused("worker_id", ("worker",), ("", None, 5, b"w1", ["w1"]))
LEASE = Refused("lease_seconds", ("lease",), (*_NO_NUMBERS, 0, 0.0, -1, -0.5))

# JSON would turn each of these into something else without a word.
CHANGED_BY_JSON: tuple[Any, ...] = (
    (1, 2),
    {"in": {"deep": [(1, 2)]}},
    {1: "one"},
    {"in": {2.5: "x"}},
    {None: "none"},
    {True: "yes"},
    b"bytes",
    {"in": b"bytes"},
    bytearray(b"bytes"),
    {1, 2},
    {"in": frozenset({"a"})},
)


def require_refused(queue: QueueUnderTest, outcome: Outcome, method: str) -> None:
    """Require ValueError or TypeError."""
    refused = isinstance(outcome.error, ValueError | TypeError)
    seen = f"{outcome.call} {'-> ' if outcome.error is None else ''}{outcome}"
    queue.require(refused, f"{outcome.call} raises ValueError or TypeError", seen, method=method)


def require_refused_by_name(queue: QueueUnderTest, outcome: Outcome, bad: Refused, method: str) -> None:
    """Require ValueError or TypeError with a text that names the argument."""
    require_refused(queue, outcome, method)
    names = any(word in str(outcome.error).lower() for word in bad.words)
    queue.require(names, f"the message of {outcome.call} names {bad.argument}", str(outcome), method=method)
