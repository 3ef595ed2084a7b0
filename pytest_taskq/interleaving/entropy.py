"""Chance repeats itself: an actor's code is a function of what it was told, so that a schedule can be played again."""

from __future__ import annotations

import ctypes
import os
import random
import sys
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

from pytest_taskq.sqlite.library import find_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SOURCE = "_urandom"  # the name in `random` that SystemRandom, and so secrets, draws from
_SEED_OF_SQLITE = 28  # SQLITE_TESTCTRL_PRNG_SEED, since 3.29


class Entropy:
    """The seed of the step that is under way; ``begin_step`` is called by whoever schedules."""

    def __init__(self) -> None:
        self._step = b""
        self._drawn = 0
        self._seed_sqlite = _sqlite_seeder()

    def begin_step(self, actor: int, step: int) -> None:
        """Let chance depend on nothing but which step of which actor this is."""
        self._step, self._drawn = b"%d:%d" % (actor, step), 0
        random.seed(actor << 20 | step)
        self._seed_sqlite(1 + (actor << 20 | step))

    def end(self) -> None:
        """Give SQLite a seed of its own back."""
        self._seed_sqlite(0)

    def random(self) -> float:
        """Return a number from 0 up to 1, excluded."""
        return (int.from_bytes(self.urandom(7), "big") >> 3) / (1 << 53)

    def getrandbits(self, bits: int, /) -> int:
        """Return an integer of so many bits."""
        size = (bits + 7) // 8
        return int.from_bytes(self.urandom(size), "big") >> (size * 8 - bits)

    def urandom(self, size: int, /) -> bytes:
        """Stand in for ``os.urandom``."""
        drawn = b""
        while len(drawn) < size:
            self._drawn += 1
            drawn += blake2b(b"%b:%d" % (self._step, self._drawn)).digest()
        return drawn[:size]


def _sqlite_seeder() -> Callable[[int], None]:
    library, _ = find_library()
    # Apple passes variable arguments elsewhere than named ones, which ctypes cannot tell apart.
    if library is None or sys.platform == "darwin" or not hasattr(library.functions, "sqlite3_test_control"):
        return lambda _: None
    control = library.functions.sqlite3_test_control

    def seed(number: int) -> None:
        control(ctypes.c_int(_SEED_OF_SQLITE), ctypes.c_int(number), ctypes.c_void_p(None))

    return seed


@contextmanager
def repeatable() -> Iterator[Entropy]:
    """Replace the sources of chance of the process; afterwards they are what they were, at the same place."""
    entropy, state, generator = Entropy(), random.getstate(), cast("Any", random.Random)
    system = cast("Any", random)
    kept = os.urandom, getattr(system, _SOURCE)
    try:
        os.urandom = entropy.urandom
        setattr(system, _SOURCE, entropy.urandom)
        # Generators of the code's own, seeded who knows when; the functions of the module were bound before.
        generator.random = lambda _: entropy.random()
        generator.getrandbits = lambda _, bits: entropy.getrandbits(bits)
        yield entropy
    finally:
        os.urandom, source = kept
        setattr(system, _SOURCE, source)
        del generator.random, generator.getrandbits  # the methods of the base class show again
        random.setstate(state)
        entropy.end()
