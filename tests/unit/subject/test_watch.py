"""A call that never returns, or that ends the process, is found out and survived."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from pytest_taskq.subject.invocation import Invoker, ProcessExitError
from pytest_taskq.subject.violation import CallHungError
from pytest_taskq.subject.watch import Progress, run_watched


def test_the_result_of_a_check_comes_back() -> None:
    assert run_watched(lambda: 7, Progress()) == 7


def test_the_exception_of_a_check_comes_back() -> None:
    with pytest.raises(KeyError):
        run_watched(lambda: {}["missing"], Progress())


def test_a_call_that_blocks_is_given_up_after_the_limit() -> None:
    progress, never = Progress(), threading.Event()

    def check() -> None:
        progress.start("claim_task('w1')")
        never.wait(60)
        progress.end()

    with pytest.raises(CallHungError, match=r"claim_task\('w1'\) did not return within 0.05 s"):
        run_watched(check, progress, limit=0.05)
    never.set()


def test_a_loop_of_python_code_is_ended() -> None:
    progress, threads = Progress(), []

    def check() -> None:
        threads.append(threading.current_thread())
        progress.start("renew_lease()")
        while True:
            pass

    with pytest.raises(CallHungError):
        run_watched(check, progress, limit=0.05)
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_a_long_check_of_short_calls_is_not_given_up() -> None:
    progress, turn = Progress(), threading.Event()

    def check() -> int:
        for number in range(40):
            progress.start(f"call {number}")
            turn.wait(0.01)
            progress.end()
        return 40

    assert run_watched(check, progress, limit=0.3) == 40


@pytest.mark.parametrize("end", ["os._exit(3)", "os.abort()", "sys.exit(3)"])
def test_ending_the_process_is_an_exception(end: str) -> None:
    with pytest.raises(ProcessExitError):
        Invoker()(exec, end, {"os": os, "sys": sys})


def test_os_is_as_before_after_a_call() -> None:
    before = os._exit, os.abort
    Invoker()(lambda: None)
    assert (os._exit, os.abort) == before


def test_coroutines_of_one_actor_share_one_event_loop() -> None:
    import asyncio

    async def loop() -> int:
        return id(asyncio.get_running_loop())

    invoke = Invoker()
    assert invoke(loop) == invoke(loop)
    invoke.close()
