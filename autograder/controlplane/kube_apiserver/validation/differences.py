"""How a changed part of an object differs from what it was, as it stands at the end of some messages."""

from __future__ import annotations

import difflib
import json
from typing import Any


def difference(old: Any, new: Any) -> str:
    """The lines of indented JSON that differ and three around them, as ``diff -u`` but without file names."""
    before, after = (json.dumps(value, indent=1, sort_keys=True).splitlines() for value in (old, new))
    lines = list(difflib.unified_diff(before, after, lineterm=""))[2:]
    return "".join(line + "\n" for line in lines)
