"""Decides who is served next: the task that waited longest, or the one that is most urgent."""

from __future__ import annotations

from dispatcher.dispatch import STRATEGIES, Dispatcher

__all__ = ["STRATEGIES", "Dispatcher"]
