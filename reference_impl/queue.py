"""The whole queue: every verb of the contract on one database object."""

from __future__ import annotations

from .claiming import Claiming
from .enqueueing import Enqueueing
from .finishing import Finishing
from .maintenance import Maintenance
from .observing import Observing
from .waiting import Waiting


class Queue(Enqueueing, Claiming, Finishing, Maintenance, Observing, Waiting):
    """The reference queue on ``db``, which may be the reference's own database or another team's.

    Nothing is opened before the first verb. What the reference needs beside the contract's tables is added by the first
    write. Any number of threads may share a queue.
    """
