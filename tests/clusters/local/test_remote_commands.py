"""Commands and attached clients over SPDY, as the kubelets of a local cluster serve them to the API server."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import pytest

from autograder.clusters.local.remote_commands import RemoteCommand, Run, Wanted
from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.node_connection import ExecResult
from autograder.controlplane.fronts import spdy
from autograder.controlplane.fronts.http import BODY_LIMIT

SYN_STREAM, RST_STREAM, PING, SETTINGS, WINDOW_UPDATE = 1, 3, 6, 4, 9
FIN = 0x01
ERROR, STDIN, STDOUT, STDERR, RESIZE = 1, 3, 5, 7, 9
NUMBERS = {"error": ERROR, "stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "resize": RESIZE}
PRINTS = Wanted(stdout=True, stderr=True)
READS = Wanted(stdin=True, stdout=True, stderr=True)
TYPES = Wanted(stdin=True, stdout=True, tty=True)


class Client:
    """The API server's side of a session with a command."""

    def __init__(self, command: RemoteCommand) -> None:
        self.command = command
        self._deflate = zlib.compressobj(zdict=spdy.DICTIONARY)
        self._buffer = b""
        #: What came on each stream, those that have ended, and control frames: kind and stream or number.
        self.heard: dict[int, bytes] = {}
        self.ended: list[int] = []
        self.controls: list[tuple[int, int]] = []

    def send(self, data: bytes) -> None:
        self._buffer += b"".join(self.command.feed(data))
        while len(self._buffer) >= 8:
            first, second = struct.unpack_from(">II", self._buffer)
            length = second & 0xFFFFFF
            content, self._buffer = self._buffer[8 : 8 + length], self._buffer[8 + length :]
            if first >> 31:
                self.controls.append((first & 0xFFFF, struct.unpack_from(">I", content)[0]))
                continue
            self.heard[first] = self.heard.get(first, b"") + content
            if second >> 24 & FIN:
                self.ended.append(first)

    def open(self, *kinds: str) -> None:
        for kind in kinds:
            text = struct.pack(">I", 1)
            text += b"".join(struct.pack(">I", len(word)) + word for word in (b"streamtype", kind.encode()))
            packed = self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            self.send(control(SYN_STREAM, struct.pack(">IIH", NUMBERS.get(kind, 99), 0, 0) + packed))

    def type(self, data: bytes, *, end: bool = False) -> None:
        self.send(struct.pack(">II", STDIN, (FIN if end else 0) << 24 | len(data)) + data)

    @property
    def status(self) -> Any:
        return json.loads(self.heard[ERROR])


def control(kind: int, content: bytes) -> bytes:
    return struct.pack(">HHI", 0x8003, kind, len(content)) + content


class FakeTerminal:
    """A program that prints in capitals what is typed to it, and ends at ``exit``."""

    def __init__(self, *, tty: bool = True, code: int = 0) -> None:
        self.is_tty = tty
        self.exit_code: int | None = None
        self.hung_up = False
        self._code = code
        self._printed = [("stdout", "$ ")]

    def poll(self) -> list[tuple[str, str]]:
        printed, self._printed = self._printed, []
        return printed

    def type(self, text: str) -> None:
        self._printed.append(("stderr" if "error" in text else "stdout", text.upper()))
        if "exit" in text:
            self.exit_code = self._code

    def hang_up(self) -> None:
        self.hung_up = True


def running(wanted: Wanted, run: Run) -> Client:
    client = Client(RemoteCommand(wanted, run))
    client.open(*(name for name in NUMBERS if name in wanted.streams()))
    return client


def typing(terminal: FakeTerminal, wanted: Wanted = TYPES, *, attached: bool = False) -> Client:
    client = Client(RemoteCommand(wanted, None, terminal, attached))
    client.open(*(name for name in NUMBERS if name in wanted.streams()))
    return client


def test_a_command_runs_when_all_its_streams_are_there() -> None:
    asked: list[str] = []

    def run(stdin: str) -> ExecResult:
        asked.append(stdin)
        return ExecResult("out\n", "err\n", 0)

    client = Client(RemoteCommand(PRINTS, run))
    client.open("error", "stdout")
    assert not asked
    assert not client.command.is_complete
    client.open("stderr")
    assert asked == [""]
    assert (client.heard[STDOUT], client.heard[STDERR]) == (b"out\n", b"err\n")
    assert client.status["status"] == "Success"
    assert client.ended == [STDOUT, STDERR, ERROR]
    assert client.command.over


def test_an_exit_code_is_said_on_the_stream_for_errors() -> None:
    status = running(PRINTS, lambda _: ExecResult("", "", 3)).status
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


