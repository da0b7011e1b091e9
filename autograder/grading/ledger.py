"""The ledger: every verdict that was ever given in a course, in one SQLite file that is only ever added to.

Three uses of one file.  An answer that was judged before, by the same exercise and the same grader on the same kind of
cluster, is not judged again, whoever gave it.  A run that was cut off goes on where it was, since verdicts are written
as they come.  And what was said before an exercise or the grader was mended stands beside what is said now.

Three tables: ``judgements`` holds what was found of an answer, once; ``given`` holds to whom it was said, and when; the
view ``verdicts`` shows both as one.  ``readings`` holds each time that a notebook was graded: what was put right in it,
and how long it took.

The ledger serves the grading and never stops it: when its file is locked, full, read-only or broken, all methods
still return, ``trouble`` says why nothing is remembered, and one line on standard error says it too.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, TextIO

from autograder.checks.verdict import Status, Verdict
from autograder.grading.digests import Key
from autograder.grading.restoring import Note

FILE: Final = "verdicts.db"
#: Seconds to wait for somebody else who writes.
PATIENCE: Final = 5.0

#: What may come out otherwise when it is tried again, or when more is allowed.
NOT_REUSED: Final = frozenset({Status.COULD_NOT_BE_JUDGED, Status.TIMED_OUT, Status.NOT_RUN_THERE})

_VERDICTS: Final = """
CREATE TABLE judgements (
    id INTEGER PRIMARY KEY, exercise TEXT NOT NULL,
    answer_digest TEXT NOT NULL, exercise_digest TEXT NOT NULL, grader_digest TEXT NOT NULL, cluster TEXT NOT NULL,
    status TEXT NOT NULL, verdict TEXT NOT NULL, answer TEXT NOT NULL, drawn TEXT NOT NULL
);
CREATE INDEX judgements_by_key ON judgements (answer_digest, exercise_digest, grader_digest, cluster);
CREATE INDEX judgements_by_exercise ON judgements (exercise);
CREATE TABLE given (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL,
    student TEXT NOT NULL, assignment TEXT NOT NULL, task TEXT NOT NULL,
    judgement INTEGER NOT NULL REFERENCES judgements
);
CREATE INDEX given_by_student ON given (student, assignment, task);
CREATE INDEX given_by_judgement ON given (judgement);
CREATE VIEW verdicts AS
    SELECT given.id AS number, time, student, assignment, task, exercise, answer_digest, exercise_digest,
           grader_digest, cluster, status, verdict, answer, drawn
    FROM given JOIN judgements ON judgements.id = given.judgement;
