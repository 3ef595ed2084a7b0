"""The part of a history that a person looks at: the proof, what else was done with its tasks, what ran beside it."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING

from pytest_taskq.contract.details import History, HistoryCall, HistoryDeath, HistoryLease
from pytest_taskq.history.death import Death, last_calls, of_the_proof
from pytest_taskq.history.operation import NEVER, Kind, Operation
from pytest_taskq.history.tenures import Tenure, tenures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST = 200
_LONGEST = 400


def excerpt(
    operations: Sequence[Operation],
    witness: Sequence[Operation],
    most: int = MOST,
    last_words: Sequence[Operation | None] = (),
) -> list[Operation]:
    """Return at most ``most`` operations in the order of their calls: the witness, its tasks', the nearest in time.

    Nearest is meant to the last operation of the witness, with which the breach is there; without one to the end of
    the history. ``last_words`` stand before what is near: the last calls of processes of the witness that died.
    """
    last = witness[-1] if witness else max(operations, key=lambda one: one.call, default=None)
    if last is None:
        return []
    proof, tasks = set(map(id, witness)), {one.task for one in witness} - {None}
    ends = set(map(id, last_words))

    def distance(one: Operation) -> tuple[bool, bool, bool, int]:
        until = one.call if one.returned is None else one.returned
        apart = max(one.call - (last.returned or last.call), last.call - until, 0)
        return id(one) not in proof, one.task not in tasks, id(one) not in ends, apart

    return sorted(nsmallest(most, operations, key=distance), key=lambda one: one.call)


def history_details(
    operations: Iterable[Operation], witness: Sequence[Operation], file: str, deaths: Sequence[Death] = ()
) -> History:
    """Return the excerpt as data; ``file`` is where the whole history lies."""
    everything, deaths = list(operations), sorted(deaths, key=lambda one: one.moment)
    ends, told = last_calls(everything, deaths), of_the_proof(deaths, witness)
    last_words = [end for death, end in zip(deaths, ends, strict=True) if death in told]
    shown, proof = excerpt(everything, witness, last_words=last_words), set(map(id, witness))
    tasks = {one.task for one in witness} - {None}
    origin = shown[0].call if shown else 0
    chains = tenures_of(one for one in shown if one.task in tasks)
    return History(
        total=len(everything),
        calls=[_call(one, origin, witness=id(one) in proof) for one in shown],
        leases=[lease for chain in chains for lease in _leases(chain, origin)],
        deaths=[*_deaths(shown, zip(deaths, ends, strict=True), told)],
        file=file,
    )


def _deaths(
    shown: Sequence[Operation], deaths: Iterable[tuple[Death, Operation | None]], told: Sequence[Death]
) -> Iterator[HistoryDeath]:
    """Yield the deaths that fall among the calls shown, and those that are told whenever they were."""
    if not shown:
        return
    places = {id(one): place for place, one in enumerate(shown)}
    begin, end = shown[0].call, max(one.returned or one.call for one in shown)
    for death, call in deaths:
        if death in told or begin <= death.moment <= end or id(call) in places:
            yield HistoryDeath(
                worker=death.actor or "somebody",
                at=death.moment - begin,
                call=None if call is None else places.get(id(call)),
            )


def _call(one: Operation, origin: int, *, witness: bool) -> HistoryCall:
    return HistoryCall(
        worker=one.actor or "somebody",
        kind=one.kind.value,
        task=None if one.task is None else _cut(str(one.task)),
        called=one.call - origin,
        returned=None if one.returned is None else one.returned - origin,
        outcome=_cut(one.outcome),
        witness=witness,
    )


def _leases(chain: Sequence[Tenure], origin: int) -> Iterator[HistoryLease]:
    for tenure in chain:
        claim = tenure.claim
        if claim.kind is Kind.CLAIM and claim.end != NEVER:
            finished = min((one.call for one in tenure.finishes if one.possible), default=NEVER)
            ended = min(finished, tenure.earliest_end())
            yield HistoryLease(
                worker=claim.actor or "somebody",
                task=_cut(str(claim.task)),
                began=claim.end - origin,
                ended=None if ended == NEVER else max(ended, claim.end) - origin,
            )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"
