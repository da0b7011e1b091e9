"""Parameters of an exercise: names, images and numbers that may differ from student to student.

    parameters:
      name: web                                  # always this
      replicas: {default: 3, choices: [3, 4, 5]}
      port: {default: 8080, range: [8000, 8099]}

In every text of the exercise ``{{ name }}`` stands for the value.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Value = str | int

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


class BadParameter(ValueError):
    """A parameter is declared or used wrongly; the message tells the author what is wrong."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its default, and what may be drawn instead (the default is among them)."""

    default: Value
    choices: tuple[Value, ...]

    @classmethod
    def parse(cls, name: str, declared: Any) -> Parameter:
        """The parameter that the front matter declares."""
        if _is_value(declared):
            return cls(declared, (declared,))
        if not isinstance(declared, dict) or not _is_value(declared.get("default")):
            raise BadParameter(f"parameter {name}: write a text or a number, or a map with `default`")
        extra = declared.keys() - {"default", "choices", "range"}
        if extra:
            raise BadParameter(f"parameter {name}: {', '.join(sorted(map(str, extra)))} is not known")
        default = declared["default"]
        if "range" in declared:
            limits = declared["range"]
            if not (isinstance(limits, list) and len(limits) == 2 and all(type(limit) is int for limit in limits)):
                raise BadParameter(f"parameter {name}: a range is [lowest, highest], two whole numbers")
            choices: tuple[Value, ...] = tuple(range(limits[0], limits[1] + 1))
        else:
            choices = tuple(declared.get("choices") or [default])
        if default not in choices or not all(_is_value(choice) for choice in choices):
            raise BadParameter(f"parameter {name}: the default must be one of the choices, all texts or numbers")
        return cls(default, choices)


def defaults(parameters: Mapping[str, Parameter]) -> dict[str, Value]:
    """Every parameter at its default."""
    return {name: parameter.default for name, parameter in parameters.items()}


def draw(parameters: Mapping[str, Parameter], *, secret: bytes, exercise: str, student: str) -> dict[str, Value]:
    """The values of one student: always the same for them, and not to be guessed without the course's secret."""
    return {
        name: parameter.choices[_dice(secret, exercise, student, name) % len(parameter.choices)]
        for name, parameter in parameters.items()
    }


def spread(parameters: Mapping[str, Parameter], most: int) -> list[dict[str, Value]]:
    """Up to ``most`` sets of values in which every choice occurs, or of many choices the outermost and some between."""
    count = min(most, max((len(parameter.choices) for parameter in parameters.values()), default=1))
    sets = [
        {name: _evenly(parameter.choices, at, count) for name, parameter in parameters.items()} for at in range(count)
    ]
    return [chosen for at, chosen in enumerate(sets) if chosen not in sets[:at]]


def _evenly(choices: tuple[Value, ...], at: int, count: int) -> Value:
    if len(choices) <= count:
        return choices[at % len(choices)]
    return choices[at * (len(choices) - 1) // (count - 1)] if count > 1 else choices[0]


def render(text: str, values: Mapping[str, Value], *, source: str) -> str:
    """The text with every placeholder filled in; raises ``BadParameter`` for one that is not declared."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            line = text.count("\n", 0, match.start()) + 1
            known = ", ".join(values) or "none"
            raise BadParameter(f"{source}:{line}: {match[0]} is not among the parameters ({known})")
        return str(values[match[1]])

    return _PLACEHOLDER.sub(value, text)


def _is_value(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _dice(secret: bytes, *parts: str) -> int:
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")
