"""The kill matrix: every broken and every correct queue against all requirements that its code makes graded.

``python tests/mutants/kill_matrix.py`` prints it, writes docs/kill-matrix.md and what the package knows of the broken
queues, and exits 1 if a broken queue survives, a correct one fails, or a requirement has no broken queue to fail.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from grading import findings, subject_of
from matrix_pages import kills_module, matrix_page, matrix_tables
from mutant_queues.registry import WAITING, adapter_of, catalogue

from pytest_taskq.contract import Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.suite import shipped_checks
from pytest_taskq.instruments.budget import EFFORTS, Effort

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from mutant_queues.registry import Catalogue

    from pytest_taskq.contract import Finding

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "kill-matrix.md"
KILLS = ROOT / "pytest_taskq" / "contract" / "kills.py"
BROKEN = (Verdict.FAIL, Verdict.NOT_RUN)
TIMED = frozenset({Instrument.TIMING})


@dataclass(frozen=True, slots=True)
class Cell:
    """What a requirement says of a queue, which instruments failed it, and the first reason against it."""

    verdict: Verdict
    failed_by: frozenset[str] = frozenset()
    reason: str = ""


Row = dict[str, Cell]


# --- judging ----------------------------------------------------------------------------------------------------------


def judged_requirements(apart: Container[Instrument] = ()) -> list[str]:
    """Return the requirements that the suite has a check of, by an instrument that is not ``apart``, in their order."""
    judged = {one.requirement for one in shipped_checks() if one.instrument not in apart}
    return [name for name in REQUIREMENTS if name in judged]


def row_of(adapter: str, effort: Effort, seed: int, apart: Callable[[str], frozenset[Instrument]] | None = None) -> Row:
    """Return what every requirement that the adapter's code makes graded says of it.

    ``apart`` names the instruments that do not judge a requirement; one that none is left of has no place in the row.
    Unless it is given all judge, but calls are timed of ``timed_adapters`` alone.
    """
    subject = subject_of(adapter_of(adapter))
    left = apart or (lambda _: frozenset() if adapter in timed_adapters() else TIMED)
    names = [name for name in judged_requirements() if subject.graded(REQUIREMENTS[name])]
    with tempfile.TemporaryDirectory(prefix="kill-matrix-") as folder:
        return {
            name: _cell(
                findings(subject.adapter, REQUIREMENTS[name], Path(folder) / name, effort, seed, apart=left(name))
            )
            for name in names
            if name in judged_requirements(left(name))
        }


@cache
def timed_adapters() -> frozenset[str]:
    """Return the queues whose calls are timed: the broken ones that are too slow, and their twins.

    The others are written to be read, not to be fast, and rows are judged by several processes at once.
    """
    slow = [one for one in catalogue().mutants if one.instrument is Instrument.TIMING]
    return frozenset(name for one in slow for name in (one.adapter, one.twin))


def _cell(found: Iterable[Finding]) -> Cell:
    found = list(found)
    unsupported = all(one.verdict is Verdict.UNSUPPORTED for one in found)
    verdict = Verdict.UNSUPPORTED if unsupported else combine(found)
    reason = next((one.reason for one in found if one.verdict is verdict), "")
    return Cell(verdict, frozenset(one.instrument.value for one in found if one.verdict is Verdict.FAIL), reason)


def matrix(adapters: Sequence[str], effort: Effort, seed: int, jobs: int) -> dict[str, Row]:
    """Return the rows of all adapters, judged by ``jobs`` processes."""
    # Spawned: a forked process would share the parent's SQLite library, whose clock each check replaces.
    with ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn")) as pool:
        under_way = {adapter: pool.submit(row_of, adapter, effort, seed) for adapter in adapters}
        return {adapter: future.result() for adapter, future in under_way.items()}


# --- what it comes to -------------------------------------------------------------------------------------------------


def problems(known: Catalogue, rows: Mapping[str, Row], judged: Iterable[str], waiting: Iterable[str]) -> list[str]:
    """Return what is wrong with the suite or the catalogue, in words; nothing if the matrix is as it should be."""
    return [*_survivors(known, rows), *_false_alarms(known, rows), *_without_a_kill(known, rows, judged, waiting)]


def _survivors(known: Catalogue, rows: Mapping[str, Row]) -> Iterator[str]:
    for one in known.mutants:
        cell = rows[one.adapter].get(one.requirement)
        if cell is None:
            yield f"{one.name} cannot be failed by {one.requirement}, which does not grade what it overrides"
        elif one.instrument.value not in cell.failed_by:
            by = f", failed only by {', '.join(sorted(cell.failed_by))}" if cell.failed_by else ""
            yield f"{one.name} survived {one.requirement} ({one.instrument.value}): {cell.verdict.value}{by}"


def _false_alarms(known: Catalogue, rows: Mapping[str, Row]) -> Iterator[str]:
    for twin in known.twins:
        short_of = dict(twin.short_of)
        for name, cell in rows[twin.adapter].items():
            if cell.verdict in BROKEN and name not in short_of:
                yield f"{twin.adapter} is correct, but {name} is {cell.verdict.value}: {cell.reason}"
            elif name in short_of and cell.verdict is not Verdict.FAIL:
                yield f"{twin.adapter} is said to fall short of {name}, which is {cell.verdict.value}"


def _without_a_kill(
    known: Catalogue, rows: Mapping[str, Row], judged: Iterable[str], waiting: Iterable[str]
) -> Iterator[str]:
    broken = {one.adapter for one in known.mutants}
    killing = {name for adapter in broken for name, cell in rows[adapter].items() if cell.verdict is Verdict.FAIL}
    for name in judged:
        if name not in killing and name not in waiting:
            yield f"{name} fails no broken queue: nothing shows that its checks can fail"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge, print, write; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effort", choices=EFFORTS, default="smoke")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, help="write both files into this folder, not to their places")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    known = catalogue()
    adapters = list(dict.fromkeys(one.adapter for one in (*known.mutants, *known.twins)))
    rows = matrix(adapters, options.effort, options.seed, options.jobs)
    judged = judged_requirements()
    matrix_tables(known, rows, judged)
    page, kills = (options.into / path.name if options.into else path for path in (PAGE, KILLS))
    page.write_text(matrix_page(known, rows, judged, options.effort, options.seed), encoding="utf-8")
    kills.write_text(kills_module(known.kills), encoding="utf-8")
    found = problems(known, rows, judged, WAITING)
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
