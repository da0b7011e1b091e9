"""A ResourceQuota as it fills up: a bar for each key."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery import quantity
from autograder.notebook.pictures.picture import Picture
from autograder.notebook.pictures.svg import BLUE, GREY, ORANGE, VERMILION, Drawing

_NAMES: Final = 190
_BAR: Final = 320
_ROW: Final = 34
#: From this share on a quota is nearly full.
_NEARLY: Final = 0.8


def draw(quota: dict[str, Any]) -> Picture:
    """A bar for each key: how much of it is used, in numbers and as a share."""
    meta, status = quota["metadata"], quota.get("status", {})
    hard, used = status.get("hard", {}), status.get("used", {})
    drawing, lines = Drawing(), []
    title = f"ResourceQuota {meta['namespace']}/{meta['name']}"
    drawing.text(1, 16, title, size=14, bold=True)
    for number, key in enumerate(hard):
        part, y = share(used.get(key, "0"), hard[key]), 30 + number * _ROW
        word = "full" if part >= 1 else "nearly full" if part >= _NEARLY else ""
        numbers = f"{used.get(key, '0')} of {hard[key]} ({part:.0%}{f', {word}' if word else ''})"
        colour = VERMILION if part >= 1 else ORANGE if part >= _NEARLY else BLUE
        drawing.text(_NAMES - 8, y + 15, key, mono=True, anchor="end", width=_NAMES - 8)
        drawing.box(_NAMES, y, _BAR, 22, GREY, strength=0.08)
        if part:
            drawing.box(_NAMES, y, _BAR * min(part, 1), 22, colour, strength=0.55)
        drawing.text(_NAMES + _BAR + 10, y + 15, numbers)
        lines.append(f"{key}: {numbers}")
    if not hard:
        lines.append("nobody has counted yet")
        drawing.text(1, 40, lines[-1], faint=True)
    return Picture(title, tuple(lines), drawing)


def share(used: str, hard: str) -> float:
    """Which part of a quantity is used; all of it where there is nothing to use."""
    most = quantity.parse(hard).milli_value
    return quantity.parse(used).milli_value / most if most else 1.0
