"""A listener that attends to one call out of all that the process makes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Switched:
    """Is ``active`` inside ``with listener.on()`` alone."""

    active: bool = False

    @contextmanager
    def on(self) -> Iterator[None]:
        """Attend for as long as the context lasts."""
        self.active = True
        try:
            yield
        finally:
            self.active = False
