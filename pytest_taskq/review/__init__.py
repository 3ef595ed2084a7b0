"""The code review checklist on a team's sources: sources are read, statements found, rules asked, findings shown.

Nothing that it reads is run. Begin with ``reviewing.py``.
"""

from __future__ import annotations
