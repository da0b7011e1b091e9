"""What a text that a student reads gives away: whether a name or an answer stands in it, or a part of the solution."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

_NUMBERS: Final = "no one two three four five six seven eight nine ten eleven twelve".split()
#: Answers that stand in many a sentence and give nothing away.
PLAIN_WORDS: Final = frozenset({"", "yes", "no"})
_TOKEN: Final = re.compile(r"[\w./:-]+")


def stands_in(value: str, text: str) -> bool:
    """Whether a name or value stands in a text as a word of its own; small numbers may be written out."""
    words = [value]
    if value.isdecimal() and int(value) < len(_NUMBERS):
        words.append(_NUMBERS[int(value)])
    return any(is_word_of(word, text) for word in words)


def is_word_of(word: str, text: str) -> bool:
    """Whether a word stands in a text just so, in small or large letters."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) is not None


def shared_run(hint: str, solution: str) -> list[str]:
    """The longest run of words, names and values that a hint has in common with the solution."""
    words, others = _TOKEN.findall(hint), _TOKEN.findall(solution)
    match = SequenceMatcher(None, words, others, autojunk=False).find_longest_match()
    return words[match.a : match.a + match.size]
