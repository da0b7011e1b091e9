"""Why a Pod went where it went: the scheduler's table of nodes by plugins."""

from __future__ import annotations

from typing import Any, Final

from autograder.notebook.pictures.picture import Picture
from autograder.notebook.pictures.svg import BLUE, GREEN, GREY, VERMILION, Drawing

_NAMES: Final = 130
_PLUGIN: Final = 136
_ROW: Final = 30


def draw(decision: dict[str, Any]) -> Picture:
    """A row for each node: the plugin that turned it down and why, or the points of each plugin and their sum."""
    nodes = decision["nodes"]
    scored = [node for node in nodes if node["scores"]]
    plugins = [score["plugin"] for score in scored[0]["scores"]] if scored else []
    where = decision["node"] or "nowhere"
    title = f"The scheduler and Pod {decision['pod']}: {where}"
    drawing, lines = Drawing(), []
    for number, head in enumerate((*plugins, "sum") if plugins else ()):
        drawing.text(_NAMES + number * _PLUGIN + 6, 14, head, size=11, bold=True, width=_PLUGIN - 8)
    for number, node in enumerate(nodes):
        y, chosen = 24 + number * _ROW, node["node"] == decision["node"]
        drawing.text(6, y + 18, f"{'→ ' if chosen else ''}{node['node']}", bold=chosen, width=_NAMES - 8)
        words = _words(node, chosen)
        if node["scores"]:
            _scores(drawing, y, node["scores"], chosen)
        else:
            wide = max(len(plugins) + 1, 5) * _PLUGIN
            drawing.box(_NAMES, y, wide - 4, _ROW - 4, _colour(node, chosen), dashed=not chosen)
            drawing.text(_NAMES + 6, y + 17, words, size=11, width=wide - 14)
        lines.append(f"{node['node']}: {words}")
    tied = decision["tied"]
    if decision["node"] and len(tied) > 1:
        lines.append(f"{', '.join(tied)} have the same sum: dice decided")
    if decision["message"]:
        lines.append(decision["message"])
    for number, line in enumerate(lines[len(nodes) :]):
        drawing.text(6, 44 + len(nodes) * _ROW + 18 * number, line, faint=True, width=8 * _PLUGIN)
    return Picture(title, tuple(lines), drawing)


def _scores(drawing: Drawing, y: float, scores: list[dict[str, Any]], chosen: bool) -> None:
    for number, score in enumerate(scores):
        x = _NAMES + number * _PLUGIN
        drawing.box(x, y, _PLUGIN - 4, _ROW - 4, BLUE, strength=0.08 + 0.4 * score["normalized"] / 100)
        drawing.text(x + 6, y + 17, _points(score), size=11, width=_PLUGIN - 10)
    x = _NAMES + len(scores) * _PLUGIN
    drawing.box(x, y, _PLUGIN - 4, _ROW - 4, GREEN if chosen else GREY, strength=0.3)
    drawing.text(x + 6, y + 17, _total(scores), bold=True)


def _words(node: dict[str, Any], chosen: bool) -> str:
    if not node["looked_at"]:
        return "not looked at: enough other nodes fit"
    if node["filtered_by"]:
        return f"turned down by {node['filtered_by']}: {', '.join(node['reasons'])}"
    if node["scores"]:
        each = ", ".join(f"{score['plugin']} {_points(score)}" for score in node["scores"])
        return f"{each}; sum {_total(node['scores'])}{', chosen' if chosen else ''}"
    return "the only node that fits, so nothing is scored" if chosen else "fits"


def _points(score: dict[str, Any]) -> str:
    return f"{score['normalized']} × {score['weight']}"


def _total(scores: list[dict[str, Any]]) -> int:
    return sum(score["normalized"] * score["weight"] for score in scores)


def _colour(node: dict[str, Any], chosen: bool) -> str:
    return GREEN if chosen else VERMILION if node["filtered_by"] else GREY
