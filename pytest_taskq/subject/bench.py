"""The workbench of one check: fresh queues, virtual time, and the bound on every call."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, TypeVar

from pytest_taskq.clock import VirtualClock
from pytest_taskq.subject.kept_files import note
from pytest_taskq.subject.queue import QueueUnderTest
from pytest_taskq.subject.violation import InexactTimeError
from pytest_taskq.subject.watch import CALL_LIMIT, Progress, run_watched, unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pytest_taskq.subject.store import Store
    from pytest_taskq.subject.stores import Stores
    from pytest_taskq.subject.subject import Subject

T = TypeVar("T")
Means = Literal["auto", "vfs", "functions"]
_MOST_TRIES = 5  # of what must be quick to be judged; one in a hundred is slow where four processes share two cores


class Bench:
    """Runs checks of one subject; each queue it gives begins at the same virtual moment on a store of its own."""

    def __init__(
        self,
        subject: Subject,
        stores: Stores,
        *,
        means: Means = "auto",
        call_limit: float = CALL_LIMIT,
        show: Callable[[str], None] = unseen,
        evidence: Path | None = None,
    ) -> None:
        self.subject = subject
        self.means = means
        self.call_limit = call_limit
        self._stores = stores
        self._show = show
        self._evidence = evidence
        self._progress = Progress()
        self._clock: VirtualClock | None = None
        self._began = 0
        self._moved = False

    @property
    def backend(self) -> str:
        """What the stores are made on."""
        return self._stores.backend

    @property
    def clock(self) -> VirtualClock:
        """The clock in force; only inside ``run``."""
        if self._clock is None:
            raise RuntimeError("the bench has a clock only while a check runs on it")
        return self._clock

    def tell(self, doing: str) -> None:
        """Note what is being done and how much of it is left, for whoever looks; costs nothing if nobody does."""
        self._progress.doing = doing

    @contextmanager
    def queue(self, *, in_real_time: bool = False) -> Iterator[QueueUnderTest]:
        """Yield the code under test on a fresh store; closed and removed at the end.

        Raises UnsupportedError where the code goes by a clock that the kit cannot move, unless it is ``in_real_time``
        that the check looks at it.
        """
        if not in_real_time:
            self._stores.require_clock(self)
            self._moved = True
        with self.fresh(in_real_time=in_real_time) as queue:
            yield queue

    @contextmanager
    def fresh(self, *, in_real_time: bool = False) -> Iterator[QueueUnderTest]:
        """Yield the same whatever clock the code goes by, for whoever is to find that out."""
        self.clock.milliseconds = self._began  # every store begins at the same moment, so that a program repeats itself
        queue = QueueUnderTest(self.subject, self._stores, self.clock, self._progress, in_real_time=in_real_time)
        try:
            yield queue
        finally:
            queue.close()

    def exactly(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, which is done again if a call in it was too slow for its times to be told."""
        for _ in range(_MOST_TRIES - 1):
            with suppress(InexactTimeError):
                return work()
        return work()

    @property
    def time_note(self) -> str:
        """What is to be said of how time was moved in the check that ran last, "" if nothing is."""
        return self._stores.time_note if self._moved else ""

    def moves_rows(self) -> bool:
        """Whether time is moved by shifting what is stored. Raises UnsupportedError where nothing moves it."""
        self._stores.require_clock(self)
        return bool(self._stores.time_note)

    @contextmanager
    def restored(self, files: Mapping[str, bytes]) -> Iterator[QueueUnderTest]:
        """Yield the code under test on a store made of ``files``, then remove it; the clock goes on."""
        store = self._stores.restored(files)
        queue = QueueUnderTest(self.subject, self._stores, self.clock, self._progress, store)
        try:
            yield queue
        finally:
            queue.close()

    @contextmanager
    def on(self, store: Store) -> Iterator[QueueUnderTest]:
        """Yield the code under test on a store that somebody else made and keeps; the clock goes on."""
        queue = QueueUnderTest(self.subject, self._stores, self.clock, self._progress, store)
        try:
            yield queue
        finally:
            queue.leave()

    @contextmanager
    def unclocked(self) -> Iterator[None]:
        """Take virtual time away for as long as the context lasts: nothing of the kit is in the way of a call then."""
        clock = self.clock
        clock.__exit__(None, None, None)
        try:
            yield
        finally:
            clock.__enter__()

    def keep(self, kind: str, name: str) -> Path:
        """Return where to write evidence that outlives the stores: with the report, noted as ours, else beside them."""
        beside = self._stores.folder.parent / f"taskq-{kind}"
        folder = beside if self._evidence is None else self._evidence / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name if self._evidence is None else note(self._evidence, folder / name)

    def run(self, check: Callable[[], T]) -> T:
        """Return what ``check`` returns, run in virtual time and in a watched thread."""
        self._moved = False
        with VirtualClock(means=self.means) as clock:
            self._clock = clock
            self._began = self._clock.milliseconds
            try:
                return run_watched(check, self._progress, self.call_limit, self._show)
            finally:
                self._clock = None
