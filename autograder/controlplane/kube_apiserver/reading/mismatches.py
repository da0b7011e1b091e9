"""What Go's decoder says of values that do not fit a type."""

from __future__ import annotations

import re
from typing import Any

from autograder.controlplane.kube_apiserver.parsing import Number


class Mismatch(ValueError):
    """A value of the wrong JSON type; the structs that it stands in add their fields on the way out."""

    def __init__(self, word: str, go_type: str) -> None:
        super().__init__()
        self.word = word
        self.go_type = go_type
        self.struct = ""
        self.steps: list[str] = []

    def within(self, struct: str, field: str) -> None:
        """The value stands in this field (with the names of embedded structs before it) of this struct."""
        self.struct = self.struct or struct
        self.steps.append(field)

    def __str__(self) -> str:
        if not self.struct:
            return f"json: cannot unmarshal {self.word} into Go value of type {shown_type(self.go_type)}"
        field = ".".join([self.struct, *reversed(self.steps)])
        return f"json: cannot unmarshal {self.word} into Go struct field {field} of type {shown_type(self.go_type)}"


class Malformed(ValueError):
    """A text that does not spell a quantity, a time, base64."""


def word_for(value: Any) -> str:
    """What Go calls a JSON value of this type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array"


def shown_type(go_type: str) -> str:
    """A Go type as errors name it: the package without its path."""
    return re.sub(r"\w+/(?=\w)", "", go_type.lstrip("*")).replace("[]byte", "[]uint8")


def number_text(value: float) -> str:
    """A number as it was written."""
    return value.text if isinstance(value, Number) else repr(value)
