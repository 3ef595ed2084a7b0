"""The rules of the review as data: what each says, what happens in production without it, wrong and right code.

The page ``docs/review.md``, ``taskq explain`` and every finding are views of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_taskq.contract import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One point of the checklist. ``wrong`` is code that it reports, ``right`` the same code corrected."""

    id: str
    level: Level = Level.MUST
    text: str
    harm: str
    wrong: str
    right: str
    only_queue: bool = False
    on_queue_tables: bool = False

    @property
    def applies_to(self) -> str:
        """Which code it speaks of."""
        if self.only_queue:
            return "code that uses `QueueDatabase`"
        return "SQL on a queue's tables" if self.on_queue_tables else "any Python with SQL"


_ALL = (
    Rule(
        id="REV-01",
        only_queue=True,
        text="Writes run inside `db.transaction()`.",
        harm=(
            "A write on a connection for reads takes its lock late, is left open if the code raises before the commit, "
            "and then every worker waits until the busy timeout."
        ),
        wrong="""\
def cancel(db: QueueDatabase, task_id):
    with db.connection() as connection:
        connection.execute("UPDATE task_queue SET status = 'cancelled' WHERE id = ? AND status = 'queued'", (task_id,))
""",
        right="""\
def cancel(db: QueueDatabase, task_id):
    with db.transaction() as tx:
        tx.execute("UPDATE task_queue SET status = 'cancelled' WHERE id = ? AND status = 'queued'", (task_id,))
""",
    ),
    Rule(
        id="REV-02",
        only_queue=True,
        text="Reads run on `db.connection()`.",
        harm=(
            "A read inside a write transaction holds the only write lock of the queue while it looks: a dashboard that "
            "refreshes every second makes claims wait for it."
        ),
        wrong="""\
def counts(db: QueueDatabase):
    with db.transaction() as tx:
        return tx.execute("SELECT status, count(*) FROM task_queue GROUP BY status").fetchall()
""",
        right="""\
def counts(db: QueueDatabase):
    with db.connection() as connection:
        return connection.execute("SELECT status, count(*) FROM task_queue GROUP BY status").fetchall()
""",
    ),
    Rule(
        id="REV-03",
        text="Queries are parameterised: no f-string, %, + or format() builds SQL from values.",
        harm=(
            "An apostrophe in a name or an error text ends the statement; a hostile one adds its own and rewrites the "
            "tasks of every team. Each value is also a new statement to parse and plan."
        ),
        wrong="""\
def find(connection, worker):
    return connection.execute(f"SELECT id FROM task_queue WHERE locked_by = '{worker}' LIMIT 100").fetchall()
""",
        right="""\
def find(connection, worker):
    return connection.execute("SELECT id FROM task_queue WHERE locked_by = ? LIMIT 100", (worker,)).fetchall()
""",
    ),
    Rule(
        id="REV-04",
        text="Time comes from the database (`datetime('now')`), not from literals or the local clock pasted into SQL.",
        harm=(
            "A worker whose clock is two minutes ahead takes tasks that are not due and leases that are not over; one "
            "in another time zone is hours off. Only the database's clock is the same for all."
        ),
        wrong="""\
def overdue(connection):
    return connection.execute(f"SELECT count(*) FROM task_queue WHERE lease_until_utc < '{datetime.now()}'").fetchone()
""",
        right="""\
def overdue(connection):
    sql = "SELECT count(*) FROM task_queue WHERE lease_until_utc < datetime('now')"
    return connection.execute(sql).fetchone()
""",
    ),
    Rule(
        id="REV-05",
        only_queue=True,
        text="Rows become tasks through `Task.from_dict()`, payloads through `get_payload_dict()`.",
        harm=(
            "A task put together by hand breaks, or silently shifts its fields, when the infrastructure adds a column; "
            "a payload parsed by hand misses what the shared code does about NULL and bad JSON."
        ),
        wrong="""\
def get(db: QueueDatabase, task_id):
    with db.connection() as connection:
        row = connection.execute("SELECT id, type, payload FROM task_queue WHERE id = ?", (task_id,)).fetchone()
    return Task(id=row["id"], type=row["type"], payload=row["payload"])
""",
        right="""\
def get(db: QueueDatabase, task_id):
    with db.connection() as connection:
        row = connection.execute("SELECT id, type, payload FROM task_queue WHERE id = ?", (task_id,)).fetchone()
    return Task.from_dict(row)
""",
    ),
    Rule(
        id="REV-06",
        only_queue=True,
        text="No `get_connection()`; no raw `sqlite3.connect` on the queue.",
        harm=(
            "Nothing ends what is begun on such a connection, and a raw one has neither the busy timeout nor WAL nor "
            "foreign keys: it fails at once with 'database is locked', or makes the others fail."
        ),
        wrong="""\
def count(db: QueueDatabase):
    connection = db.get_connection()
    return connection.execute("SELECT count(*) FROM task_queue").fetchone()[0]
""",
        right="""\
def count(db: QueueDatabase):
    with db.connection() as connection:
        return connection.execute("SELECT count(*) FROM task_queue").fetchone()[0]
""",
    ),
    Rule(
        id="REV-07",
        on_queue_tables=True,
        text=(
            "A claim is one atomic statement, or reads inside the write transaction: no SELECT whose result feeds a "
            "later UPDATE outside one without a guard."
        ),
        harm="Two workers read the same row before either has written, both update it, and the task is done twice.",
        wrong="""\
def claim(db: QueueDatabase, worker):
    with db.connection() as connection:
        row = connection.execute("SELECT id FROM task_queue WHERE status = 'queued' LIMIT 1").fetchone()
    with db.transaction() as tx:
        tx.execute("UPDATE task_queue SET status = 'leased', locked_by = ? WHERE id = ?", (worker, row["id"]))
""",
        right="""\
def claim(db: QueueDatabase, worker):
    with db.transaction() as tx:
        row = tx.execute("SELECT id FROM task_queue WHERE status = 'queued' LIMIT 1").fetchone()
        tx.execute("UPDATE task_queue SET status = 'leased', locked_by = ? WHERE id = ?", (worker, row["id"]))
""",
    ),
    Rule(
        id="REV-08",
        on_queue_tables=True,
        level=Level.SHOULD,
        text="No `SELECT *` in production queries; LIMIT on reads that can grow.",
        harm=(
            "A column that another team adds is read by everybody, payloads of a megabyte included. A list without a "
            "limit works for a year and then takes all memory on the day when the queue is longest."
        ),
        wrong="""\
def waiting(connection):
    return connection.execute("SELECT * FROM task_queue WHERE status = 'queued'").fetchall()
""",
        right="""\
def waiting(connection):
    return connection.execute("SELECT id, type FROM task_queue WHERE status = 'queued' LIMIT 100").fetchall()
""",
    ),
    Rule(
        id="REV-09",
        on_queue_tables=True,
        level=Level.SHOULD,
        text="No hard-coded paths, pragmas or worker counts.",
        harm=(
            "The path of the developer's machine makes an empty queue of its own on the server, and nobody's tasks "
            "arrive. A pragma or a number of workers that fits a laptop cannot be changed without a release."
        ),
        wrong="""\
def open_queue():
    return sqlite3.connect("/var/lib/shop/orders.db")
""",
        right="""\
def open_queue():
    return sqlite3.connect(os.environ["SHOP_ORDERS"])
""",
    ),
    Rule(
        id="REV-10",
        on_queue_tables=True,
        text="Broad `except` does not swallow `QueueBusyError` or `QueueDatabaseError`.",
        harm=(
            "A locked or broken database looks like an empty queue: workers idle, producers believe that their tasks "
            "were stored, and no alarm rings."
        ),
        wrong="""\
def record(connection, task_id):
    try:
        connection.execute("UPDATE task_queue SET status = 'completed' WHERE id = ?", (task_id,))
    except Exception:
        return False
    return True
""",
        right="""\
def record(connection, task_id):
    try:
        connection.execute("UPDATE task_queue SET status = 'completed' WHERE id = ?", (task_id,))
    except Exception:
        LOG.exception("task %s could not be completed", task_id)
        raise
    return True
""",
    ),
)
RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}

# No point of the contract's checklist: what keeps the others honest.
IGNORE = Rule(
    id="IGNORE",
    text="Every `# taskq: ignore[...]` names a rule, gives a reason, and silences a finding.",
    harm="An exception that nobody can explain, or that outlived its cause, hides the next real finding on its line.",
    wrong="LIMIT = 100  # taskq: ignore[REV-03]\n",
    right="LIMIT = 100\n",
)
EVERY: dict[str, Rule] = {**RULES, IGNORE.id: IGNORE}
