"""The kit is tested through pytest itself."""

from __future__ import annotations

pytest_plugins = ["pytester"]
