"""A setting that nobody knows is refused by name and value; dropped, it is believed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Database

KNOWN = ("busy_timeout", "synchronous")


class Broken(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        known = {name: settings[name] for name in KNOWN if name in settings}
        return super().open_database(**known)


class Corrected(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        for name in settings.keys() - set(KNOWN):
            raise ValueError(f"unknown setting {name}={settings[name]!r}; there are {KNOWN}")
        return super().open_database(**settings)
