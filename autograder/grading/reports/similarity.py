"""Which answers resemble each other more than chance explains: a hint where to look, never a verdict.

An answer is normalised: comments, the order of keys and the looks of the text are dropped, names and labels stand for
nothing, values that were drawn for the student are put back into their parameters.  What is left is a row of tokens
(a field and its value, or the words of a command), cut into shingles of three neighbours.

An exercise has few right answers, and who knows the answer writes one of them.  So all that stands in the starter, the
solution, the accepted variants and the mistakes that the exercise foresees is discounted, and so is what many in the
class wrote.  What two students have left is their own: mistakes, detours, additions.  Their likeness is the part of it
that they share (Jaccard).  Answers with little of their own are not compared at all.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from autograder.grading.reports.results import Results
from autograder.manifests import parse

#: Tokens of a shingle: with fewer, answers agree by chance; with more, one changed value hides a whole copy.
WIDTH: Final = 3
#: Shingles of its own that an answer must have to be compared.  A value that differs from all that is known makes
#: three, so this is more than two such values: two mistakes in common may be chance.
LEAST: Final = 8
#: The part of their own content that two answers must share.  A value that was changed in a copy breaks three shingles
#: in both; of twelve that leaves 9/15.  Whoever changes more than that has worked at it.
THRESHOLD: Final = 0.6
#: What this many wrote is common knowledge: at least 4, and one in twenty of a class.
COMMON, COMMON_PART = 4, 20
#: Pieces of what is shared that a report shows.
SHOWN: Final = 4

Shingle = tuple[str, ...]

#: Fields whose value is a name that somebody chose.
_NAMES: Final = frozenset(
    "name namespace generateName claimName secretName configMapName serviceName serviceAccountName volumeName hostname "
    "subdomain app key".split()
)
#: Maps whose keys are chosen too.
_LABELS: Final = frozenset("labels matchLabels annotations selector nodeSelector data stringData".split())
_NAME: Final = "·"
#: Flags of kubectl whose value is a name.
_NAME_FLAGS: Final = re.compile(r"(-n|-l|-c|--namespace|--selector|--container|--name|--labels|--to|--from)(=|$)")
_WORD: Final = re.compile(r"[^\s:,{}\[\]\"']+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two students whose answers to an exercise resemble each other; ``shared`` of ``own`` shingles are in both."""

    exercise: str
    one: str
    other: str
    similarity: float
    shared: int
    own: int
    examples: tuple[str, ...] = ()


def similar(results: Results) -> list[Pair]:
    """The pairs of the whole class, most alike first."""
    texts: dict[str, list[tuple[str, str, Mapping[str, str]]]] = defaultdict(list)
    for submission in results.submissions:
        for answer in submission.exercises:
            if answer.answer is not None:
                texts[answer.exercise].append((submission.student, answer.answer.text, answer.values))
    found: list[Pair] = []
    for exercise in results.exercises:
        rows = [tokens(text, exercise.form, exercise.values) for text in exercise.known]
        known = {shingle for row in rows for shingle in shingles(row)}
        answers = {
            student: set(shingles(tokens(text, exercise.form, values))) - known
            for student, text, values in texts[exercise.id]
        }
        found += pairs(exercise.id, answers, {token for row in rows for token in row})
    return sorted(found, key=lambda pair: (-pair.similarity, -pair.shared, pair.exercise, pair.one, pair.other))


def pairs(exercise: str, answers: Mapping[str, set[Shingle]], familiar: Set[str]) -> Iterator[Pair]:
    """The pairs among the own content of answers, found by an index of shingles and not by comparing all with all.

    ``familiar`` are tokens that make no good example of what is shared.
    """
    index: dict[Shingle, list[str]] = defaultdict(list)
    for student, own in answers.items():
        for shingle in own:
            index[shingle].append(student)
    limit = max(COMMON, len(answers) // COMMON_PART)
    rare = {shingle: students for shingle, students in index.items() if len(students) <= limit}
    own_count = Counter(student for students in rare.values() for student in students)
    together = Counter(pair for students in rare.values() for pair in combinations(students, 2))
    for (one, other), shared in together.items():
        fewest, either = min(own_count[one], own_count[other]), own_count[one] + own_count[other] - shared
        if fewest >= LEAST and shared / either >= THRESHOLD:
            both = (answers[one] & answers[other]) & rare.keys()
            yield Pair(exercise, one, other, shared / either, shared, either, _examples(both, familiar))


def tokens(text: str, form: str, values: Mapping[str, str]) -> list[str]:
    """The normalised tokens of an answer; none for a prediction, where all right answers are the same."""
    drawn = {value: f"{{{name}}}" for name, value in values.items()}
    if form == "prediction":
        return []
    if form == "commands":
        return [drawn.get(token, token) for line in text.splitlines() for token in _command(line)]
    documents = [document.value for document in parse(text, source="answer").documents if document.value]
    if not documents:  # it cannot be read, and a mistake in common tells the more
        lines = (line.partition(" #")[0] for line in text.splitlines() if not line.lstrip().startswith("#"))
        return [drawn.get(word, word) for line in lines for word in _WORD.findall(line)]
    rows = sorted([*_fields(document, "", drawn)] for document in documents)
    return [token for row in rows for token in row]


def shingles(row: Sequence[str]) -> Iterator[Shingle]:
    """Every ``WIDTH`` neighbours; a shorter row is one shingle."""
    if row:
        yield from (tuple(row[at : at + WIDTH]) for at in range(max(1, len(row) - WIDTH + 1)))


def _fields(value: Any, path: str, drawn: Mapping[str, str]) -> Iterator[str]:
    """A token for every value in a document, keys in order; where in a list it stands says nothing."""
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            if key in _LABELS and isinstance(value[key], dict):
                yield from (f"{path}.{key}.{_NAME}" for _ in value[key])
            elif key in _NAMES and not isinstance(value[key], dict | list):
                yield f"{path}.{key}={_NAME}"
            else:
                yield from _fields(value[key], f"{path}.{key}".lstrip("."), drawn)
    elif isinstance(value, list):
        for one in value:
            yield from _fields(one, f"{path}[]", drawn)
    else:
        yield f"{path}={drawn.get(str(value), str(value))}"


def _command(line: str) -> Iterator[str]:
    """The words of a command, names of objects left out."""
    line = line.partition(" #")[0].strip()
    if not line or line.startswith("#"):
        return
    try:
        words = shlex.split(line)
    except ValueError:  # a quotation that is not closed
        words = line.split()
    place, names_next = 0, False
    for word in words:
        flag = _NAME_FLAGS.match(word)
        if names_next or (place >= WIDTH and not word.startswith("-")):
            names_next = False
            yield _NAME
        elif flag:
            names_next = not flag[2]
            yield flag[1]
        elif word.startswith("-"):
            yield word
        else:
            place += 1
            kind, slash, _ = word.partition("/")
            yield f"{kind}/{_NAME}" if slash else word


def _examples(both: Iterable[Shingle], familiar: Set[str]) -> tuple[str, ...]:
    """What two answers share that no known text has, longest first; of the path to a field only the end."""
    own = sorted({token for shingle in both for token in shingle if _NAME not in token} - familiar)
    longest = sorted(own, key=lambda token: -len(token.partition("=")[2] or token))
    return tuple(_brief(token) for token in longest[:SHOWN])


def _brief(token: str) -> str:
    path, sign, value = token.partition("=")
    return ".".join(path.split(".")[-2:]) + sign + value
