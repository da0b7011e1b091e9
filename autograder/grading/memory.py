"""What a process that judges remembers: verdicts of the ledger, and those that it came to itself."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from autograder.checks.verdict import Verdict
from autograder.grading.digests import Key
from autograder.grading.ledger import FILE, NOT_REUSED, Ledger

#: Verdicts of its own that a process keeps; when there are more it begins anew.
OWN_LIMIT: Final = 2000


class Memory:
    """Verdicts by what decides them.

    ``course``: look into its ledger, which lies on this machine.  ``known``: verdicts as JSON, where it does not.
    A copy of it in another process opens the ledger there, only ever reads, and says nothing of trouble: whoever writes
    the ledger has met the same.  As a context manager it closes the ledger that this process has opened.
    """

    def __init__(self, course: Path | None = None, known: Mapping[Key, str] | None = None) -> None:
        self._course, self._known = course, known or {}
        self._own: dict[Key, Verdict] = {}
        self._ledger = Ledger(course / FILE, io.StringIO()) if course else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ledger:
            self._ledger.close()

    def __reduce__(self) -> tuple[type[Memory], tuple[Any, ...]]:
        return Memory, (self._course, self._known)

    def find(self, key: Key) -> Verdict | None:
        """The verdict with this key, if there is one that may be used again."""
        if key in self._own:
            return self._own[key]
        if key in self._known:
            return Verdict.from_json(json.loads(self._known[key]))
        return self._ledger.find(key) if self._ledger else None

    def keep(self, key: Key, verdict: Verdict) -> None:
        """Remember a verdict for the next one who answers the same."""
        if verdict.status not in NOT_REUSED:
            if len(self._own) >= OWN_LIMIT:
                self._own.clear()
            self._own[key] = verdict
