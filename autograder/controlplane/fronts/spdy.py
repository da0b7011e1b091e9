"""SPDY/3.1, as far as clients of kubelets use it: streams that a client opens, and bytes that go both ways.

One ``Session`` is one connection. It does no input or output itself: bytes of the client go in by ``feed``, which tells
what they say, and the other methods give the bytes that are to be sent. There is no flow control, as in the library
that kubectl uses. Source: the draft of SPDY protocol 3.1, https://www.chromium.org/spdy/spdy-protocol.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

_VERSION: Final = 3
_CONTROL: Final = 0x8000
_FIN: Final = 0x01
_HEADER: Final = 8
#: No frame and no block of headers of an honest client is longer.
FRAME_LIMIT: Final = 1024 * 1024
HEADERS_LIMIT: Final = 64 * 1024
STREAMS_LIMIT: Final = 1024


class _Type(IntEnum):
    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    PING = 6
    GOAWAY = 7


#: What headers are compressed with: words with their lengths before them, and a text.
_WORDS: Final = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
).replace("_", "\0").split()  # fmt: skip
_TEXT: Final = (
    b"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    b"Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    b"Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    b"00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    b"application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset="
    b"iso-8859-1,utf-,*,enq=0."
)


def _prefixed(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


DICTIONARY: Final = b"".join(_prefixed(word.replace("\0", " ").encode()) for word in _WORDS) + _TEXT


class ProtocolError(ValueError):
    """The other side does not speak SPDY/3.1."""


class Opened(NamedTuple):
    """The client has opened a stream."""

    stream: int
    headers: Mapping[str, str]
    ended: bool


class Received(NamedTuple):
    """Bytes of the client on a stream; ``ended`` says that no more will come."""

    stream: int
    data: bytes
    ended: bool


class Reset(NamedTuple):
    """The client has given a stream up."""

    stream: int


class Pinged(NamedTuple):
    """The client wants to hear the number again."""

    number: int


class Left(NamedTuple):
    """The client opens no streams any more."""


Event = Opened | Received | Reset | Pinged | Left


class Session:
    """One connection, as the server sees it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Event]:
        """What more bytes of the client say, in order; raises ``ProtocolError``."""
        self._buffer += data
        while len(self._buffer) >= _HEADER:
            first, second = struct.unpack_from(">II", self._buffer)
            length, flags = second & 0xFFFFFF, second >> 24
            if length > FRAME_LIMIT:
                raise ProtocolError(f"a frame of {length} bytes is too long")
            if len(self._buffer) < _HEADER + length:
                return
            content = bytes(self._buffer[_HEADER : _HEADER + length])
            del self._buffer[: _HEADER + length]
            if not first >> 31:
                yield Received(first, content, bool(flags & _FIN))
            else:
                yield from self._control(first >> 16 & 0x7FFF, first & 0xFFFF, flags, content)

    def answers(
        self,
        data: bytes,
        opened: Callable[[Opened], Iterator[bytes]],
        received: Callable[[Received], Iterator[bytes]],
    ) -> Iterator[bytes]:
        """What is to be sent for more bytes of the client, as the two functions say; raises ``ProtocolError``.

        A stream that was given up has ended, and pings are answered.
        """
        for event in self.feed(data):
            match event:
                case Opened():
                    yield from opened(event)
                case Received():
                    yield from received(event)
                case Reset(stream):
                    yield from received(Received(stream, b"", ended=True))
                case Pinged(number):
                    yield self.pong(number)

    def _control(self, version: int, kind: int, flags: int, content: bytes) -> Iterator[Event]:
        if version != _VERSION:
            raise ProtocolError(f"version {version} is not spoken here")
        try:
            if kind == _Type.SYN_STREAM:
                (stream,) = struct.unpack_from(">I", content)
                yield Opened(stream & 0x7FFFFFFF, self._headers(content[10:]), bool(flags & _FIN))
            elif kind == _Type.RST_STREAM:
                yield Reset(struct.unpack_from(">I", content)[0] & 0x7FFFFFFF)
            elif kind == _Type.PING:
                yield Pinged(struct.unpack_from(">I", content)[0])
            elif kind == _Type.GOAWAY:
                yield Left()
        except struct.error as error:
            raise ProtocolError("a frame is too short") from error

    def _headers(self, packed: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(packed, HEADERS_LIMIT)
        except zlib.error as error:
            raise ProtocolError("headers cannot be read") from error
        if self._inflate.unconsumed_tail:
            raise ProtocolError("headers are too long")
        (count,) = struct.unpack_from(">I", text)
        position, texts = 4, []
        for _ in range(2 * min(count, HEADERS_LIMIT)):
            (length,) = struct.unpack_from(">I", text, position)
            if position + 4 + length > len(text):
                raise ProtocolError("headers are cut off")
            texts.append(text[position + 4 : position + 4 + length].decode("latin-1"))
            position += 4 + length
        return dict(zip(texts[::2], texts[1::2], strict=True))

    def reply(self, stream: int) -> bytes:
        """A stream is accepted."""
        nothing = struct.pack(">I", 0)
        packed = self._deflate.compress(nothing) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control_frame(_Type.SYN_REPLY, struct.pack(">I", stream) + packed)

    def send(self, stream: int, data: bytes, *, end: bool = False) -> bytes:
        """Bytes on a stream, and maybe its end."""
        parts = [data[at : at + FRAME_LIMIT] for at in range(0, len(data), FRAME_LIMIT)] or [b""]
        last = len(parts) - 1
        return b"".join(
            struct.pack(">II", stream, (_FIN if end and place == last else 0) << 24 | len(part)) + part
            for place, part in enumerate(parts)
        )

    def reset(self, stream: int) -> bytes:
        """A stream is refused."""
        return _control_frame(_Type.RST_STREAM, struct.pack(">II", stream, 3))

    def pong(self, number: int) -> bytes:
        """The answer to ``Pinged``."""
        return _control_frame(_Type.PING, struct.pack(">I", number))


def _control_frame(kind: _Type, content: bytes) -> bytes:
    return struct.pack(">HHI", _CONTROL | _VERSION, kind, len(content)) + content
