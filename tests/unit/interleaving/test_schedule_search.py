from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_taskq.interleaving.choices import Choice
from pytest_taskq.interleaving.search import Node, Search

Program = tuple[str, ...]
MANY = 1_000_000


@dataclass
class Machine:
    """Toy workers: read a shared variable, write one more than was read, add to it at once, hold the one lock."""

    programs: tuple[Program, ...]
    shared: dict[str, int] = field(default_factory=lambda: {"x": 0, "y": 0})
    holder: int | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        self.places = [0] * len(self.programs)
        self.registers = [0] * len(self.programs)

    def ready(self, actor: int) -> bool:
        if self.places[actor] == len(self.programs[actor]):
            return False
        return self.programs[actor][self.places[actor]] != "lock" or self.holder is None

    def options(self) -> tuple[tuple[Choice, ...], tuple[int, ...]]:
        actors = [actor for actor in range(len(self.programs)) if self.ready(actor)]
        actors.sort(key=lambda actor: (actor != self.last, actor))
        preempts = self.last in actors
        return tuple(Choice("run", actor) for actor in actors), tuple(
            int(preempts and actor != self.last) for actor in actors
        )

    def step(self, actor: int) -> None:
        operation, _, variable = self.programs[actor][self.places[actor]].partition(" ")
        if operation == "read":
            self.registers[actor] = self.shared[variable]
        elif operation == "write":
            self.shared[variable] = self.registers[actor] + 1
        elif operation == "add":
            self.shared[variable] += 10
        else:
            self.holder = actor if operation == "lock" else None
        self.places[actor] += 1
        self.last = actor

    def state(self) -> Hashable:
        last = self.last if self.last is not None and self.ready(self.last) else None
        return tuple(self.shared.values()), tuple(self.places), tuple(self.registers), self.holder, last

    def outcome(self) -> tuple[int, ...]:
        return *self.shared.values(), *self.registers


@dataclass
class Run:
    nodes: list[Node]
    complete: bool
    outcome: tuple[int, ...]

    @property
    def deviations(self) -> int:
        return sum(node.costs[node.chosen] for node in self.nodes)

    @property
    def schedule(self) -> tuple[Choice, ...]:
        return tuple(node.choice for node in self.nodes)


def played(programs: tuple[Program, ...], schedule: tuple[Choice, ...], seen: Callable[[Hashable], bool] | None) -> Run:
    machine, nodes = Machine(programs), []
    while True:
        options, costs = machine.options()
        if not options:
            return Run(nodes, True, machine.outcome())
        if len(nodes) >= len(schedule) and seen is not None and seen(machine.state()):
            return Run(nodes, False, machine.outcome())
        chosen = options.index(schedule[len(nodes)]) if len(nodes) < len(schedule) else costs.index(0)
        nodes.append(Node(options, costs, chosen))
        machine.step(options[chosen].actor)


def search_of(
    programs: tuple[Program, ...], *, states: bool, most_runs: int = MANY, most_deviations: int | None = None
) -> Search[Run]:
    return Search(lambda way, seen: played(programs, way, seen if states else None), most_runs, most_deviations)


def all_runs(programs: tuple[Program, ...], schedule: tuple[Choice, ...] = ()) -> Iterator[Run]:
    """Every interleaving, by brute force: at each step each worker that can go on."""
    machine = Machine(programs)
    nodes = []
    for choice in schedule:
        options, costs = machine.options()
        nodes.append(Node(options, costs, options.index(choice)))
        machine.step(choice.actor)
    options, _ = machine.options()
    if not options:
        yield Run(nodes, True, machine.outcome())
    for option in options:
        yield from all_runs(programs, (*schedule, option))


def complete(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.complete]