"""
_READINGS: Final = """
CREATE TABLE readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL,
    student TEXT NOT NULL, assignment TEXT NOT NULL, notebook TEXT NOT NULL,
    handed_in INTEGER NOT NULL, seconds REAL NOT NULL, notes TEXT NOT NULL
);
CREATE INDEX readings_by_student ON readings (assignment, student, notebook);
"""
#: What was added in each version of the tables; the number of those that a file has is in SQLite's ``user_version``.
_VERSIONS: Final = (_VERDICTS, _READINGS)
_FIELDS: Final = (
    "number, time, student, assignment, task, "
    "answer_digest, exercise_digest, grader_digest, cluster, verdict, answer, drawn"
)
_JUDGE: Final = (
    "INSERT INTO judgements (exercise, answer_digest, exercise_digest, grader_digest, cluster, status, verdict, "
    "answer, drawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_GIVE: Final = "INSERT INTO given (time, student, assignment, task, judgement) VALUES (?, ?, ?, ?, ?)"
_LAST: Final = "SELECT judgement FROM given WHERE student = ? AND assignment = ? AND task = ? ORDER BY id DESC LIMIT 1"
_READ: Final = (
    "INSERT INTO readings (time, student, assignment, notebook, handed_in, seconds, notes) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LAST_READ: Final = (
    "SELECT handed_in FROM readings WHERE student = ? AND assignment = ? AND notebook = ? ORDER BY id DESC LIMIT 1"
)
_KEY: Final = "answer_digest = ? AND exercise_digest = ? AND grader_digest = ? AND cluster = ?"


@dataclass(frozen=True, slots=True)
class Entry:
    """A verdict on one answer.  ``task`` is the ``grade_id`` of the check cell, ``drawn`` the exercise's values."""

    student: str
    assignment: str
    task: str
    key: Key
    verdict: Verdict
    answer: str
    drawn: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """A notebook that was graded, or that is not there.  ``handed_in``: there was a submission that it could be in.

    ``seconds`` are those of wall time that judging it took, ``notes`` what was put right in it.
    """

    student: str
    assignment: str
    notebook: str
    handed_in: bool
    seconds: float
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it stands in the ledger: ``number`` grows with time, which is UTC as RFC 3339 writes it."""

    number: int
    time: str
    entry: Entry


class Ledger:
    """The verdicts of one course; closes as a context manager.  A copy in a forked process opens the file anew."""

    def __init__(self, path: Path, stream: TextIO | None = None) -> None:
        self.path = path
        self.trouble = ""
        self._stream = stream
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    @classmethod
    def open(cls, course: Path, stream: TextIO | None = None) -> Ledger:
        """The ledger of a course, made if there is none; trouble is told on ``stream``, else on standard error."""
        ledger = cls(course / FILE, stream)
        with ledger._minded():
            ledger._database()
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; whatever was added stays, and whatever is asked next opens it again."""
        if self._connection and self._process == os.getpid():
            self._connection.close()
        self._connection = None

    def find(self, key: Key) -> Verdict | None:
        """The newest verdict with this key, if there is one that may be used again."""
        statuses = [status.value for status in NOT_REUSED]
        query = f"SELECT verdict FROM judgements WHERE {_KEY} AND status NOT IN (?, ?, ?) ORDER BY id DESC LIMIT 1"
        with self._minded():
            found = self._database().execute(query, (*_columns(key), *statuses)).fetchone()
            return _read(found[0]) if found else None
        return None

    def newest(self, grader: str, cluster: str, limit: int) -> dict[Key, str]:
        """The newest verdicts of a grader on a kind of cluster that may be used again, as JSON by their keys."""
        query = (
            "SELECT answer_digest, exercise_digest, grader_digest, cluster, verdict FROM judgements "
            "WHERE grader_digest = ? AND cluster = ? AND status NOT IN (?, ?, ?) ORDER BY id DESC LIMIT ?"
        )
        found: dict[Key, str] = {}
        with self._minded():
            statuses = [status.value for status in NOT_REUSED]
            for *key, verdict in self._database().execute(query, (grader, cluster, *statuses, limit)):
                found.setdefault(Key(*key), verdict)
        return found

    def add(self, entries: Iterable[Entry], readings: Iterable[Reading] = ()) -> None:
        """Write all of it or nothing.

        What a student was told last time in the same words is not written again; nor is that there is nothing, unless
        there was something before.
        """
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with self._minded(), self._database() as database:
            database.execute("BEGIN IMMEDIATE")
            for entry in entries:
                place, judgement = (entry.student, entry.assignment, entry.task), _judgement(database, entry)
                if database.execute(_LAST, place).fetchone() != (judgement,):
                    database.execute(_GIVE, (now, *place, judgement))
            for reading in readings:
                if reading.handed_in or _was_there(database, reading):
                    database.execute(_READ, (now, *_reading_columns(reading)))

    def latest(self, student: str, assignment: str) -> list[Row]:
        """What a student was told last of every task of an assignment, in the order in which it was told."""
        newest = "SELECT max(id) FROM given WHERE student = ? AND assignment = ? GROUP BY task"
        return list(self._rows(f"WHERE number IN ({newest})", student, assignment))

    def latest_of_all(self, assignment: str) -> Iterator[Row]:
        """What everybody was told last of every task of an assignment."""
        newest = "SELECT max(id) FROM given WHERE assignment = ? GROUP BY student, task"
        yield from self._rows(f"WHERE number IN ({newest})", assignment)

    def readings(self, assignment: str) -> Iterator[Reading]:
        """The last reading of every notebook that was handed in for an assignment."""
        newest = "SELECT max(id) FROM readings WHERE assignment = ? GROUP BY student, notebook"
        query = f"SELECT student, assignment, notebook, handed_in, seconds, notes FROM readings WHERE id IN ({newest})"
        with self._minded():
            for row in self._database().execute(f"{query} ORDER BY id", (assignment,)):
                student, _, notebook, handed_in, seconds, notes = row
                known = tuple(Note(*note) for note in json.loads(notes))
                yield Reading(student, assignment, notebook, bool(handed_in), seconds, known)

    def history(self, student: str, exercise: str) -> list[Row]:
        """All that a student was ever told of an exercise, oldest first."""
        return list(self._rows("WHERE student = ? AND exercise = ?", student, exercise))

    def rows(self, *, assignment: str = "", exercise: str = "", since: str = "") -> Iterator[Row]:
        """All rows, or those of an assignment, of an exercise, from a time on; oldest first."""
        wanted = {"assignment = ?": assignment, "exercise = ?": exercise, "time >= ?": since}
        chosen = {condition: value for condition, value in wanted.items() if value}
        yield from self._rows(f"WHERE {' AND '.join(chosen)}" if chosen else "", *chosen.values())

    def _rows(self, where: str, *values: str) -> Iterator[Row]:
        with self._minded():
            for found in self._database().execute(f"SELECT {_FIELDS} FROM verdicts {where} ORDER BY number", values):
                yield _row(*found)

    def _database(self) -> sqlite3.Connection:
        """The connection of this process; raises ``sqlite3.Error`` if there is none, always after the first trouble."""
        if self.trouble:
            raise sqlite3.OperationalError(self.trouble)
        if self._connection is None or self._process != os.getpid():
            self._connection, self._process = _connect(self.path), os.getpid()
        return self._connection

    @contextmanager
    def _minded(self) -> Iterator[None]:
        """Whatever is wrong with the file ends the block, and is told the first time."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, LookupError) as error:
            if not self.trouble:
                self.trouble = f"{error}".partition("\n")[0] or type(error).__name__
                said = f"{self.path}: {self.trouble}; grading goes on, but no verdict is remembered"
                print(f"autograder: {said}", file=self._stream or sys.stderr, flush=True)


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file and make those tables that are not there; all others stay as they are."""
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # what was written survives the end of the program
        if _version(connection) < len(_VERSIONS):
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                for tables in _VERSIONS[_version(connection) :]:  # none, if somebody was quicker
                    for statement in tables.split(";"):
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {len(_VERSIONS)}")
        if _version(connection) != len(_VERSIONS):
            raise sqlite3.DatabaseError("it was written by a newer version of this program")
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _columns(key: Key) -> tuple[str, str, str, str]:
    return key.answer, key.exercise, key.grader, key.cluster


