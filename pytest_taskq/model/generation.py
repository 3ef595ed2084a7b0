"""Programs at random: many calls on few tasks, time passing mostly to the moments that matter."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.model.calls import (
    Call,
    Cancel,
    ClaimNext,
    Complete,
    DeleteFinished,
    Enqueue,
    EnqueueMany,
    Fail,
    Get,
    Pass,
    PassUntil,
    Program,
    Reclaim,
    Renew,
    Stats,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CHARACTERS = string.printable + "\0\x1b\x7f\x85\xa0äßÉ€\u0301\u0130\u200b\u202e\u2028\ufeff\uffff漢字🙂\U0010ffff"


def _text(least: int, most: int, characters: str = _CHARACTERS) -> st.SearchStrategy[str]:
    # Not st.text, which makes a table of all of Unicode first, in 0.2 s, and leaves it in the user's folder.
    return st.lists(st.sampled_from(characters), min_size=least, max_size=most).map("".join)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text(0, 8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text(0, 4), inner, max_size=3),
    max_leaves=6,
)
_WORKERS = st.sampled_from(["w1", "w2", "w3"])
_FROM_NEWEST = st.sampled_from([0, 0, 0, 1, 1, 2])
_TASKS = st.integers(0, 4)
_LEASES = st.sampled_from([2.0, 5.0, 10.0, 10.0, 1.5])
_ABILITIES = st.sampled_from([{}, {}, {"gpu": True}, {"gpu": 1}, {"gpu": True, "zone": [1]}])
_NEEDS = st.sampled_from([None, None, None, {"gpu": True}, {"zone": [1]}])


def _enqueue(payload: st.SearchStrategy[Any], text: st.SearchStrategy[str]) -> st.SearchStrategy[Enqueue]:
    return st.builds(
        Enqueue,
        type=text,
        payload=payload,
        priority=st.sampled_from([100, 100, 0, 5, 5, 200]),
        delay=st.sampled_from([0.0, 0.0, 0.0, 1.0, 5.0, 2.5]),
        max_attempts=st.sampled_from([5, 5, 1, 2, 3]),
        key=st.sampled_from([None, None, None, "k1", "k2"]),
        compatibility=_NEEDS,
    )


_PLAIN_ENQUEUE = _enqueue(st.integers(0, 9), st.just("job"))
_CLAIM = st.builds(ClaimNext, worker=_WORKERS, lease=_LEASES, capabilities=_ABILITIES)
_CLAIM_BY = st.builds(
    ClaimNext,
    worker=_WORKERS,
    lease=_LEASES,
    capabilities=_ABILITIES,
    strategy=st.sampled_from(list(SchedulingStrategy)),
)
_CLAIM_MANY = st.builds(ClaimNext, worker=_WORKERS, capabilities=_ABILITIES, n=st.integers(1, 4))
_HOLDER = st.sampled_from(["", "", "", "", "w1", "w2"])

_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "enqueue": _PLAIN_ENQUEUE,
    "odd enqueue": _enqueue(_JSON, _text(1, 6, _CHARACTERS.replace("\0", ""))),
    "batch": st.builds(EnqueueMany, items=st.lists(_PLAIN_ENQUEUE, max_size=3).map(tuple)),
    "claim": _CLAIM,
    "claim by": _CLAIM_BY,
    "claim many": _CLAIM_MANY,
    "complete": st.builds(Complete, claim=_FROM_NEWEST, worker=_HOLDER),
    "fail": st.builds(
        Fail,
        claim=_FROM_NEWEST,
        worker=_HOLDER,
        error=st.sampled_from(["boom", "again"]),
        retry=st.sampled_from([True, True, False]),
    ),
    "renew": st.builds(Renew, claim=_FROM_NEWEST, worker=_HOLDER, lease=_LEASES),
    "cancel": st.builds(Cancel, task=_TASKS),
    "get": st.builds(Get, task=st.integers(-1, 4)),
    "reclaim": st.just(Reclaim()),
    "delete": st.builds(DeleteFinished, older_than=st.sampled_from([0.0, 0.0, 5.0])),
    "stats": st.just(Stats()),
    "pass": st.builds(Pass, steps=st.sampled_from([1, 1, 2, 5])),
    "until": st.builds(
        PassUntil,
        what=st.sampled_from(["lease", "lease", "due", "retention"]),
        offset=st.sampled_from([-1, 0, 0, 1]),
        older_than=st.sampled_from([0.0, 5.0]),
    ),
}

_EVERYWHERE = ("enqueue", "enqueue", "claim", "claim", "complete", "fail", "reclaim", "until", "until", "pass")

# Without a task in the queue most calls say little.
_FIRST = ("enqueue",) * 4

# What each group of requirements wants more of.
_MORE: dict[str, tuple[str, ...]] = {
    "INF": ("odd enqueue", "get", "get"),
    "ENQ": ("enqueue", "odd enqueue", "cancel", "get", "batch", "delete"),
    "CLM": ("claim", "claim many", "claim by", "cancel"),
    "LSE": ("renew", "renew", "reclaim", "until"),
    "FIN": ("complete", "fail", "renew", "reclaim", "cancel"),
    "SCH": ("claim by", "claim by", "claim by", "enqueue"),
    "OBS": ("stats", "stats", "cancel", "delete"),
    "MNT": ("reclaim", "delete", "until", "cancel"),
}


def programs(requirement: str, offers: Callable[[str], bool], length: int) -> st.SearchStrategy[Program]:
    """Return programs of at most ``length`` calls, weighted towards ``requirement``, of what is offered only.

    Each of ``length`` places holds a call or, seldom, none: most programs use the whole length, and a failing one
    becomes short by emptying places one by one. (A list that must not be short cannot be shrunk below that, and one
    that may be is short half of the time.)
    """
    kinds = [kind for kind in (*_EVERYWHERE, *_MORE[requirement.partition("-")[0]]) if _offered(kind, offers)]
    places = [_place(_FIRST)] * min(2, length) + [_place(kinds)] * max(0, length - 2)
    return st.tuples(*places).map(lambda calls: tuple(call for call in calls if call is not None))


def _place(kinds: Sequence[str]) -> st.SearchStrategy[Call | None]:
    # The first alternative is what shrinking tries. Each is a strategy of its own: `one_of` takes the same one only
    # once, however often it is given, and so would lose the weights.
    alternatives: list[st.SearchStrategy[Call | None]] = [_KINDS[kind].map(_itself) for kind in kinds]
    return st.one_of(st.none(), *alternatives)


def _itself(call: Call) -> Call:
    return call


_METHOD_OF_KIND = {
    "enqueue": "enqueue",
    "odd enqueue": "enqueue",
    "batch": "enqueue_many",
    "claim": "claim_task",
    "claim by": "claim_by",
    "claim many": "claim_many",
    "complete": "complete_task",
    "fail": "fail_task",
    "renew": "renew_lease",
    "cancel": "cancel_task",
    "get": "get_task",
    "reclaim": "reclaim_expired",
    "delete": "delete_finished",
    "stats": "queue_stats",
}


def _offered(kind: str, offers: Callable[[str], bool]) -> bool:
    return kind not in _METHOD_OF_KIND or offers(_METHOD_OF_KIND[kind])
