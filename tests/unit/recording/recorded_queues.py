"""Adapters that other processes import by name: what a crew must survive."""

from __future__ import annotations

import os
import time

from pytest_taskq import QueueAdapter


class Hangs(QueueAdapter):
    def enqueue(self, type, payload, **options):
        time.sleep(600)


class Leaves(QueueAdapter):
    def enqueue(self, type, payload, **options):
        os.kill(os.getpid(), 9)


class Prints(QueueAdapter):
    def enqueue(self, type, payload, **options):
        print("not JSON")  # noqa: T201 - on purpose
        os.write(1, b"nor this\n")
        return self.reference.enqueue(type, payload, **options)


class ReturnsNothing(QueueAdapter):
    def enqueue(self, type, payload, **options):
        return None


class Waits(QueueAdapter):
    async def enqueue(self, type, payload, **options):
        return self.reference.enqueue(type, payload, **options)
