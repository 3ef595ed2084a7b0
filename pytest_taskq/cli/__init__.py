"""The command ``taskq``: a thin shell that parses arguments and prints what other parts say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_taskq.cli.commands import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 something failed, 2 not understood."""
    command, arguments = parsed(sys.argv[1:] if argv is None else argv)
    return command.module.run(arguments)
