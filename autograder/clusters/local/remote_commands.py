"""Commands in containers and attached clients, as a kubelet serves them to the API server: streams of SPDY/3.1.

The API server turns the websocket of its client into such streams, which are told apart by a header (``streamType``);
the last word is a Status on the one for errors.  Sources: pkg/kubelet/server and the remotecommand package of
Kubernetes, protocol ``v4.channel.k8s.io``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from autograder.controlplane.apimachinery.errors import InternalError, RequestEntityTooLarge, StatusError
from autograder.controlplane.apimachinery.node_connection import ExecResult, Terminal
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.fronts import spdy
from autograder.controlplane.fronts.http import BODY_LIMIT
from autograder.controlplane.fronts.keyboard import Keyboard, on_screen
from autograder.controlplane.fronts.streams import exit_status

PROTOCOL: Final = "v4.channel.k8s.io"
ERROR, STDIN, STDOUT, STDERR, RESIZE = "error", "stdin", "stdout", "stderr", "resize"
_STREAM_TYPE: Final = "streamtype"

Run = Callable[[str], ExecResult]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which streams a client has asked for; a terminal has no stream of its own for errors of the program."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Wanted:
        """By the parameters that the kubelet knows them by."""
        return cls(*(asked.get(name) in ("1", "true") for name in ("input", "output", "error", "tty")))

    def streams(self) -> frozenset[str]:
        """The types of the streams that have to be there before anything is run."""
        wishes = {
            ERROR: True, STDIN: self.stdin, STDOUT: self.stdout, STDERR: self.stderr and not self.tty,
            RESIZE: self.tty,
        }  # fmt: skip
        return frozenset(name for name, wish in wishes.items() if wish)


@dataclass(slots=True)
class RemoteCommand:
    """One client and what runs for it: a command that prints when it has ended (``run``), or a ``terminal``.

    ``feed`` takes in the bytes of the client, none of them to look what was printed; ``over`` says that all is said.
    A terminal of an ``attached`` client has succeeded with whatever code its program ends.
    """

    wanted: Wanted
    run: Run | None = None
    terminal: Terminal | None = None
    attached: bool = False
    over: bool = False
    _session: spdy.Session = field(default_factory=spdy.Session)
    _streams: dict[str, int] = field(default_factory=dict)
    _typed: bytearray = field(default_factory=bytearray)
    _typed_all: bool = False
    _keyboard: Keyboard = field(init=False)

    def __post_init__(self) -> None:
        self._keyboard = Keyboard(tty=self.terminal is not None and self.terminal.is_tty)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What is to be sent for more bytes of the client; raises ``spdy.ProtocolError``."""
        yield from self._session.answers(data, self._open, self._read)
        if self.is_complete and not self.over:
            yield from self._go_on()

    @property
    def is_complete(self) -> bool:
        """Whether all streams are open."""
        return self._streams.keys() == self.wanted.streams()

    def leave(self) -> None:
        """The client has gone."""
        if self.terminal is not None and self.wanted.stdin:
            self.terminal.hang_up()

    def _open(self, opened: spdy.Opened) -> Iterator[bytes]:
        """Take a stream that is wanted and not there yet; every other one is refused."""
        headers = {name.lower(): value for name, value in opened.headers.items()}
        kind = headers.get(_STREAM_TYPE, "")
        if kind not in self.wanted.streams() or kind in self._streams:
            yield self._session.reset(opened.stream)
            return
        self._streams[kind] = opened.stream
        yield self._session.reply(opened.stream)

    def _read(self, received: spdy.Received) -> Iterator[bytes]:
        """Hand over what the client types, or keep it until a command can be run with all of it."""
        if received.stream != self._streams.get(STDIN) or self.over:
            return
        if self.terminal is not None:
            shown, text = self._keyboard.feed(received.data)
            if shown:
                yield from self._say(STDOUT, shown.encode())
            self.terminal.type(text)
            if received.ended:
                self.terminal.hang_up()
            return
        self._typed += received.data
        self._typed_all |= received.ended
        if len(self._typed) > BODY_LIMIT:
            yield from self._end(RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}").status())

    def _go_on(self) -> Iterator[bytes]:
        """Run the command once all of its input is there, or tell what the program has printed."""
        if self.terminal is not None:
            code = self.terminal.exit_code
            for stream, text in self.terminal.poll():
                yield from self._say(stream, on_screen(text, tty=self.terminal.is_tty))
            if code is not None:
                yield from self._end(exit_status(0 if self.attached else code))
        elif self._typed_all or not self.wanted.stdin or self.wanted.tty:
            assert self.run is not None
            try:
                result = self.run(self._typed.decode("utf-8", "replace"))
            except StatusError as error:
                yield from self._end(error.status())
                return
            for stream, text in ((STDOUT, result.stdout), (STDERR, result.stderr)):
                yield from self._say(stream, on_screen(text, tty=self.wanted.tty))
            yield from self._end(
                InternalError.because(result.failure).status() if result.failure else exit_status(result.code)
            )

    def _say(self, stream: str, content: bytes) -> Iterator[bytes]:
        """What a program prints; a terminal shows errors among the rest."""
        number = self._streams.get(STDOUT if self.wanted.tty else stream)
        if content and number is not None:
            yield self._session.send(number, content)

    def _end(self, status: Object) -> Iterator[bytes]:
        """Close what the program printed on, and say how it ended; of success nothing need be said."""
        self.over = True
        for name in (STDOUT, STDERR):
            if name in self._streams:
                yield self._session.send(self._streams[name], b"", end=True)
        if ERROR in self._streams:
            yield self._session.send(self._streams[ERROR], json.dumps(status).encode(), end=True)
