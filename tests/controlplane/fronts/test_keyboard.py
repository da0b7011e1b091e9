"""What a terminal makes of keys."""

from __future__ import annotations

import pytest

from autograder.controlplane.fronts.keyboard import Keyboard, on_screen


@pytest.mark.parametrize(
    ("keys", "shown", "text"),
    [
        ("ls\r", "ls\r\n", "ls\n"),
        ("a\nb\n", "a\r\nb\r\n", "a\nb\n"),
        ("lx\x7fs\r", "lx\b \bs\r\n", "ls\n"),
        ("\x7f\x7f\r", "\r\n", "\n"),
        ("rm -rf\x15ls\r", "rm -rf" + "\b \b" * 6 + "ls\r\n", "ls\n"),
        ("sleep\x03", "sleep^C\r\n", "\n"),
        ("\x04", "", "\x04"),
        ("ab\x04", "ab", "ab"),
        ("\x1b[A\x1b[1;5Cls\x1bOH\r", "ls\r\n", "ls\n"),
        ("é\r", "é\r\n", "é\n"),
    ],
)
def test_a_line_is_shown_edited_and_handed_over_whole(keys: str, shown: str, text: str) -> None:
    keyboard = Keyboard(tty=True)
    pieces = [keyboard.feed(bytes([byte])) for byte in keys.encode()]
    assert "".join(piece.shown for piece in pieces) == shown
    assert "".join(piece.text for piece in pieces) == text


def test_without_a_terminal_all_is_handed_over_as_it_comes() -> None:
    keyboard = Keyboard(tty=False)
    assert keyboard.feed(b"a\x7f\xc3") == ("", "a\x7f")
    assert keyboard.feed(b"\xa9\n") == ("", "é\n")


def test_a_line_without_end_is_cut_off() -> None:
    keyboard = Keyboard(tty=True)
    keyboard.feed(b"x" * 1_000_000)
    assert len(keyboard.feed(b"\r").text) < 100_000


def test_a_terminal_begins_each_line_at_its_beginning() -> None:
    assert (on_screen("a\nb\n", tty=True), on_screen("a\nb\n", tty=False)) == (b"a\r\nb\r\n", b"a\nb\n")
