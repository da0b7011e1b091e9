"""What the system says when a file cannot be read or written, in words that name the file and what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: What to do about errors that do not say it.
_HINTS: Final = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EROFS: "it is on a disk that may only be read",
    errno.EFBIG: "files may not grow so large there",
}


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error tell which file it is about, which the system does only when a file is opened."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def in_words(error: Exception) -> str:
    """An error as a line for people."""
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    said = f"{error.filename}: {error.strerror}"
    hint = _HINTS.get(error.errno or 0)
    return f"{said}; {hint}" if hint else said
