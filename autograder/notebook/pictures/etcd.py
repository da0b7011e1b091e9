"""What became different in etcd since the last thing that was asked for: key by key, in the order of revisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from autograder.controlplane.apimachinery.wire import ADMIN
from autograder.notebook.pictures.picture import Picture
from autograder.notebook.pictures.svg import BLUE, GREEN, VERMILION, Drawing

#: How many writes are shown.
MOST: Final = 30
_SIGNS: Final = {"created": ("+", GREEN), "updated": ("~", BLUE), "deleted": ("−", VERMILION)}
_ROW: Final = 38
_WIDTH: Final = 860


def draw(writes: Sequence[dict[str, Any]]) -> Picture:
    """A row for each write: its revision, its key, who wrote, and what is different (new, changed, gone)."""
    shown = since_last_request(writes)
    title = f"What changed in etcd: {len(shown)} writes since your last request"
    drawing, lines = Drawing(), []
    for number, write in enumerate(shown[:MOST]):
        sign, colour = _SIGNS[write["verb"]]
        y = 1 + number * _ROW
        changes = "; ".join(write["changes"])
        drawing.box(1, y, _WIDTH, _ROW - 4, colour, strength=0.1)
        drawing.text(10, y + 21, sign, size=16, bold=True, mono=True)
        drawing.text(30, y + 21, write["revision"], mono=True)
        drawing.text(80, y + 15, write["key"], mono=True, width=_WIDTH - 90)
        drawing.text(80, y + 29, f"{write['user']}: {changes or write['verb']}", size=11, faint=True, width=_WIDTH - 90)
        lines.append(f"{sign} {write['revision']}  {write['key']}  {write['user']}{f': {changes}' if changes else ''}")
    if len(shown) > MOST:
        lines.append(f"... and {len(shown) - MOST} more")
        drawing.text(10, 18 + MOST * _ROW, lines[-1], faint=True)
    if not shown:
        lines.append("nothing was written yet")
        drawing.text(1, 16, lines[-1], faint=True)
    return Picture(title, tuple(lines), drawing)


def since_last_request(writes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last thing that the student wrote, and what followed."""
    mine = [write["revision"] for write in writes if write["user"] == ADMIN.name]
    return [write for write in writes if mine and write["revision"] >= mine[-1]]
