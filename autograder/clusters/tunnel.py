"""What follows an upgraded request (``kubectl exec``): bytes in both directions, until one end has no more."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Final

_PIECE: Final = 64 * 1024


def join(one: socket.socket, other: socket.socket) -> None:
    """Pass on what each of two connections sends, until both have ended; closes ``other``."""
    with other:
        back = threading.Thread(target=_copy, args=(other, one), name="tunnel", daemon=True)
        back.start()
        _copy(one, other)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # an end that has left
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
