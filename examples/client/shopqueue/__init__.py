"""The shop's side of the task queue: put work in, take it back, look at it."""

from __future__ import annotations

from shopqueue.client import cancel, enqueue, enqueue_all, enqueue_within, get
from shopqueue.order import Order

__all__ = ["Order", "cancel", "enqueue", "enqueue_all", "enqueue_within", "get"]
