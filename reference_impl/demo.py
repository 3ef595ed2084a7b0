"""``python -m pytest_taskq.reference_impl.demo`` is ``taskq demo``."""

from __future__ import annotations

import sys

from pytest_taskq.cli import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))
