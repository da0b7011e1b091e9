"""The way of one request through the API server: each step, how it ended, and which fields it set."""

from __future__ import annotations

from typing import Any, Final

from autograder.notebook.pictures.picture import Picture
from autograder.notebook.pictures.svg import BLUE, GREEN, GREY, VERMILION, Drawing

_NAME: Final = 370
_WIDTH: Final = 940
_ROW: Final = 34


def draw(traced: dict[str, Any]) -> Picture:
    """The steps from top to bottom, with arrows between them, and what the request cost."""
    title = f"{traced['method']} {traced['path']}: {traced['code']}"
    drawing, lines = Drawing(), []
    steps = traced["steps"]
    for number, step in enumerate(steps):
        y = 1 + number * _ROW
        refused = step["outcome"].startswith("refused")
        colour = VERMILION if refused else GREEN if step["changed"] else BLUE
        drawing.box(1, y, _NAME, _ROW - 10, colour)
        drawing.text(9, y + 16, step["name"], bold=True, width=_NAME - 14)
        words = step["outcome"] + (f": {', '.join(step['changed'])}" if step["changed"] else "")
        drawing.text(_NAME + 12, y + 16, words, width=_WIDTH - _NAME - 12)
        lines.append(f"{step['name']}: {words}")
        if number:
            drawing.arrow(30, y - 10, 30, y, GREY)
    cost = traced["cost"]
    lines.append(
        f"cost: {cost['reads']} reads and {cost['writes']} writes in etcd, {cost['fields_set']} fields set, "
        f"{cost['bytes_received']} bytes received, {cost['bytes_stored']} stored, {cost['bytes_answered']} answered"
    )
    drawing.text(1, 14 + len(steps) * _ROW, lines[-1], size=11, faint=True)
    return Picture(title, tuple(lines), drawing)
