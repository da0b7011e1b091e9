"""What lies in a folder, byte for byte, without following or opening anything that is no plain file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection
from pathlib import Path

Snapshot = dict[str, tuple[int, int, int, str]]


def snapshot(root: Path, without: Collection[str] = ()) -> Snapshot:
    """By path below ``root``: mode, time of the last change, size, digest; ``without`` are beginnings of paths."""
    found: Snapshot = {}
    for where, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = os.path.join(where, name)  # noqa: PTH118  names may hold anything
            key = os.path.relpath(path, root)
            if key.startswith(tuple(without)):
                continue
            status = os.lstat(path)
            digest = ""
            if stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK):
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            is_folder = stat.S_ISDIR(status.st_mode)
            found[key] = (
                status.st_mode,
                0 if is_folder else status.st_mtime_ns,
                0 if is_folder else status.st_size,
                digest,
            )
    return found