OPERATIONS = st.sampled_from(["read x", "write x", "add x", "read y", "write y"])
FREE = st.lists(OPERATIONS, min_size=1, max_size=4).map(tuple)
LOCKED = FREE.map(lambda some: ("lock", *some[:2], "free"))
PROGRAMS = st.one_of(
    st.tuples(st.one_of(FREE, LOCKED), st.one_of(FREE, LOCKED)),
    st.tuples(*[st.one_of(FREE.map(lambda some: some[:2]), st.just(("lock", "add x", "free")))] * 3),
)
SMALL = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("lengths", [(1, 1), (2, 2), (3, 2), (4, 4), (2, 2, 2), (3, 2, 1)])
def test_without_states_each_interleaving_is_run_once(lengths: tuple[int, ...]) -> None:
    search = search_of(tuple(("add x",) * length for length in lengths), states=False)
    schedules = [run.schedule for run in search]
    interleavings = factorial(sum(lengths)) // prod(map(factorial, lengths))
    assert len(schedules) == len(set(schedules)) == interleavings
    assert (search.explored.complete, search.explored.cut) == (interleavings, 0)
    assert search.explored.exhausted


@SMALL
@given(PROGRAMS)
def test_without_states_the_runs_are_those_of_brute_force(programs: tuple[Program, ...]) -> None:
    found = [run.schedule for run in search_of(programs, states=False)]
    assert sorted(map(str, found)) == sorted(str(run.schedule) for run in all_runs(programs))


@SMALL
@given(PROGRAMS)
def test_states_leave_no_outcome_out(programs: tuple[Program, ...]) -> None:
    search = search_of(programs, states=True)
    runs = list(search)
    assert {run.outcome for run in complete(runs)} == {run.outcome for run in all_runs(programs)}
    assert search.explored.exhausted
    assert search.explored.complete == len(complete(runs))
    assert search.explored.runs == len(runs)


def test_states_save_runs() -> None:
    programs = (("add x",) * 5, ("add y",) * 5)
    with_states, without = search_of(programs, states=True), search_of(programs, states=False)
    assert len(list(with_states)) < len(list(without)) / 3
    assert with_states.explored.cut > 0
    assert with_states.explored.states > 0


@SMALL
@given(PROGRAMS, st.integers(0, 3), st.booleans())
def test_a_bound_leaves_no_outcome_within_it_out(programs: tuple[Program, ...], bound: int, states: bool) -> None:
    search = search_of(programs, states=states, most_deviations=bound)
    runs = list(search)
    within = [run for run in all_runs(programs) if run.deviations <= bound]
    assert {run.outcome for run in complete(runs)} == {run.outcome for run in within}
    assert all(run.deviations <= bound for run in runs)
    if not states:
        assert len(runs) == len(within)


@SMALL
@given(PROGRAMS, st.integers(0, 40), st.booleans())
def test_a_search_that_stops_early_claims_no_more_than_it_ran(
    programs: tuple[Program, ...],
    most_runs: int,
    states: bool,
) -> None:
    search = search_of(programs, states=states, most_runs=most_runs)
    outcomes = {run.outcome for run in complete(list(search))}
    explored, every = search.explored, list(all_runs(programs))
    assert explored.runs <= most_runs
    assert {run.outcome for run in every if run.deviations <= explored.deviations} <= outcomes
    if explored.exhausted:
        assert {run.outcome for run in every} == outcomes


@SMALL
@given(PROGRAMS, st.booleans())
def test_each_outcome_is_met_first_with_the_fewest_deviations(programs: tuple[Program, ...], states: bool) -> None:
    first: dict[tuple[int, ...], int] = {}
    for run in complete(list(search_of(programs, states=states))):
        first.setdefault(run.outcome, run.deviations)
    fewest: dict[tuple[int, ...], int] = {}
    for run in all_runs(programs):
        fewest[run.outcome] = min(run.deviations, fewest.get(run.outcome, MANY))
    assert first == fewest


def test_a_lost_update_takes_one_preemption() -> None:
    programs = (("read x", "write x"), ("read x", "write x"))
    lost = next(run for run in search_of(programs, states=True) if run.complete and run.outcome[0] == 1)
    assert lost.deviations == 1
