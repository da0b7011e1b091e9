r"""The part of the POSIX shell language that a simulated container understands, read into a tree.

``words`` reads a word; here stands how words and operators make commands.

list      a; b & c            and-or    a && b || c          pipeline  a | b, ! a
compound  if, while, until, for, case, { }, ( ), f() { }     redirects > >> < 2> 2>&1 &> <<EOF
words     'x' "x" \\x $v ${v:-x} $(c) `c` $((1+2)) * ?
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from autograder.controlplane.containers.tree import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Literal,
    Loop,
    Pipeline,
    Redirect,
    Sequence,
    Simple,
    Word,
)
from autograder.controlplane.containers.words import ShellSyntaxError, Unfinished, WordReader

#: Scripts longer or more deeply nested than this are refused.
MAX_SCRIPT: Final = 100_000
MAX_DEPTH: Final = 50

_OPERATORS: Final = ("&&", "||", ";;", "<<-", "<<", ">>", "&>", ">&", "<&", ">", "<", ";", "&", "|", "(", ")", "\n")
_CLOSING: Final = frozenset("then elif else fi do done esac } ) ;;".split())
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
#: The end of a here-document, as the line says it in which that begins.
_HEREDOC: Final = re.compile(r"""<<-?\s*['"]?(\w+)""")
_META: Final = " \t\n;&|<>()"


@lru_cache(maxsize=512)
def parse(script: str) -> Sequence:
    """The syntax tree of a script; raises ``ShellSyntaxError``."""
    if len(script) > MAX_SCRIPT:
        raise ShellSyntaxError("script too long")
    parser = _Parser(script)
    try:
        tree = parser.sequence()
    except RecursionError as error:
        raise ShellSyntaxError("nested too deeply") from error
    if parser.token is not None:
        raise ShellSyntaxError(f'unexpected "{_shown(parser.token)}"')
    return tree


def parse_typed(text: str) -> Sequence:
    """The syntax tree of lines that were typed; raises ``Unfinished`` where a shell would read on."""
    tree = parse(text)
    lines = text.splitlines()
    for delimiter in _HEREDOC.findall(lines[0] if lines else ""):
        if delimiter not in (line.strip() for line in lines[1:]):
            raise Unfinished(f"unexpected end of file (expecting {delimiter})")
    return tree


def is_endless(loop: Loop) -> bool:
    """Whether a loop is ``while true`` or the like."""
    return not loop.until and loop.condition in _ALWAYS


def command_of(argv: tuple[str, ...]) -> Simple:
    """The tree of a command whose words are already what they are."""
    return Simple((), tuple((Literal(word, True),) for word in argv), ())


class _Operator(str):
    """A token that is an operator rather than a word."""

    __slots__ = ()


Token = _Operator | Word


def _shown(token: Token) -> str:
    if isinstance(token, str):
        return "newline" if token == "\n" else str(token)
    return _plain(token) or "word"


def _plain(word: Word) -> str | None:
    """The text of a word without quotes and expansions, or None."""
    if len(word) == 1 and isinstance(word[0], Literal) and not word[0].quoted:
        return word[0].text
    return None


class _Parser:
    """Recursive descent, with one token read ahead."""

    def __init__(self, text: str) -> None:
        self._reader = WordReader(text, parse)
        self._depth = 0
        self._heredocs: list[tuple[list[Redirect], int, str, bool, bool]] = []
        self.token: Token | None = None
        self._next()

    def sequence(self) -> Sequence:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ShellSyntaxError("nested too deeply")
        items: list[tuple[Command, bool]] = []
        self._skip_newlines()
        while self.token is not None and self._word() not in _CLOSING:
            command = self._and_or()
            background = self.token == "&"
            items.append((command, background))
            if self.token in (";", "&", "\n"):
                self._next()
                self._skip_newlines()
            else:
                break
        self._depth -= 1
        return Sequence(tuple(items))

    def _and_or(self) -> Command:
        first = self._pipeline()
        rest: list[tuple[str, Command]] = []
        while isinstance(self.token, _Operator) and self.token in ("&&", "||"):
            operator = str(self.token)
            self._next()
            self._skip_newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Command:
        negated = False
        while self._word() == "!":
            negated = not negated
            self._next()
        commands = [self._command()]
        while self.token == "|" and isinstance(self.token, _Operator):
            self._next()
            self._skip_newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated) if negated or len(commands) > 1 else commands[0]

    def _command(self) -> Command:
        word = self._word()
        compound = {
            "if": self._if, "while": self._loop, "until": self._loop, "for": self._for, "case": self._case,
            "{": self._braces, "(": self._parentheses,
        }.get(word or "")  # fmt: skip
        if compound is None:
            return self._simple()
        command = compound()
        redirects: list[Redirect] = []
        while self._redirect(redirects):
            pass
        return Group(command, tuple(redirects)) if redirects else command

    def _if(self) -> Command:
        branches = []
        otherwise = None
        while self._word() in ("if", "elif"):
            self._next()
            condition = self.sequence()
            self._expect("then")
            branches.append((condition, self.sequence()))
        if self._word() == "else":
            self._next()
            otherwise = self.sequence()
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _loop(self) -> Command:
        until = self._word() == "until"
        self._next()
        condition = self.sequence()
        return Loop(until, condition, self._body())

    def _for(self) -> Command:
        self._next()
        name = self._word() or ""
        if not _NAME.fullmatch(name):
            raise ShellSyntaxError("bad for loop variable")
        self._next()
        self._skip_newlines()
        words: list[Word] | None = None
        if self._word() == "in":
            self._next()
            words = []
            while self.token is not None and not isinstance(self.token, _Operator):
                words.append(self.token)
                self._next()
        if self.token in (";", "\n"):
            self._next()
            self._skip_newlines()
        return For(name, None if words is None else tuple(words), self._body())

    def _body(self) -> Sequence:
        self._expect("do")
        body = self.sequence()
        self._expect("done")
        return body

    def _case(self) -> Command:
        self._next()
        if self.token is None or isinstance(self.token, _Operator):
            raise ShellSyntaxError("expected a word after case")
        word = self.token
        self._next()
        self._skip_newlines()
        self._expect("in")
        self._skip_newlines()
        arms = []
        while self.token is not None and self._word() != "esac":
            if self._at_operator("("):
                self._next()
            patterns: list[Word] = []
            while self.token is not None and not isinstance(self.token, _Operator):
                patterns.append(self.token)
                self._next()
                if not self._at_operator("|"):
                    break
                self._next()
            self._expect(")")
            arms.append((tuple(patterns), self.sequence()))
            if self._at_operator(";;"):
                self._next()
            self._skip_newlines()
        self._expect("esac")
        return Case(word, tuple(arms))

    def _braces(self) -> Command:
        self._next()
        body = self.sequence()
        self._expect("}")
        return body

    def _parentheses(self) -> Command:
        self._next()
        body = self.sequence()
        self._expect(")")
        return Group(body, (), subshell=True)

    def _simple(self) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while self.token is not None:
            if self._redirect(redirects):
                continue
            if isinstance(self.token, _Operator):
                if self.token == "(" and len(words) == 1 and (name := _plain(words[0])) and _NAME.fullmatch(name):
                    self._next()
                    self._expect(")")
                    self._skip_newlines()
                    return Function(name, self._command())
                break
            assigned = self._assignment(self.token) if not words else None
            if assigned:
                assignments.append(assigned)
            else:
                words.append(self.token)
            self._next()
        if not (assignments or words or redirects):
            raise self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    @staticmethod
    def _assignment(word: Word) -> tuple[str, Word] | None:
        head = word[0] if word else None
        if not isinstance(head, Literal) or head.quoted:
            return None
        match = _ASSIGNMENT.match(head.text)
        if match is None:
            return None
        value = head.text[match.end() :]
        return match[1], ((Literal(value, False),) if value else ()) + word[1:]

    def _redirect(self, redirects: list[Redirect]) -> bool:
        """Read one redirect if there is one."""
        fd = None
        plain = self._word()
        if plain in ("0", "1", "2") and self._reader.text.startswith(("<", ">"), self._reader.at):
            fd = int(plain)
            self._next()
        operator = self.token
        if not isinstance(operator, _Operator) or operator[:1] not in "<>&" or operator in ("&&", "&"):
            return False
        self._next()
        target = self.token
        if target is None or isinstance(target, _Operator):
            raise ShellSyntaxError("redirection unexpected")
        if operator in ("<<", "<<-"):
            delimiter = "".join(part.text for part in target if isinstance(part, Literal))
            quoted = any(getattr(part, "quoted", False) for part in target)
            self._heredocs.append((redirects, len(redirects), delimiter, quoted, operator == "<<-"))
            redirects.append(Redirect(0, "<<", ()))
        elif operator == "&>":
            redirects.append(Redirect(3, ">", target))
        elif operator in (">&", "<&"):
            redirects.append(Redirect(1 if fd is None else fd, "&", target))
        else:
            default = 0 if operator == "<" else 1
            redirects.append(Redirect(default if fd is None else fd, str(operator), target))
        self._next()
        return True

    def _at_operator(self, operator: str) -> bool:
        return isinstance(self.token, _Operator) and self.token == operator

    def _word(self) -> str | None:
        """The reserved word or operator that comes next, or the plain text of the word."""
        if isinstance(self.token, _Operator):
            return str(self.token)
        return _plain(self.token) if self.token else None

    def _expect(self, what: str) -> None:
        if self._word() != what:
            raise self._unexpected(f' (expecting "{what}")')
        self._next()

    def _unexpected(self, expected: str = "") -> ShellSyntaxError:
        if self.token is None:
            return Unfinished(f"unexpected end of file{expected}")
        return ShellSyntaxError(f'unexpected "{_shown(self.token)}"{expected}')

    def _skip_newlines(self) -> None:
        while isinstance(self.token, _Operator) and self.token == "\n":
            self._next()

    def _next(self) -> None:
        reader, text = self._reader, self._reader.text
        while reader.at < len(text):
            if text[reader.at] in " \t":
                reader.at += 1
            elif text.startswith("\\\n", reader.at):
                reader.at += 2
            elif text[reader.at] == "#":
                end = text.find("\n", reader.at)
                reader.at = len(text) if end < 0 else end
            else:
                break
        if reader.at >= len(text):
            self.token = None
            return
        for operator in _OPERATORS:
            if text.startswith(operator, reader.at):
                reader.at += len(operator)
                self.token = _Operator(operator)
                if operator == "\n":
                    self._read_heredocs()
                return
        self.token = reader.word(_META)

    def _read_heredocs(self) -> None:
        reader, pending = self._reader, self._heredocs
        self._heredocs = []
        for redirects, index, delimiter, quoted, strip in pending:
            lines = []
            while reader.at < len(reader.text):
                end = reader.text.find("\n", reader.at)
                end = len(reader.text) if end < 0 else end
                line = reader.text[reader.at : end]
                reader.at = end + 1
                line = line.lstrip("\t") if strip else line
                if line == delimiter:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            parts: Word = (Literal(body, True),) if quoted else WordReader(body, parse).quoted()
            redirects[index] = Redirect(0, "<<", parts)


_ALWAYS: Final = tuple(parse(text) for text in ("true", ":", "[ 1 ]", "[ true ]", "test 1", "[ 1 -eq 1 ]"))
