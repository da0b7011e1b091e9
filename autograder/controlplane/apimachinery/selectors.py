"""Label selectors: parsing what clients write, and matching objects.

Grammar and meaning are those of apimachinery/pkg/labels.  A ``LabelSelector`` of an object
(``matchLabels``, ``matchExpressions``) becomes the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.field import quoted

Labels = Mapping[str, str]
Expressions = tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label: in, notin, exists, !, gt, lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        """Whether labels fulfil the condition; a missing label fulfils ``notin`` and ``!`` only."""
        value = labels.get(self.key)
        if self.operator == "in":
            return value in self.values
        if self.operator == "exists":
            return value is not None
        if self.operator == "!":
            return value is None
        if self.operator == "notin":
            return value not in self.values
        return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        """Whether a label is greater, or less, than the bound; texts that are no integers are neither."""
        number, bound = integers.read(value), integers.read(next(iter(self.values)))
        if number is None or bound is None:
            return False
        return number > bound if self.operator == "gt" else number < bound

    def __str__(self) -> str:
        values = sorted(self.values)
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        if self.operator in ("gt", "lt"):
            return f"{self.key}{'>' if self.operator == 'gt' else '<'}{values[0]}"
        if self.operator == "in" and len(values) == 1:
            return f"{self.key}={values[0]}"
        return f"{self.key} {self.operator} ({','.join(values)})"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All of some requirements; none at all matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels | None) -> bool:
        """Whether labels (None: no labels) fulfil every requirement."""
        labels = labels or {}
        # Asked of every pod that changes, by every controller: a generator would cost more than the answers.
        for requirement in self.requirements:  # noqa: SIM110
            if not requirement.matches(labels):
                return False
        return True

    @property
    def empty(self) -> bool:
        """Whether everything matches."""
        return not self.requirements

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in sorted(self.requirements, key=lambda one: one.key))


class _Nothing(LabelSelector):
    """Matches no object: the selector of an object whose ``selector`` is absent."""

    __slots__ = ()

    def matches(self, labels: Labels | None) -> bool:
        return False


EVERYTHING = LabelSelector()
NOTHING = _Nothing()

_TOKEN = re.compile(r"\s*(==|!=|[=!,()<>]|[^\s=!,()<>]+)")
_OPERATORS = {"in": "in", "notin": "notin", "=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}
_EXPRESSION_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}


def of_object(selector: Mapping[str, Any] | None) -> LabelSelector:
    """The selector that a ``metav1.LabelSelector`` stands for; absent matches nothing, empty everything."""
    if selector is None:
        return NOTHING
    labels = tuple(selector.get("matchLabels", {}).items())
    return _of_parts(labels, _parts(selector.get("matchExpressions", ())))


def of_expressions(expressions: Iterable[Mapping[str, Any]]) -> LabelSelector:
    """The selector of a list of ``key``, ``operator`` and ``values``, as node selectors have; none match everything."""
    return _of_parts((), _parts(expressions))


def of_map(labels: Labels | None) -> LabelSelector:
    """The selector of a plain map, as Services and ReplicationControllers have; absent or empty matches nothing."""
    return _of_parts(tuple(labels.items()), ()) if labels else NOTHING


def _parts(expressions: Iterable[Mapping[str, Any]]) -> Expressions:
    return tuple((one["key"], one["operator"], tuple(one.get("values") or ())) for one in expressions)


@lru_cache(maxsize=4096)
def _of_parts(labels: tuple[tuple[str, str], ...], expressions: Expressions) -> LabelSelector:
    requirements = [Requirement(key, "in", frozenset((value,))) for key, value in labels]
    requirements += [
        Requirement(key, _EXPRESSION_OPERATORS[operator], frozenset(values)) for key, operator, values in expressions
    ]
    return LabelSelector(tuple(requirements))


def text_of_object(selector: Mapping[str, Any]) -> str:
    """A ``metav1.LabelSelector`` as a ``labelSelector`` parameter that selects the same, by the order of keys."""
    told = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for key, operator, values in _parts(selector.get("matchExpressions") or ()):
        word = _EXPRESSION_OPERATORS[operator]
        if word in ("in", "notin"):
            told.append((key, f"{key} {word} ({','.join(sorted(values))})"))
        else:
            told.append((key, str(Requirement(key, word, frozenset(values)))))
    return ",".join(text for _, text in sorted(told, key=lambda one: one[0]))


def go_syntax(selector: Mapping[str, Any]) -> str:
    """A ``metav1.LabelSelector`` as Go prints it, which some messages quote."""
    labels = " ".join(f"{key}: {value}," for key, value in sorted(selector.get("matchLabels", {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},"
        f"Values:[{' '.join(one.get('values', ()))}],}},"
        for one in selector.get("matchExpressions", ())
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


@lru_cache(maxsize=1024)
def parse_labels(text: str, check: Callable[[Requirement], None] | None = None) -> LabelSelector:
    """A ``labelSelector`` parameter such as ``app=web,tier in (a,b),!old``; ``BadRequest`` when it is malformed.

    ``check`` is asked of each requirement as soon as it is read, and may refuse it.
    """
    return LabelSelector(tuple(_Parser(_TOKEN.findall(text), check).requirements()))


class _Parser:
    """A recursive descent over the tokens of a label selector; what it says is what a real server's says."""

    def __init__(self, tokens: list[str], check: Callable[[Requirement], None] | None) -> None:
        self._tokens = tokens
        self._check = check
        self._at = 0

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        if self._peek() and not self._begins():
            raise BadRequest(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        while self._peek():
            found.append(self._requirement())
            if self._check is not None:
                self._check(found[-1])
            separator = self._take()
            if separator not in ("", ","):
                raise BadRequest(f"found '{separator}', expected: ',' or 'end of string'")
            if separator and not self._begins():
                raise BadRequest(f"found '{self._peek()}', expected: identifier after ','")
        return found

    def _begins(self) -> bool:
        """Whether a requirement begins here."""
        return self._peek() == "!" or _is_identifier(self._peek())

    def _requirement(self) -> Requirement:
        absent = self._peek() == "!"
        if absent:
            self._take()
        key = self._identifier()
        if absent:
            return Requirement(key, "!")
        if self._peek() in ("", ","):
            return Requirement(key, "exists")
        operator = self._take()
        if operator not in _OPERATORS:
            raise _unparsed(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        if operator in ("in", "notin"):
            return Requirement(key, operator, self._values())
        value = "" if self._peek() in ("", ",") else self._identifier()
        if operator in "><" and integers.read(value) is None:
            raise _unparsed(
                f"values[0]: Invalid value: {quoted(value)}: for 'Gt', 'Lt' operators, the value must be an integer"
            )
        return Requirement(key, _OPERATORS[operator], frozenset((value,)))

    def _values(self) -> frozenset[str]:
        opening = self._take()
        if opening != "(":
            raise _unparsed(f"found '{opening}' expected: '('")
        if not (_is_identifier(self._peek()) or self._peek() in (",", ")")):
            raise _unparsed(f"found '{self._peek()}', expected: ',', ')' or identifier")
        values = []
        while True:
            values.append("" if self._peek() in (",", ")") else self._identifier())
            closing = self._take()
            if closing == ")":
                return frozenset(values)
            if closing != ",":
                raise _unparsed(f"found '{closing}', expected: ',' or ')'")

    def _identifier(self) -> str:
        token = self._take()
        if not _is_identifier(token):
            raise _unparsed(f"found '{token}', expected: identifier")
        return token

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token


def _is_identifier(token: str) -> bool:
    return bool(token) and token[0] not in "=!,()<>"


def _unparsed(why: str) -> BadRequest:
    return BadRequest(f"unable to parse requirement: {why}")
