"""The doctor as a plugin of pytest, so that it reads the same configuration, paths and environment as the grading."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.doctor.code import code_signs
from pytest_taskq.doctor.machine import machine_signs
from pytest_taskq.doctor.sign import Sign, State
from pytest_taskq.grading.places import check_dsn, stores_for
from pytest_taskq.grading.run import load_subject
from pytest_taskq.options import Settings
from pytest_taskq.subject import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator


class Doctor:
    """Takes the place of a session: looks, keeps the signs, collects nothing."""

    def __init__(self) -> None:
        self.signs: list[Sign] = []
        self.adapter_named = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Look at everything; 0 if nothing is wrong, else 1."""
        try:
            self.signs += self._signs(Settings.of(config), config.rootpath)
        except pytest.UsageError as error:
            self.signs.append(Sign("configuration", State.WRONG, str(error)))
        return int(any(one.state is State.WRONG for one in self.signs))

    def _signs(self, settings: Settings, root: Path) -> Iterator[Sign]:
        yield from machine_signs()
        if not settings.adapter:
            self.adapter_named = False
            return
        try:
            subject = load_subject(settings.adapter, root)
        except pytest.UsageError as error:
            yield Sign("adapter", State.WRONG, str(error))
            return
        check_dsn(settings.dsn, subject)
        with tempfile.TemporaryDirectory(prefix="taskq-doctor-", ignore_cleanup_errors=True) as folder:
            stores = stores_for(subject, settings.dsn, Path(folder))
            try:
                yield from code_signs(subject, Bench(subject, stores, call_limit=settings.call_timeout))
            finally:
                stores.close()
