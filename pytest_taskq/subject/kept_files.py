"""What the kit writes to the folder of a report, noted there, so that the next run can take away what is its own.

``.taskq-files`` in the folder has one line for each file, appended before the file is made: whenever a run dies, what
it made is noted. A later run that has written its report removes what the notes name and the report does not rest on.
What is not noted is not the kit's, and stays.
"""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTES = ".taskq-files"
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def noted(folder: Path) -> set[str]:
    """Return the files that the kit made in ``folder``, relative to it and with slashes."""
    try:
        lines = (folder / NOTES).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {name for line in lines if (name := _name(line))}


def _name(line: str) -> str:
    """Return the file that a line names; "" for a torn line, and for one that leads out of the folder."""
    try:
        name = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(name, str) or not name:
        return ""
    path = PurePosixPath(name)
    return "" if path.is_absolute() or ".." in path.parts or path.name == NOTES else name


def note(folder: Path, path: Path) -> Path:
    """Note that the kit is about to make ``path`` in ``folder``, and return a path that is its own to write.

    A file that is there and is not the kit's stays as it is: the path returned has a number in its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = noted(folder)
    number, free = 1, path
    while os.path.lexists(free) and _relative(folder, free) not in own:
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    _append(folder / NOTES, f"{json.dumps(_relative(folder, free))}\n")
    return free


def _append(path: Path, line: str) -> None:
    # One write: the processes of a run append at the same time. The line before may be torn.
    descriptor = os.open(path, _APPEND, 0o644)
    try:
        os.write(descriptor, f"\n{line}".encode())
    finally:
        os.close(descriptor)


def _relative(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def remove_others(folder: Path, kept: Iterable[Path]) -> list[Path]:
    """Remove what the kit made in ``folder`` and is not in ``kept``, and return it; from now on only ``kept`` is noted.

    Something else that stands under such a name by now (a folder, a link) stays. Raises OSError where a file cannot be
    removed: it is still noted then.
    """
    keep = {_relative(folder, path) for path in kept if path.is_relative_to(folder)}
    removed = [folder / name for name in sorted(noted(folder) - keep) if _is_plain(folder, folder / name)]
    for path in removed:
        path.unlink(missing_ok=True)
        _remove_if_empty(folder, path.parent)
    unfinished = folder / f"{NOTES}-new"
    unfinished.write_text("".join(f"{json.dumps(name)}\n" for name in sorted(keep)), encoding="utf-8")
    unfinished.replace(folder / NOTES)
    return removed


def _is_plain(folder: Path, path: Path) -> bool:
    """Whether a path is a file, and no link on the way to it leads out of the folder."""
    return path.is_file() and not path.is_symlink() and path.parent.resolve().is_relative_to(folder.resolve())


def _remove_if_empty(folder: Path, inner: Path) -> None:
    if inner != folder and not any(inner.iterdir()):
        inner.rmdir()
