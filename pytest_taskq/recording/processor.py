"""How long a thread had work and no processor to do it on: the operating system's share in what a call takes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

# Of the thread that reads it: nanoseconds on a processor, and nanoseconds for which it was ready and had none.
_SCHEDULE = Path("/proc/thread-self/schedstat")


def waited_for_processor() -> int:
    """Return for how many nanoseconds this thread was ready and had no processor; 0 where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return int(_SCHEDULE.read_text(encoding="ascii").split()[1])
    return 0
