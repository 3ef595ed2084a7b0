"""Hypothesis as the kit runs it: the same seed gives the same programs, and nothing is written to the user's folder.

Left to itself it also draws texts and numbers from the source of whatever modules happen to be loaded
(``hypothesis.internal.constants_ast``), and caches them in ``.hypothesis``. Another selection of tests would give other
programs under the same seed, and a first run would parse for a second.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHARED = Random(0)  # noqa: S311 - nothing is drawn from it: seeds are explicit
_NAME = "_local_constants"


@contextmanager
def repeatable() -> Iterator[None]:
    """Hypothesis takes nothing from loaded modules, and starts at once in a new thread, while the context lasts."""
    _share_generator()
    try:
        from hypothesis.internal.conjecture.providers import CONSTANTS_CACHE, HypothesisProvider
        from hypothesis.internal.constants_ast import Constants
    except ImportError:  # private names: a version without them is left as it is, and a test of ours says so
        yield
        return
    real = vars(HypothesisProvider)[_NAME]
    try:
        setattr(HypothesisProvider, _NAME, Constants())
        CONSTANTS_CACHE.cache.clear()  # may hold what tests of the user's own made it see
        yield
    finally:
        setattr(HypothesisProvider, _NAME, real)
        CONSTANTS_CACHE.cache.clear()


def _share_generator() -> None:
    """Hypothesis finds this thread's generator made; it would make and register one per thread.

    Registering one collects all garbage first, 18 ms, and every check has a thread of its own: a fifth of a smoke run.
    """
    from hypothesis import core, register_random

    register_random(_SHARED)
    with suppress(AttributeError):  # a private name: where it is gone the run is slower, and nothing else
        core.threadlocal._hypothesis_global_random = _SHARED  # noqa: SLF001 - there is no public way
