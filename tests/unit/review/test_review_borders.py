"""The border of each rule: code that is nearly wrong, and right, stays silent; its neighbour is reported."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_taskq.review.catalogue import RULES
from pytest_taskq.review.reviewing import review_text
from pytest_taskq.review.sources import Source

HEAD = """
import contextlib, json, logging, os, sqlite3
from datetime import datetime
from psycopg.sql import SQL
from pytest_taskq.reference_impl import QueueDatabase, Task
"""
DB = "def f(db: QueueDatabase, x):\n"
SILENT = {
    "REV-01 a helper that is given a transaction": DB
    + "    with db.transaction() as tx:\n        g(tx)\ndef g(c):\n    c.execute('DELETE FROM task_logs WHERE id = 1')",
    "REV-02 a transaction that reads and writes": DB
    + "    with db.transaction() as tx:\n        tx.execute('SELECT id FROM task_queue LIMIT 1').fetchone()\n"
    + "        tx.execute('DELETE FROM task_logs WHERE id = 1')",
    "REV-02 a transaction that goes where nobody follows": DB + "    with db.transaction() as tx:\n        x(tx)",
    "REV-03 psycopg composes values": "def f(c, x):\n    c.execute(SQL('SELECT id FROM t WHERE a = {}').format(x))",
    "REV-03 a number": "def f(c, x):\n    c.execute(f'SELECT id FROM t LIMIT {int(x)}')",
    "REV-03 a placeholder of the backend": "def f(c, q, x):\n    c.execute(f'DELETE FROM t WHERE a = {q.placeholder}')",
    "REV-03 an expression that has a placeholder as default": "def f(c, x, y):\n"
    "    c.execute(f\"UPDATE t SET a = {x.get('a', '?')} WHERE id = 1\", (y,))",
    "REV-03 a text for a person": "def f(x):\n    raise ValueError(f\"cannot SELECT a FROM t WHERE a = '{x}'\")",
    "REV-03 the name of a column, with a default": "def f(c, geo_column='shape'):\n"
    "    c.execute(f\"SELECT add_column('{geo_column}')\")",
    "REV-03 numbers": "def f(c, n: int, m):\n    for i in range(n):\n"
    "        c.execute(f'DELETE FROM t WHERE a = {i} AND b = {n} AND d = {m - 1} AND e = {m:d}')",
    "REV-03 formats of numbers": "def f(c, m):\n    c.execute('DELETE FROM t WHERE a = %d AND b = %.2f' % (m, m))",
    "REV-03 constants": "def f(c):\n"
    "    c.execute('SELECT id FROM t WHERE a IN (' + ','.join(str(x) for x in DONE) + ')')",
    "REV-03 a list of placeholders": "def f(c, marks, xs):\n"
    "    c.execute(f'SELECT id FROM t WHERE a IN ({marks}) AND b = ?', xs)",
    "REV-03 a placeholder of a backend": "class A:\n    arg = '?'\ndef f(db, x):\n"
    "    sql = f'SELECT id FROM t WHERE a = {db.arg}'\n    db.run(sql)",
    "REV-03 what is bound elsewhere": "def f(c, a, x):\n"
    "    sql = f'SELECT id FROM t WHERE a = {a}'\n    c.run(sql, (x,))",
    "REV-03 a name that is a text": "def f(c, x):\n    c.execute(f\"SELECT nextval('{x}_ids'), '{x}'::regclass\")",
    "REV-03 a column to insert": "def f(c, x):\n    c.execute(f\"INSERT INTO t ('{x}') VALUES (?)\", (1,))",
    "REV-03 a set of columns": "def f(c, k, m, x):\n    c.execute(f'UPDATE t SET {k} = {m} WHERE id = ?', (x,))",
    "REV-03 a dump": "def f(x):\n    yield f\"INSERT INTO t VALUES ('{x}')\"",
    "REV-03 a script": "def f(x, xs):\n    emit_sql(f\"DELETE FROM t WHERE a = '{x}'\")\n"
    "    xs.extend([f\"DELETE FROM t WHERE a = '{x}'\" for x in xs])",
    "REV-03 a migration": "from alembic import op\ndef upgrade(x):\n    op.execute(f\"DELETE FROM t WHERE a = '{x}'\")",
    "REV-03 another language": "import wmi\ndef f(c, x):\n    c.query(f\"SELECT a FROM T WHERE k = '{x}'\")",
    "REV-04 the name of a table": "def f(c):\n    c.execute(f'DELETE FROM tmp_{datetime.now()}')",
    "REV-04 never": "def f(c):\n    c.execute(\"SELECT id FROM tasks WHERE a > '9999-12-31' LIMIT 1\")",
    "REV-04 a bound time is not pasted": "def f(c):\n"
    "    c.execute('SELECT id FROM t WHERE a < ? LIMIT 1', (datetime.now(),))",
    "REV-04 a date without SQL": "DAY = '2024-01-01'",
    "REV-05 a task from no row": DB + "    return Task(id=x, type='mail')",
    "REV-06 a connection of somebody else's": "def f(pool):\n    return pool.get_connection()",
    "REV-06 a file that is not the queue's": DB + "    return sqlite3.connect(os.environ['OTHER'])",
    "REV-07 the UPDATE looks at the state again": DB + "    with db.connection() as c:\n"
    "        row = c.execute(\"SELECT id FROM task_queue WHERE status = 'queued' LIMIT 1\").fetchone()\n"
    "    with db.transaction() as tx:\n"
    "        tx.execute(\"UPDATE task_queue SET status = 'leased' WHERE id = ? AND status = 'queued'\", (row['id'],))",
    "REV-07 a row that is named": "def f(x):\n    c = sqlite3.connect(x)\n"
    "    row = c.execute('SELECT a FROM jobs WHERE id = ?', (x,)).fetchone()\n"
    "    c.execute('UPDATE jobs SET b = ? WHERE id = ?', (row[0], x))",
    "REV-08 a star of which some is used": "def f(c):\n"
    "    c.execute('SELECT max(a) FROM (SELECT * FROM tasks LIMIT 9) b').fetchone()\n"
    "    c.execute('WITH a AS (SELECT * FROM tasks) UPDATE t SET b = 1 FROM a WHERE t.id = a.id')",
    "REV-08 conditions that are not known": "def f(c, where):\n"
    "    return c.execute(f'SELECT id FROM tasks {where}').fetchall()",
    "REV-08 a star of a CTE": "def f(c):\n    c.execute('WITH a AS (SELECT id FROM t) SELECT * FROM a').fetchone()",
    "REV-08 a star that is counted": "def f(c):\n    c.execute('SELECT count(*) FROM (SELECT * FROM t)').fetchone()",
    "REV-08 a star of a function": "def f(c):\n    c.execute('SELECT * FROM pgmq.delete(%s, %s)', (1, 2)).fetchone()",
    "REV-08 a star that asks whether": "def f(c):\n    c.execute('SELECT EXISTS (SELECT * FROM t)').fetchone()",
    "REV-09 a database of its own": "def f():\n    return sqlite3.connect(':memory:').execute('SELECT 1')",
    "REV-10 the error goes on": "def f(c):\n    try:\n        c.execute('DELETE FROM t')\n    except Exception as e:\n"
    "        return Failed(e)",
    "REV-10 a warning": "def f(c):\n    try:\n        c.execute('DELETE FROM t')\n    except Exception:\n"
    "        logging.warning('not deleted')",
    "REV-10 a method that deals with it": "def f(c):\n    try:\n        c.execute('DELETE FROM t')\n"
    "    except Exception:\n        c.on_error()",
    "REV-10 a narrow handler": "def f(c):\n    try:\n        c.execute('DELETE FROM t')\n    except KeyError:\n"
    "        pass",
}
# Without QueueDatabase a table says by its name whether it is a queue's.
ELSEWHERE = {
    "REV-07": "import sqlite3\ndef f(x):\n    c = sqlite3.connect(x)\n"
    "    row = c.execute('SELECT id FROM {t} WHERE state = 0 LIMIT 1').fetchone()\n"
    "    c.execute('UPDATE {t} SET state = 1 WHERE id = ?', row)",
    "REV-08": "def f(c):\n    return c.execute('SELECT * FROM {t} LIMIT 3').fetchall()",
    "REV-09": "def f(c):\n    c.execute('PRAGMA cache_size = 5')\n    c.execute('DELETE FROM {t}')",
    "REV-10": "import sqlite3\ndef f(c):\n    try:\n        c.execute('DELETE FROM {t}')\n    except sqlite3.Error:\n"
    "        pass",
    "REV-04": "def f(c):\n    c.execute(\"DELETE FROM {t} WHERE a < '2024-01-01'\")",
}
LOUD = {
    "REV-07 in a helper's connection": (
        "REV-07",
        (
            "class Q:\n    def open(self):\n        return sqlite3.connect(self.path)\n    def take(self):\n"
            "        with self.open() as c:\n"
            "            row = c.execute('SELECT id FROM jobs WHERE state = 0 LIMIT 1').fetchone()\n"
            "            c.execute('UPDATE jobs SET state = 1 WHERE id = ?', row)"
        ),
    ),
    "REV-07 of psycopg": (
        "REV-07",
        (
            "import psycopg\ndef f(x):\n    with psycopg.connect(x) as a, a.cursor() as c:\n"
            "        c.execute('SELECT id FROM jobs WHERE state = 0 LIMIT 1')\n        task = c.fetchone()\n"
            "        c.execute('UPDATE jobs SET state = 1 WHERE id = %s', (task[0],))"
        ),
    ),
    "REV-10 rolled back and no more": (
        "REV-10",
        "def f(c):\n    try:\n        c.execute('DELETE FROM t')\n    except Exception:\n        c.rollback()",
    ),
    "REV-03 sqlite does not compose": (
        "REV-03",
        "def f(c, x):\n    c.execute('SELECT id FROM t WHERE a = {}'.format(x))",
    ),
    "REV-03 in a value list": ("REV-03", "def f(c, x):\n    c.execute(f'INSERT INTO t (a, b) VALUES (?, {x})', (1,))"),
    "REV-04 pasted": ("REV-04", "def f(c):\n    c.execute(f\"DELETE FROM t WHERE a < '{datetime.utcnow()}'\")"),
    "REV-04 a literal": ("REV-04", "def f(c):\n    c.execute(\"DELETE FROM t WHERE a < '2024-01-01'\")"),
    "REV-06 alone, for a read on what it returns": ("REV-06", RULES["REV-06"].wrong),
    "REV-08 t.* of a table beside a function": (
        "REV-08",
        "def f(c):\n    c.execute('SELECT t.* FROM t JOIN json_each(t.a) j').fetchone()",
    ),
    "REV-10 suppressed": (
        "REV-10",
        "def f(c):\n    with contextlib.suppress(Exception):\n        c.execute('DELETE FROM t')",
    ),
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_correct_code_beside_the_border_is_silent(code: str) -> None:
    assert [str(one) for one in review_text(HEAD + code).findings] == []


@pytest.mark.parametrize(("rule", "code"), LOUD.values(), ids=LOUD)
def test_wrong_code_beside_the_border_is_one_finding(rule: str, code: str) -> None:
    assert [one.rule.id for one in review_text(HEAD + code).findings] == [rule]


@pytest.mark.parametrize("rule", ELSEWHERE)
def test_the_rules_of_queues_speak_of_a_table_that_is_called_like_one(rule: str) -> None:
    for table in ("task_queue", "jobs", "scheduled_mails", "OutboxMessage"):
        assert rule in [one.rule.id for one in review_text(ELSEWHERE[rule].format(t=table)).findings], table
    for table in ("users", "releases", "config"):
        assert review_text(ELSEWHERE[rule].format(t=table)).findings == (), table


def test_a_migration_and_another_language_are_listed_as_not_checked() -> None:
    for name, why in (("migration", "which runs once"), ("another language", "of another language than SQL")):
        (one,) = review_text(HEAD + SILENT[f"REV-03 a {name}" if name == "migration" else f"REV-03 {name}"]).not_checked
        assert why in one.reason


PIECES = [*(rule.wrong for rule in RULES.values()), *(rule.right for rule in RULES.values()), *SILENT.values()]
ODD = ["{", "}", "{x}", "%s", "%", "'", '"', "\\", "\n", "?", ";", "SELECT * FROM t WHERE a = ", "é", "\x00", "(", "--"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=4), st.lists(st.sampled_from(ODD), max_size=12), st.integers(0, 3))
def test_no_code_makes_it_crash(pieces: list[str], odd: list[str], how: int) -> None:
    text = "".join(odd)
    made = (f"f{text!r}", f"{text!r}.format(x)", f"{text!r} % x", f"{text!r} + x")[how]
    review_text("\n".join([HEAD, *pieces, f"def odd(c, x):\n    c.execute({made})\n    return {text}"]))
    review_text("\n".join([HEAD, *pieces, f"def odd(c, x):\n    c.execute({made})"]))


STDLIB = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[::12]


@pytest.mark.parametrize("file", STDLIB, ids=lambda file: file.name)
def test_sources_that_nobody_wrote_for_it_do_not_make_it_crash(file: Path) -> None:
    text = f"# sqlite\n{file.read_text(encoding='utf-8')}"  # so that it is read
    assert Source(file, file.name, text).is_worth_reading
    assert review_text(text).files == 1


def test_functions_that_call_each_other_end() -> None:
    many = "\n".join(
        f"def f{n}(x):\n" + "".join(f"    if x: return f{(n * 7 + k) % 40}(x)\n" for k in range(6)) for n in range(40)
    )
    code = f"{many}\ndef g(c, x):\n    f0(x).execute(f1(x))\n    c.execute('SELECT id FROM t WHERE a = ' + f2(x))"
    assert isinstance(ast.parse(code), ast.Module)
    assert review_text(HEAD + code).files == 1


def test_prose_and_modules_without_sql_are_not_parsed() -> None:
    for text in ("import select\nselect.poll()", "update the best", "def insert(x): pass", "x.delete()"):
        assert not Source(Path("a.py"), "a.py", text).is_worth_reading
    for text in (
        "'select a\\n from t'",
        "'UPDATE ' + table + ' SET a = 1'",
        "'insert or ignore into t'",
        "c.execute(x)",
    ):
        assert Source(Path("a.py"), "a.py", text).is_worth_reading
