"""Texts of students are shown such that nothing hides in them, and their names make safe names of files."""

from __future__ import annotations

import pytest

from autograder.grading.reports.cleaning import cut, file_name, one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nginx:1.27", "nginx:1.27"),
        ("a\x00b", "a⟨U+0000⟩b"),
        ("\x1b[31mred", "⟨U+001B⟩[31mred"),
        ("file\u202elmth.exe", "file⟨U+202E⟩lmth.exe"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("tab\tand\nline\r\nend", "tab\tand\nline\nend"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Zoë 李", "Zoë 李"),
    ],
)
def test_what_hides_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_cut_off_is_said() -> None:
    assert cut("x" * 10_000, 5) == "xxxxx … (9,995 more characters)"
    assert one_line(" a\n\n b\tc ") == "a b c"


@pytest.mark.parametrize("name", ["ada", "s1234567", "ada.lovelace@example.org", "a-b_c", "07-pods"])
def test_plain_names_stay(name: str) -> None:
    assert file_name(name) == name


HOSTILE = [
    "", ".", "..", "../../etc/passwd", "a/b", "a\\b", "C:evil", "con", "nul.html", "Ada", "ADA", "x" * 500, "a.", "-rf",
    "\u202eada", "a\x00b", "=cmd()", "a b", "\ud800", ".hidden", "<script>",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_others_get_one_that_every_file_system_takes(name: str) -> None:
    made = file_name(name)
    assert made.isascii() and made == made.lower() and 0 < len(made) <= 80
    assert not set(made) & set('/\\:*?"<>| \0') and made[0] not in ".-" and not made.endswith(".")
    assert made.partition(".")[0] not in ("con", "nul")


def test_different_names_make_different_files() -> None:
    assert len({file_name(name) for name in [*HOSTILE, "ada"]}) == len(HOSTILE) + 1
