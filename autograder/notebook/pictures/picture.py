"""A picture: a drawing, and the same in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autograder.notebook.pictures.svg import Drawing


@dataclass(frozen=True)
class Picture:
    """A drawing with its title and, as ``lines``, what it shows."""

    title: str
    lines: tuple[str, ...]
    drawing: Drawing

    def __str__(self) -> str:
        return "\n".join([self.title, *self.lines])

    def svg(self) -> str:
        """The drawing, which tells its title and its lines to those who do not see it."""
        return self.drawing.svg(self.title, "\n".join(self.lines))

    def _repr_mimebundle_(self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None) -> Any:
        """SVG inside of the page, where the theme's colours reach it; text where there is no page."""
        return {"text/plain": str(self), "text/html": f'<div style="overflow-x:auto">{self.svg()}</div>'}