def test_why_a_command_could_not_be_run_is_no_exit_code() -> None:
    status = running(PRINTS, lambda _: ExecResult("", "", 126, "no such file")).status
    assert status["reason"] == "InternalError"
    assert status["message"] == "Internal error occurred: no such file"


def test_a_container_that_has_ended_meanwhile_is_told() -> None:
    def run(_: str) -> ExecResult:
        raise BadRequest("gone")

    assert running(PRINTS, run).status["message"] == "gone"


def test_a_command_that_reads_runs_with_all_of_it() -> None:
    client = running(READS, lambda stdin: ExecResult(stdin.upper(), "", 0))
    client.type(b"one ")
    assert STDOUT not in client.heard
    client.type(b"two", end=True)
    assert client.heard[STDOUT] == b"ONE TWO"


def test_a_client_that_gives_its_input_up_has_sent_all() -> None:
    client = running(READS, lambda stdin: ExecResult(stdin, "", 0))
    client.type(b"half")
    client.send(control(RST_STREAM, struct.pack(">II", STDIN, 5)))
    assert client.heard[STDOUT] == b"half"


def test_input_has_a_bound() -> None:
    client = running(READS, lambda stdin: ExecResult(stdin, "", 0))
    for _ in range(BODY_LIMIT // 2**20 + 1):
        client.type(b"x" * 2**20)
    assert client.status["code"] == 413
    assert client.command.over


def test_a_terminal_has_one_stream_for_all_that_is_printed() -> None:
    client = running(Wanted(stdout=True, stderr=True, tty=True), lambda _: ExecResult("out\n", "err\n", 0))
    assert client.heard[STDOUT] == b"out\r\nerr\r\n"
    assert STDERR not in client.heard


@pytest.mark.parametrize(("attached", "status"), [(False, "Failure"), (True, "Success")])
def test_a_shell_shows_what_is_typed_and_ends_with_its_code(attached: bool, status: str) -> None:
    terminal = FakeTerminal(code=5)
    client = typing(terminal, attached=attached)
    assert client.heard[STDOUT] == b"$ "
    client.type(b"ls\r")
    assert client.heard[STDOUT] == b"$ ls\r\nLS\r\n"
    assert not client.command.over
    client.type(b"exit\r")
    assert client.status["status"] == status


def test_what_a_program_prints_later_comes_without_a_word_of_the_client() -> None:
    terminal = FakeTerminal(tty=False)
    client = typing(terminal, READS)
    terminal.type("error\n")
    client.send(b"")
    assert client.heard[STDERR] == b"ERROR\n"


def test_who_leaves_types_no_more() -> None:
    terminal = FakeTerminal()
    typing(terminal).command.leave()
    assert terminal.hung_up
    onlooker = FakeTerminal()
    typing(onlooker, PRINTS).command.leave()
    assert not onlooker.hung_up


@pytest.mark.parametrize("kind", ["stdin", "stdout", "nonsense", ""])
def test_streams_that_nobody_asked_for_or_twice_are_refused(kind: str) -> None:
    client = Client(RemoteCommand(PRINTS, lambda _: ExecResult("", "", 0)))
    client.open("error", "stdout")
    client.open(kind)
    assert client.controls[-1] == (RST_STREAM, NUMBERS.get(kind, 99))


def test_pings_are_answered_and_settings_are_nothing_to_us() -> None:
    client = running(READS, lambda stdin: ExecResult(stdin, "", 0))
    client.send(control(PING, struct.pack(">I", 7)))
    assert client.controls[-1] == (PING, 7)
    before = list(client.controls)
    client.send(control(SETTINGS, struct.pack(">I", 0)) + control(WINDOW_UPDATE, struct.pack(">II", STDIN, 100)))
    assert client.controls == before
    assert not client.command.over


def test_what_is_no_spdy_is_an_error() -> None:
    client = running(READS, lambda stdin: ExecResult(stdin, "", 0))
    with pytest.raises(spdy.ProtocolError):
        client.send(b"\x80\x02\x00\x01\x00\x00\x00\x00")


@pytest.mark.parametrize(
    ("asked", "streams"),
    [
        ({"output": "1", "error": "1"}, {"error", "stdout", "stderr"}),
        ({"input": "1", "output": "true", "tty": "1"}, {"error", "stdin", "stdout", "resize"}),
        ({"input": "0"}, {"error"}),
    ],
)
def test_parameters_say_which_streams_there_are(asked: dict[str, str], streams: set[str]) -> None:
    assert Wanted.of(asked).streams() == streams
