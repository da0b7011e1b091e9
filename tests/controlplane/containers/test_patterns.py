"""What a shell takes off a text by a pattern, in time that grows with the text only."""

from __future__ import annotations

import fnmatch
import time
from random import Random

import pytest

from autograder.controlplane.containers.patterns import without_prefix, without_suffix


@pytest.mark.parametrize(
    ("pattern", "shortest", "longest"),
    [
        ("*.", "b.c", "c"),
        ("a?", "b.c", "b.c"),
        ("[a-c]*", ".b.c", ""),
        ("[!a]*", "a.b.c", "a.b.c"),
        ("[c-a]*", "a.b.c", "a.b.c"),
        ("*", "a.b.c", ""),
        ("", "a.b.c", "a.b.c"),
        ("[", "a.b.c", "a.b.c"),
    ],
)
def test_takes_off_a_beginning(pattern: str, shortest: str, longest: str) -> None:
    assert without_prefix("a.b.c", pattern, longest=False) == shortest
    assert without_prefix("a.b.c", pattern, longest=True) == longest


def test_is_right_for_any_pattern_and_text() -> None:
    dice = Random(1)
    for _ in range(3000):
        pattern = "".join(dice.choices(["a", "b", "*", "?", "[ab]", "[!a]", "[b-a]", "[a-b]", ".", "[", "]"], k=4))
        text = "".join(dice.choices("aab.[", k=7))
        fits = [size for size in range(len(text) + 1) if fnmatch.fnmatchcase(text[:size], pattern)] or [0]
        assert without_prefix(text, pattern, longest=False) == text[fits[0] :]
        assert without_prefix(text, pattern, longest=True) == text[fits[-1] :]
        ends = [size for size in range(len(text) + 1) if fnmatch.fnmatchcase(text[len(text) - size :], pattern)] or [0]
        assert without_suffix(text, pattern, longest=False) == text[: len(text) - ends[0]]
        assert without_suffix(text, pattern, longest=True) == text[: len(text) - ends[-1]]


@pytest.mark.parametrize("pattern", ["*x", "*b*a*x", "*" * 900 + "x", "[" * 5000, "a" * 5000])
def test_a_long_text_costs_little(pattern: str) -> None:
    text = "ab" * 250_000
    begun = time.process_time()
    assert without_prefix(text, pattern, longest=True) == text
    assert without_suffix(text, pattern, longest=False) == text
    assert time.process_time() - begun < 20
