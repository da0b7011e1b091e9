"""Boxes, texts, lines and arrows as SVG: as much as the pictures need.

Colours of texts and frames are variables of JupyterLab's theme, so that a drawing fits a light page and a dark one;
where there are no such variables, the colour of the text around is taken.
"""

from __future__ import annotations

from html import escape
from typing import Final

#: The colours of Okabe and Ito that can be seen on white and on black.
BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
GREEN: Final = "#009e73"
PURPLE: Final = "#cc79a7"
SKY: Final = "#56b4e9"
VERMILION: Final = "#d55e00"
PALETTE: Final = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
GREY: Final = "#888888"
INK: Final = "var(--jp-content-font-color1, currentColor)"
FAINT: Final = "var(--jp-content-font-color2, currentColor)"

_SANS: Final = "var(--jp-content-font-family, system-ui, sans-serif)"
_MONO: Final = "var(--jp-code-font-family, monospace)"
#: The width of a character as a part of the font's size.
_SANS_WIDTH: Final = 0.54
_MONO_WIDTH: Final = 0.61
#: How much wider bold characters are.
_BOLD: Final = 1.2
_MARGIN: Final = 8
_HEAD: Final = 6


class Drawing:
    """A drawing that grows with what is put on it; lengths are in pixels, from the upper left corner."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._width = self._height = 0.0

    def box(
        self, x: float, y: float, width: float, height: float, colour: str = GREY, *, strength: float = 0.15,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        """A box with a frame; ``strength`` from 0 to 1 says how much of its colour fills it."""
        self._reach(x + width, y + height)
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="{colour}" '
            f'fill-opacity="{strength:g}" stroke="{colour}" stroke-width="1.5"{dashes}/>'
        )

    def text(
        self, x: float, y: float, words: object, *, size: int = 12, bold: bool = False, mono: bool = False,
        faint: bool = False, anchor: str = "start", width: float = 0,
    ) -> None:  # fmt: skip
        """A line of text whose foot stands at ``y``; cut off where it is wider than ``width``, if that is given."""
        each = size * (_MONO_WIDTH if mono else _SANS_WIDTH) * (_BOLD if bold else 1)
        shown = cut(str(words), int(width / each)) if width else str(words)
        long = len(shown) * each
        self._reach(x + {"start": long, "middle": long / 2, "end": 0.0}[anchor], y + size / 3)
        style = f"fill:{FAINT if faint else INK};font-family:{_MONO if mono else _SANS};font-size:{size}px"
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" style="{style}{";font-weight:600" if bold else ""}">'
            f"{escape(shown)}</text>"
        )

    def arrow(self, x: float, y: float, to_x: float, to_y: float, colour: str = GREY) -> None:
        """A line with a head that points to the right, or straight down."""
        self._reach(max(x, to_x), max(y, to_y))
        if x == to_x:
            head = f"M{to_x - _HEAD / 2:g} {to_y - _HEAD:g}L{to_x + _HEAD / 2:g} {to_y - _HEAD:g}L{to_x:g} {to_y:g}Z"
        else:
            head = f"M{to_x - _HEAD:g} {to_y - _HEAD / 2:g}L{to_x - _HEAD:g} {to_y + _HEAD / 2:g}L{to_x:g} {to_y:g}Z"
        self._parts.append(
            f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" stroke="{colour}" stroke-width="1.5" fill="none"/>'
            f'<path d="{head}" fill="{colour}"/>'
        )

    def svg(self, title: str, description: str) -> str:
        """The drawing as an element for a page; readers who do not see it are told the title and the description."""
        width, height = self._width + _MARGIN, self._height + _MARGIN
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
            f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'style="max-width:100%;height:auto">'
            f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{''.join(self._parts)}</svg>"
        )

    def _reach(self, right: float, bottom: float) -> None:
        self._width, self._height = max(self._width, right), max(self._height, bottom)


def cut(text: str, most: int) -> str:
    """A text of at most so many characters; an ellipsis stands for what was cut off."""
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"
