"""The catalogue's broken queues are imported by name, as a team's adapter is."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "mutants"))
