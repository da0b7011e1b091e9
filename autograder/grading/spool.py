"""What was found out about a class, on the disk, so that a class of any size takes little memory.

Nothing of it outlives the run: the file has no name, and what must be kept is in the ledger already.
"""

from __future__ import annotations

import pickle
import tempfile
import weakref
import zlib
from array import array
from collections.abc import Sequence
from os import SEEK_END
from pathlib import Path
from typing import Final, TypeVar, overload

from autograder.grading.disk import naming

Item = TypeVar("Item")

#: Bytes up to which there is no file.
IN_MEMORY: Final = 4 * 1024 * 1024
#: Seconds count more than bytes here.
_LEVEL: Final = 1
_LENGTH: Final = 4


class Spool(Sequence[Item]):
    """So many items, each put in its place once, in any order, and read again when it is asked for.

    Raises OSError when the disk is full, and ``LookupError`` for an item that was never put.
    """

    def __init__(self, count: int) -> None:
        self._places = array("q", [-1]) * count
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  closed when nobody reads it any more
        self._finalizer = weakref.finalize(self, self._file.close)

    def put(self, index: int, item: Item) -> None:
        """Write an item."""
        data = zlib.compress(pickle.dumps(item, pickle.HIGHEST_PROTOCOL), _LEVEL)
        with naming(Path(tempfile.gettempdir())):
            self._file.seek(0, SEEK_END)
            place = self._file.tell()
            self._file.write(len(data).to_bytes(_LENGTH, "big") + data)
        self._places[index] = place

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        place = self._places[index]
        if place < 0:
            raise LookupError(f"nothing was put at {index}")
        self._file.seek(place)
        data = self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))
        item: Item = pickle.loads(zlib.decompress(data))
        return item
