"""Which call a process was in when it was killed, and which deaths a proof is about."""

from __future__ import annotations

from pytest_taskq.history import Death, Kind, Operation, last_calls, of_the_proof
from pytest_taskq.history.excerpt import history_details


def call(actor: str, begin: int, end: int | None, task: str = "t") -> Operation:
    return Operation(kind=Kind.ENQUEUE, call=begin, returned=end, actor=actor, task=task)


FIRST = (call("a", 0, 1), call("a", 2, None), call("b", 3, 4))
LATER = (call("a", 10, 11), call("a", 12, 13))
DEATHS = (
    Death(actor="a", moment=20),
    Death(actor="a", moment=5),
    Death(actor="b", moment=6),
    Death(actor="c", moment=7),
)


def test_each_death_ends_the_calls_of_one_process_of_its_name() -> None:
    assert last_calls((*FIRST, *LATER), DEATHS) == [FIRST[1], FIRST[2], None, LATER[1]]


def test_a_proof_is_about_the_first_death_of_its_processes_after_its_calls() -> None:
    assert of_the_proof(DEATHS, FIRST[:1]) == [DEATHS[1]]
    assert of_the_proof(DEATHS, (LATER[0], FIRST[2])) == [DEATHS[2], DEATHS[0]]
    assert of_the_proof(DEATHS, (call("a", 30, 31),)) == []


def test_the_excerpt_has_the_death_of_the_proofs_process_however_far_away() -> None:
    far = [call("b", 100 + n * 10, 105 + n * 10, f"b{n}") for n in range(400)]
    lost, last = call("a", 0, 1, "lost"), call("a", 5_000, None, "last")
    found = history_details([lost, *far, last], [lost], "h.jsonl", [Death(actor="a", moment=6_000)])
    (death,) = found["deaths"]
    assert (death["worker"], death["at"]) == ("a", 6_000)
    assert death["call"] is not None
    assert found["calls"][death["call"]]["task"] == "last"
    assert found["calls"][death["call"]]["returned"] is None
