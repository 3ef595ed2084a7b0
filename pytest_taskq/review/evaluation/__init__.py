"""What text an expression may be at run time, as far as the sources say. Begin with ``evaluator.py``."""

from __future__ import annotations
