"""The project's own settings name our ini key; without our plugin (``-p no:taskq``) pytest would refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Make the key known where the plugin does not."""
    if not pluginmanager.hasplugin("taskq"):
        parser.addini("taskq_adapter", "of pytest-taskq, which is switched off")
