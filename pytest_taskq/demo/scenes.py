"""The demonstration in scenes: a title, code as it is written, and what came of running it."""

from __future__ import annotations

import inspect
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from pytest_taskq.contract import Verdict
from pytest_taskq.demo.patterns import PATTERNS
from pytest_taskq.demo.race import REQUIREMENT, Mended, Racy, judged
from pytest_taskq.reference_impl import QueueDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_taskq.contract import Finding


@dataclass(frozen=True, slots=True)
class Scene:
    """One step: what it is about, the code that is run, what it said. ``well`` is whether that is as it should be."""

    title: str
    code: str
    said: Sequence[str]
    well: bool = True


def scenes() -> Iterator[Scene]:
    """Yield the six patterns, then the race: caught, read step by step, mended, and the same schedule run clean."""
    with (
        tempfile.TemporaryDirectory(prefix="taskq-demo-", ignore_cleanup_errors=True) as folder,
        closing(QueueDatabase(Path(folder, "queue.db"))) as db,
    ):
        for number, pattern in enumerate(PATTERNS, 1):
            yield Scene(f"{number}. {(pattern.__doc__ or '').strip()}", _body_of(pattern), list(pattern(db)))
    yield from _race()


def _race() -> Iterator[Scene]:
    yield Scene("7. A claim that every test with one worker passes", _method_of(Racy), ["Does it hold with two?"])
    found = judged(Racy)
    yield Scene(f"{REQUIREMENT.id}: {REQUIREMENT.text}", "", [f"{found.verdict}: {found.reason}"], well=False)
    yield Scene("The schedule that proves it, with the fewest switches", "", found.evidence.splitlines(), well=False)
    yield Scene("8. Mended: looking and taking under one lock", _method_of(Mended), [])
    token = found.replay.partition("=")[2]
    yield Scene(f"The same schedule again: --taskq-replay={token}", "", [_replayed(judged(Mended, token))])
    whole = judged(Mended)
    yield Scene("And all the others", "", [f"{whole.verdict}: {whole.explored}"], well=whole.verdict is Verdict.PASS)


def _replayed(finding: Finding) -> str:
    return finding.reason if finding.verdict is not Verdict.FAIL else f"{finding.verdict}: {finding.reason}"


def _method_of(adapter: type[Racy | Mended]) -> str:
    return _without_docstring(dedent(inspect.getsource(adapter.claim_task)))


def _body_of(function: Callable[..., object]) -> str:
    source = _without_docstring(inspect.getsource(function))
    return dedent(source.partition("\n")[2])


def _without_docstring(source: str) -> str:
    """Return the source without its docstring of one line: the title says it."""
    lines = [line for line in source.splitlines() if not line.strip().startswith(('"""', "del capabilities"))]
    return "\n".join(lines)
