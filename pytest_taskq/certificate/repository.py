"""The commit that was graded, and whether the tree was that commit's; git is asked, never told."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 5.0
# A status may refresh the index and start a monitor of the file system; a reader does neither, nor asks for a password.
_READS_ONLY = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
_COMMAND = ("git", "-c", "core.fsmonitor=false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """``dirty`` is whether tracked files were changed, ``untracked`` how many files git does not know."""

    commit: str
    dirty: bool
    untracked: int

    def as_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def repository_of(root: Path) -> Repository | None:
    """Return what git says of the tree at ``root``; None without git, outside a repository, or if it takes long."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    status = _git(root, "status", "--porcelain") if commit else None
    if not commit or status is None:
        return None
    lines = status.splitlines()
    untracked = sum(line.startswith("??") for line in lines)
    return Repository(commit=commit.strip(), dirty=len(lines) > untracked, untracked=untracked)


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [*_COMMAND, *arguments],
            cwd=root,
            env=os.environ | _READS_ONLY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
