"""``python -m pytest_taskq`` is the command ``taskq``."""

from __future__ import annotations

import sys

from pytest_taskq.cli import main

sys.exit(main())
