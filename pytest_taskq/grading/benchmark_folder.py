"""The folder that pytest-benchmark makes for its results in every run; it goes again if nothing was put there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def folder_to_come(config: pytest.Config) -> Path | None:
    """Return the folder that pytest-benchmark will make; None if it is there already, or none is made."""
    storage = config.getoption("benchmark_storage", None)
    scheme, separator, place = (storage or "").rpartition("://")
    if not place or (separator and scheme != "file"):
        return None
    folder = Path(place).absolute()  # now, because a test may change the working directory
    return None if folder.exists() else folder


def remove_if_empty(folder: Path | None) -> None:
    """Remove the folder unless something is in it."""
    if folder is not None:
        with suppress(OSError):  # results are in it, or it was never made
            folder.rmdir()