def _was_there(database: sqlite3.Connection, reading: Reading) -> bool:
    """Whether a notebook was handed in when it was looked for last; of older versions only the verdicts tell."""
    place = (reading.student, reading.assignment)
    last = database.execute(_LAST_READ, (*place, reading.notebook)).fetchone()
    if last is None:
        last = database.execute("SELECT 1 FROM given WHERE student = ? AND assignment = ? LIMIT 1", place).fetchone()
    return last is not None and bool(last[0])


def _reading_columns(reading: Reading) -> tuple[str, str, str, bool, float, str]:
    notes = json.dumps([[note.cell, note.text, note.is_tampering] for note in reading.notes])
    return reading.student, reading.assignment, reading.notebook, reading.handed_in, reading.seconds, notes


def _judgement(database: sqlite3.Connection, entry: Entry) -> int:
    """The id of an entry's judgement, which is written unless it is there."""
    verdict, columns = json.dumps(entry.verdict.to_json(complete=True)), _columns(entry.key)
    known = database.execute(f"SELECT id FROM judgements WHERE {_KEY} AND verdict = ?", (*columns, verdict)).fetchone()
    if known:
        return int(known[0])
    answer = entry.answer.encode("utf-8", "replace").decode()  # SQLite takes no lone surrogates
    drawn = json.dumps(dict(entry.drawn))
    row = (entry.verdict.exercise, *columns, entry.verdict.status.value, verdict, answer, drawn)
    return int(database.execute(_JUDGE, row).lastrowid or 0)


def _row(number: int, when: str, student: str, assignment: str, task: str, *rest: str) -> Row:
    *key, verdict, answer, drawn = rest
    return Row(number, when, Entry(student, assignment, task, Key(*key), _read(verdict), answer, json.loads(drawn)))


@lru_cache(maxsize=1024)
def _read(verdict: str) -> Verdict:
    """A verdict from its JSON; what many students were told is one object."""
    return Verdict.from_json(json.loads(verdict))
