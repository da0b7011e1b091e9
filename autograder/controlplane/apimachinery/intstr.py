"""Fields that hold a number or a string: ports by number or name, counts or percentages.

In API objects such a value is a plain ``int`` or ``str``. Source: apimachinery/pkg/util/intstr.
"""

from __future__ import annotations

import re

from autograder.controlplane.apimachinery import integers

_PERCENT = re.compile(r"[+-]?[0-9]+%", re.ASCII)
_VALID_PERCENT = re.compile(r"[0-9]+%", re.ASCII)


def is_valid_percent(text: str) -> bool:
    """Whether the text is a percentage such as validation accepts it: digits and ``%``."""
    return _VALID_PERCENT.fullmatch(text) is not None


def percent(value: int | str) -> int | None:
    """The number before the ``%``; None for numbers and other texts."""
    return integers.nearest(value[:-1]) if isinstance(value, str) and _PERCENT.fullmatch(value) else None


def scaled(value: int | str, total: int, *, round_up: bool) -> int:
    """The count that a value means: a number itself, a percentage of ``total``. Raises ValueError for other texts."""
    if isinstance(value, int):
        return value
    share = percent(value)
    if share is None:
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    return -(-share * total // 100) if round_up else share * total // 100
