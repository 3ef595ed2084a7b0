"""``python -m pytest_taskq.reference_impl.validation [PATH|DSN]`` is ``taskq validate``."""

from __future__ import annotations

import sys

from pytest_taskq.cli import main

if __name__ == "__main__":
    sys.exit(main(["validate", *sys.argv[1:]]))
