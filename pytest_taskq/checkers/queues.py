"""The order checkers: a history in, a judgement with its proof out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pytest_taskq.checkers.cover import Busy, Interval, Key, covered_by, first_free, last_free
from pytest_taskq.checkers.crashed import fifo_with_unknown, judged_with_unknown
from pytest_taskq.checkers.judgement import LEGAL, Judgement, Rule, broken
from pytest_taskq.checkers.locked import without_those_beside_a_lock
from pytest_taskq.checkers.order import overtaken
from pytest_taskq.checkers.stack import not_nested
from pytest_taskq.checkers.stays import Redelivery, Stay, Traffic, traffic_of
from pytest_taskq.history import Kind, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_taskq.checkers.crashed import Specification


def check_fifo(
    operations: Iterable[Operation], *, redelivery: Redelivery | None = None, skip_locked: bool = False
) -> Judgement:
    """Judge first in, first out by real time: of two tasks of which one certainly came first, it is served first.

    Exact (a PASS is a linearization) for tasks handed out once. A task that comes back keeps its place; among tasks
    enqueued at the same time that is judged less strictly than it could be: ``check_by_key`` is exact there.
    """
    traffic = _traffic(operations, redelivery, skip_locked=skip_locked)
    if isinstance(traffic, Judgement):
        return traffic
    if traffic.returned:
        return judged_with_unknown(traffic, _swept(lambda stay: stay.enqueued.end, lambda stay: stay.enqueued.call))
    if traffic.unknown and not traffic.empties:
        return fifo_with_unknown(traffic.stays, traffic.unknown)
    return judged_with_unknown(traffic, _fifo)


def check_lifo(
    operations: Iterable[Operation], *, redelivery: Redelivery | None = None, skip_locked: bool = False
) -> Judgement:
    """Judge last in, first out by real time; exactness as for ``check_fifo``. A cancelled task hides nothing."""
    traffic = _traffic(operations, redelivery, skip_locked=skip_locked)
    if isinstance(traffic, Judgement):
        return traffic
    if traffic.returned:
        return judged_with_unknown(traffic, _swept(lambda stay: -stay.enqueued.call, lambda stay: -stay.enqueued.end))
    return judged_with_unknown(traffic, _lifo)


def check_priority(
    operations: Iterable[Operation],
    *,
    order: Literal["ascending", "descending"] = "ascending",
    redelivery: Redelivery | None = None,
    skip_locked: bool = False,
) -> Judgement:
    """Judge by priority, first in, first out within one priority; exactness as for ``check_fifo``.

    ``ascending``: a lower number is served first.
    """
    sign = 1 if order == "ascending" else -1
    traffic = _traffic(operations, redelivery, skip_locked=skip_locked)
    if isinstance(traffic, Judgement):
        return traffic
    if traffic.returned:
        specification = _swept(
            lambda stay: (sign * stay.enqueued.priority, stay.enqueued.end),
            lambda stay: (sign * stay.enqueued.priority, stay.enqueued.call),
        )
    else:
        specification = _by_class(lambda stay: sign * stay.enqueued.priority)
    return judged_with_unknown(traffic, specification)


def check_by_key(
    operations: Iterable[Operation],
    key: Callable[[Operation], Key],
    *,
    redelivery: Redelivery | None = None,
    skip_locked: bool = False,
) -> Judgement:
    """Judge by a strict order: of the tasks that were certainly there, the one with the smallest key is served.

    ``key`` maps the ENQUEUE of a task to what the queue sorts by, as ``lambda one: (one.priority, one.row)``; no two
    tasks share one. Exact, also with tasks that come back under their key. First in, first out is ``one.row``, last in,
    first out ``-one.row``; that rows follow the order of the enqueues is ``check_rows_in_order``.
    """
    traffic = _traffic(operations, redelivery, skip_locked=skip_locked)
    if isinstance(traffic, Judgement):
        return traffic
    keys = {id(stay.enqueued): key(stay.enqueued) for stay in traffic.stays}
    return judged_with_unknown(traffic, _swept(lambda s: keys[id(s.enqueued)], lambda s: keys[id(s.enqueued)]))


def check_empties(
    operations: Iterable[Operation], *, redelivery: Redelivery | None = None, skip_locked: bool = False
) -> Judgement:
    """Judge only that no task is a phantom, none is handed out twice, and no claim found nothing wrongly."""
    traffic = _traffic(operations, redelivery, skip_locked=skip_locked)
    if isinstance(traffic, Judgement):
        return traffic
    return judged_with_unknown(traffic, wrongly_empty)


def check_rows_in_order(operations: Iterable[Operation]) -> Judgement:
    """Judge that of two enqueues of which one certainly came first, it has the smaller ``row``. Of a key, the first."""
    known = [one for one in operations if one.kind is Kind.ENQUEUE and one.row is not None and one.known]
    by_end = sorted(known, key=lambda one: one.end)
    passed, highest = 0, None
    for one in sorted(known, key=lambda each: each.call):
        while passed < len(by_end) and by_end[passed].end < one.call:
            before = by_end[passed]
            passed += 1
            if highest is None or before.row > highest.row:  # type: ignore[operator]  # rows of one queue compare
                highest = before
        if highest is not None and one.row < highest.row and one.key is None:  # type: ignore[operator]  # the same
            return broken(Rule.ORDER, f"row {one.row!r} was given after row {highest.row!r}", highest, one)
    return LEGAL


def _traffic(
    operations: Iterable[Operation], redelivery: Redelivery | None, *, skip_locked: bool
) -> Traffic | Judgement:
    traffic = traffic_of(operations, redelivery)
    if isinstance(traffic, Judgement) or not traffic.unknown:
        return traffic
    if redelivery is not None:
        # What a dead claim took comes back some time: nothing is certain from its call on.
        excused = without_those_beside_a_lock(traffic, for_ever=True)
        excused.unknown = []
        return excused
    return without_those_beside_a_lock(traffic) if skip_locked else traffic


# --- specifications ---------------------------------------------------------------------------------------------------


def wrongly_empty(stays: Sequence[Stay], empties: Sequence[Operation]) -> Judgement:
    """Fail a claim that found nothing if at each of its moments a task was certainly there."""
    if not empties:
        return LEGAL
    busy = Busy(stays)
    for one in empties:
        if busy.throughout(one.call, one.end):
            there = covered_by(one.call, one.end, stays)
            text = f"{one.actor or 'a claim'} found nothing, but {_named(there)} {_was(there)} there throughout"
            return broken(Rule.EMPTY, text, one, *(operation for stay in there for operation in stay.witness))
    return LEGAL


def _fifo(stays: Sequence[Stay], empties: Sequence[Operation]) -> Judgement:
    pair = overtaken(stays)
    return _overtaking(*pair) if pair else wrongly_empty(stays, empties)


def _lifo(stays: Sequence[Stay], empties: Sequence[Operation]) -> Judgement:
    # A task that left out of turn is left out: without it a legal history stays legal.
    wrong = not_nested(one for one in stays if one.served or one.exit is None)
    if wrong:
        text = f"{_named(wrong)} cannot all have been served last in, first out"
        return broken(Rule.ORDER, text, *(operation for stay in wrong for operation in stay.witness))
    return wrongly_empty(stays, empties)


def _swept(better: Callable[[Stay], Key], served: Callable[[Stay], Key]) -> Specification:
    """Return the specification "no task with ``better`` key below the served one's was there throughout"."""

    def judge(stays: Sequence[Stay], empties: Sequence[Operation]) -> Judgement:
        present: list[Interval] = [(one.er, one.cc, better(one)) for one in stays]
        claimed = [one for one in stays if one.served]
        free = first_free(present, [(one.cc, one.cr, served(one)) for one in claimed])
        late = next((claimed[number] for number, moment in enumerate(free) if moment is None), None)
        if late is not None:
            mine = served(late)
            return _not_its_turn(late, [one for one in stays if better(one) < mine])
        return wrongly_empty(stays, empties)

    return judge


def _by_class(of: Callable[[Stay], int]) -> Specification:
    """Return the specification "smaller class first, first in, first out within a class"."""

    def judge(stays: Sequence[Stay], empties: Sequence[Operation]) -> Judgement:
        present: list[Interval] = [(one.er, one.cc, of(one)) for one in stays]
        claimed = [number for number, one in enumerate(stays) if one.served]
        claims: list[Interval] = [(stays[number].cc, stays[number].cr, of(stays[number])) for number in claimed]
        begins = first_free(present, claims)
        if None in begins:
            late = stays[claimed[begins.index(None)]]
            return _not_its_turn(late, [one for one in stays if of(one) < of(late)])
        ends = last_free(present, claims)
        return _within_classes(stays, claimed, begins, ends, of) or wrongly_empty(stays, empties)

    return judge


def _within_classes(
    stays: Sequence[Stay],
    claimed: Sequence[int],
    begins: Sequence[int | None],
    ends: Sequence[int | None],
    of: Callable[[Stay], int],
) -> Judgement | None:
    """Judge first in, first out in each class, every claim narrowed to the moments at which its class had the turn.

    Only the order matters within a class, and both ends of the narrowed claim are moments at which it may have
    happened, so nothing is lost.
    """
    classes: dict[int, list[Stay]] = {}
    narrowed = list(stays)
    for number, begin, end in zip(claimed, begins, ends, strict=True):
        assert begin is not None  # noqa: S101 - the caller looked
        assert end is not None  # noqa: S101 - the same
        narrowed[number] = stays[number]._replace(er=min(stays[number].er, end), cc=begin, cr=end)
    for one in narrowed:
        classes.setdefault(of(one), []).append(one)
    for same in classes.values():
        pair = overtaken(same)
        if pair:
            better = [one for one in stays if of(one) < of(pair[0])]
            return _overtaking(*pair, *_around(pair, stays, better))
    return None


def _around(pair: tuple[Stay, Stay], stays: Sequence[Stay], better: Sequence[Stay]) -> list[Operation | None]:
    """Return the tasks of better classes that kept the two claims from changing places."""
    whole = {id(one.exit): one for one in stays if one.exit is not None}
    operations: list[Operation | None] = []
    for one in pair:
        full = whole.get(id(one.exit), one)
        for begin, end in ((full.cc, one.cc - 1), (one.cr + 1, full.cr)):
            if begin <= end:
                operations += [each for stay in covered_by(begin, end, better) for each in stay.witness]
    return operations


def _overtaking(waiting: Stay, served: Stay, *others: Operation | None) -> Judgement:
    text = f"task {served.task!r} entered after {waiting.task!r} and left before it"
    return broken(Rule.ORDER, text, *waiting.witness, *served.witness, *others)


def _not_its_turn(late: Stay, better: Sequence[Stay]) -> Judgement:
    there = covered_by(late.cc, late.cr, better)
    text = f"task {late.task!r} was served while {_named(there)}, whose turn was before, {_was(there)} there"
    return broken(Rule.ORDER, text, *late.witness, *(each for stay in there for each in stay.witness))


def _named(stays: Sequence[Stay]) -> str:
    names = [repr(one.task) for one in stays[:3]]
    more = f" and {len(stays) - 3} more" if len(stays) > len(names) else ""
    return f"task{'s' if len(stays) > 1 else ''} {', '.join(names)}{more}"


def _was(stays: Sequence[Stay]) -> str:
    return "was" if len(stays) == 1 else "were in turn"
