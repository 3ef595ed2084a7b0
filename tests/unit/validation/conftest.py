from contextlib import closing

import pytest

from pytest_taskq.reference_impl import Queue, QueueDatabase


@pytest.fixture
def path(tmp_path):
    """Give the file of a closed queue with a task in each of three states."""
    file = tmp_path / "shop" / "queue.db"
    file.parent.mkdir()
    with closing(QueueDatabase(file)) as db:
        db.initialize_schema()
        queue = Queue(db)
        for number in range(3):
            queue.enqueue("mail", {"n": number})
        held = queue.claim_task("w", {}, 60)
        queue.complete_task(held, "w")
        queue.claim_task("w", {}, 60)
    return file


@pytest.fixture
def untouched():
    """Give what lies in a folder, byte for byte; the shared memory of a WAL belongs to whoever has it open."""

    def read(folder):
        return {one.name: b"" if one.name.endswith("-shm") else one.read_bytes() for one in folder.iterdir()}

    return read
