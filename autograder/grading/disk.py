"""Opening what lies on a disk: files of others with care, and errors in words that name the file and what to do."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

#: What to do about errors that do not say it.
_HINTS: Final = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EROFS: "it is on a disk that may only be read",
    errno.EFBIG: "files may not grow so large there",
}

#: Not through a link, and not waiting for somebody to write into a pipe.  Windows has neither.
_CAREFULLY: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
)


class NotPlain(OSError):
    """What stands there is no plain file."""


@contextmanager
def plain_file(path: Path) -> Iterator[BinaryIO]:
    """A file that somebody else may be changing for something else meanwhile, opened for reading.

    Raises ``NotPlain`` for a link, a folder or a device, and other OSErrors.
    """
    if not stat.S_ISREG(path.lstat().st_mode):  # opening it may already do something
        raise NotPlain(f"{path} is no plain file")
    try:
        handle = os.open(path, _CAREFULLY)
    except OSError as error:
        raise NotPlain(f"{path} is no plain file") if error.errno == errno.ELOOP else error from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotPlain(f"{path} is no plain file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(handle)


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
