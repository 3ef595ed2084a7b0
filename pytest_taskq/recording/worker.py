"""What runs in each process of a crew: reads orders, one JSON object a line, and answers each with one.

It ends when its orders end: the pipe closes when the parent dies, whatever way it dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io import TextIOWrapper

_leave = os._exit


def main(name: str, adapter: str) -> None:
    """Answer orders until there are no more. The adapter's own output goes nowhere."""
    answers = _private_output()
    orders: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    try:
        from pytest_taskq.subject.loading import load_adapter

        adapter_class = load_adapter(adapter)
    except BaseException as error:  # noqa: BLE001 - whatever the import does, the crew is told
        _answer(answers, {"failed": f"{error}"})
        return
    _answer(answers, {"ready": os.getpid()})
    while True:
        order = orders.get()
        _answer(answers, _obeyed(name, adapter_class, order, orders, answers))


def _private_output() -> TextIOWrapper:
    """Return what the parent reads, out of the reach of code that prints."""
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the life of the process
    return private


def _listen(orders: queue.Queue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    _leave(3)


def _answer(answers: TextIOWrapper, answer: dict[str, Any]) -> None:
    try:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    except OSError:
        _leave(3)  # the parent is gone


def _obeyed(
    name: str,
    adapter_class: Any,  # noqa: ANN401 - any adapter
    order: dict[str, Any],
    orders: queue.Queue[dict[str, Any]],
    answers: TextIOWrapper,
) -> dict[str, Any]:
    from pytest_taskq.recording.actor import Actor, BrokenResultError
    from pytest_taskq.recording.log import CallLog
    from pytest_taskq.recording.workloads import WORKLOADS
    from pytest_taskq.subject.loading import load_adapter

    try:
        order["start"] = time.monotonic_ns()
        if order["adapter"]:
            adapter_class = load_adapter(order["adapter"])
        actor = Actor(name, adapter_class(order["dsn"]), CallLog(order["log"], name), order)
        try:
            if order["warm"]:
                actor.invoke(lambda: actor.adapter.db)
            _answer(answers, {"prepared": time.time_ns() - time.monotonic_ns()})
            start = orders.get()["start"]
            actor.start_at(start)
            return {"done": WORKLOADS[order["do"]](actor), "offset": time.time_ns() - time.monotonic_ns()}
        finally:
            with contextlib.suppress(Exception):
                actor.close()
            _keep_coverage()
    except BrokenResultError as error:
        return {"broken": str(error), "method": error.method}
    except BaseException as error:  # noqa: BLE001 - the crew is told
        return {"failed": "".join(traceback.format_exception(error, limit=-3)).rstrip()}


def _keep_coverage() -> None:
    """Save what coverage measured here, if it does: the crew is ended by a kill, which leaves it no time to."""
    coverage = sys.modules.get("coverage")
    measured = coverage.Coverage.current() if coverage is not None else None
    if measured is not None:
        with contextlib.suppress(Exception):
            measured.save()
