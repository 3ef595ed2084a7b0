"""What stands between Python and the functions of SQLite."""

from __future__ import annotations

import ctypes

import pytest

from pytest_taskq.sqlite.library import original_of


def test_the_function_behind_a_pointer_is_called_also_while_an_exception_is_on_its_way() -> None:
    """What ctypes makes of it is an error of its own arguments, once, and no call."""
    answers: list[Exception | int] = [ctypes.ArgumentError("argument 1: GeneratorExit: "), 7]

    def function(file: int) -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer + file

    call = original_of(lambda _: function, 0)  # type: ignore[arg-type,return-value]  # stands in for a CFUNCTYPE
    assert call(1) == 8
    answers[:] = [ctypes.ArgumentError("argument 1: TypeError: wrong type")] * 2
    with pytest.raises(ctypes.ArgumentError, match="wrong type"):
        call(1)
