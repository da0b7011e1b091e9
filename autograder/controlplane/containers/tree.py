"""The syntax tree of a shell script.  All of it is immutable: a process that stands in a script is plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Literal(NamedTuple):
    """Text that stands for itself; ``quoted`` text is neither split nor a pattern."""

    text: str
    quoted: bool


class Variable(NamedTuple):
    """``${name<op>argument}``; ``op`` is one of ``- := :- + :+ ? :? # ## % %%`` or ``length``, or empty."""

    name: str
    op: str
    argument: Word
    quoted: bool


class Substitution(NamedTuple):
    """``$(script)``: what a script prints."""

    script: Sequence
    quoted: bool


class Arithmetic(NamedTuple):
    """``$((text))``: the value of an expression."""

    text: Word
    quoted: bool


Part = Literal | Variable | Substitution | Arithmetic
Word = tuple[Part, ...]


class Redirect(NamedTuple):
    """``fd`` 0, 1, 2 or 3 (both); ``mode`` is ``<``, ``>``, ``>>``, ``&`` (the other descriptor) or ``<<`` (text)."""

    fd: int
    mode: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """``NAME=word ... word ... <redirect``: one command, or without words only assignments."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``a | b``, or ``! a``."""

    commands: tuple[Command, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class AndOr:
    """``a && b || c``: ``rest`` are pairs of operator and command."""

    first: Command
    rest: tuple[tuple[str, Command], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Commands one after the other; True marks one that runs in the background."""

    items: tuple[tuple[Command, bool], ...]


@dataclass(frozen=True, slots=True)
class If:
    """``if``, ``elif`` and ``else``: ``branches`` are pairs of condition and body."""

    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True, slots=True)
class Loop:
    """``while``, or ``until``."""

    until: bool
    condition: Sequence
    body: Sequence


@dataclass(frozen=True, slots=True)
class For:
    """``for name in words``; without words (None) it goes through the parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Sequence


@dataclass(frozen=True, slots=True)
class Case:
    """``case word in pattern|pattern) body;; esac``: ``arms`` are pairs of patterns and body."""

    word: Word
    arms: tuple[tuple[tuple[Word, ...], Sequence], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """``{ }`` or, with ``subshell``, ``( )``; also any compound command that has redirects."""

    body: Command
    redirects: tuple[Redirect, ...]
    subshell: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """``name() body``."""

    name: str
    body: Command


Command = Simple | Pipeline | AndOr | Sequence | If | Loop | For | Case | Group | Function
