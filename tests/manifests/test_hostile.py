"""Bad input gets one clear answer, soon, and harms nothing."""

from __future__ import annotations

import time

import pytest

from autograder.manifests import Limits, parse

TOO_MANY_VALUES = "the manifest has more than 200,000 values, each alias counted as what it stands for; make it smaller"
TOO_DEEP = "maps and lists are nested more than 100 deep here; no Kubernetes object needs that"
NOT_ALLOWED = "is not allowed; a manifest is plain data; leave the tag out"


def laughs() -> str:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


def merges() -> str:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}, <<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 60)]
    return "\n".join(lines)


def chain() -> str:
    return "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))


CASES: dict[str, tuple[str | bytes, str]] = {
    "a billion laughs": (laughs(), f"6:10: {TOO_MANY_VALUES}"),
    "a billion merges": (merges(), f"9:21: {TOO_MANY_VALUES}"),
    "a deep chain of aliases": (chain(), f"100:12: {TOO_DEEP}"),
    "a Python tag": (
        "a: !!python/object/apply:os.system ['id']",
        f"1:4: a: the tag `!!python/object/apply:os.system` {NOT_ALLOWED}",
    ),
    "a Python name": ("a: !!python/name:os.system", f"1:4: a: the tag `!!python/name:os.system` {NOT_ALLOWED}"),
    "a tag of one's own": ("a: !vault x", f"1:4: a: the tag `!vault` {NOT_ALLOWED}"),
    "a tagged map": ("a: !!set {b: }", f"1:4: a: the tag `!!set` {NOT_ALLOWED}"),
    "duplicate keys": (
        "spec:\n  image: a\n  name: b\n  image: c\n",
        "4:3: spec.image: `image` is given twice: first at line 2; keep one of them",
    ),
    "duplicate keys on one line": (
        "{a: 1, a: 2}",
        "1:8: a: `a` is given twice: first at column 2; keep one of them",
    ),
    "duplicate keys in JSON": (
        '{"a": 1,\n"a": 2}',
        "2:1: a: `a` is given twice: first at line 1; keep one of them",
    ),
    "duplicate keys as JSON sees them": (
        "1: a\n'1': b\n",
        "2:1: 1: `1` is given twice: first at line 1; keep one of them".replace(": 1: ", ": [1]: "),
    ),
    "2 MB": (
        b"a: " + b"x" * 2_000_000,
        "1:1: the manifest has 2,000,003 bytes, and at most 1,048,576 are read; make it smaller",
    ),
    "2 MB of umlauts as text": (
        "ä" * 1_000_000,
        "1:1: the manifest has 2,000,000 bytes, and at most 1,048,576 are read; make it smaller",
    ),
    "a NUL byte": (b"a: 1\nb: \0\n", "2:4: there is a NUL character here; delete it"),
    "a NUL byte in JSON": (b'{"a": "\0"}', "1:8: there is a NUL character here; delete it"),
    "a control character": (
        "a: \x07",
        "1:4: the character U+0007 cannot be seen, and YAML does not allow it; delete it",
    ),
    "half a surrogate pair": (
        "a: \ud800",
        "1:4: the character U+D800 cannot be seen, and YAML does not allow it; delete it",
    ),
    "Latin-1": (
        "a: 1\nb: café\n".encode("latin-1"),
        "2:7: byte 0xE9 is not UTF-8 (byte 12 of the file); save the file as UTF-8",
    ),
    "UTF-16 with a mark": (
        "a: 1".encode("utf-16"),
        "1:1: this is UTF-16, and a manifest is UTF-8; save the file as UTF-8",
    ),
    "UTF-16 without": (
        "a: 1".encode("utf-16-be"),
        "1:1: this is UTF-16, and a manifest is UTF-8; save the file as UTF-8",
    ),
    "10,000 deep lists": ("[" * 10_000, f"1:101: {TOO_DEEP}"),
    "10,000 deep maps": ("{a: " * 10_000, f"1:401: {TOO_DEEP}"),
    "10,000 deep dashes": ("- " * 10_000, f"1:201: {TOO_DEEP}"),
    "10,000 deep keys": ("? " * 10_000, f"1:201: {TOO_DEEP}"),
    "10,000 deep JSON": ('{"a":' * 10_000, f"1:501: {TOO_DEEP}"),
    "10,000 documents": ("---\na: 1\n" * 10_000, "2002:1: the manifest has more than 1,000 documents; make it smaller"),
    "10,000 separators": ("---\n" * 10_000, "1002:1: the manifest has more than 1,000 documents; make it smaller"),
    "10,000 items": (
        '{"kind": "List", "items": [' + ",".join(["{}"] * 10_000) + "]}",
        "1:3028: the manifest has more than 1,000 documents; make it smaller",
    ),
    "a list of 260,000 values": ("- a\n" * 260_000, f"200000:3: {TOO_MANY_VALUES}"),
    "a number beyond all floats in JSON": ('{"a": 1e999}', "1:7: a: this number is too large"),
}


@pytest.mark.parametrize(("text", "message"), CASES.values(), ids=CASES)
def test_bad_input_gets_one_clear_answer(text: str | bytes, message: str) -> None:
    assert [str(problem) for problem in parse(text, source="m").problems] == [f"m:{message}"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * (1 << 20),
        "- " * (1 << 19),
        "? " * (1 << 19),
        "*a " * (1 << 18),
        '"' + "\n" * ((1 << 20) - 1),
        "---\n" * (1 << 18),
    ],
    ids=["brackets", "dashes", "question marks", "aliases", "an open quote", "separators"],
)
def test_a_megabyte_of_trouble_is_read_in_bounded_time(text: str) -> None:
    begin = time.process_time()
    assert parse(text).problems
    assert time.process_time() - begin < 2


def test_beyond_a_limit_nothing_is_handed_out() -> None:
    assert parse("a: 1\n---\nb: 2\n", limits=Limits(documents=1)).documents == ()


def test_at_most_so_many_problems_are_listed() -> None:
    problems = parse("a: 1\n" * 1000, limits=Limits(problems=10)).problems
    assert len(problems) == 11
    assert str(problems[-1]) == "there are more problems than these; solve these first"
