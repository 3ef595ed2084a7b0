"""The blocks of a page are graded as broken queues are, by `grading` in tests/mutants."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "mutants")]
