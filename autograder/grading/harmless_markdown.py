"""Markdown of students as HTML that runs nothing, fetches nothing and can always be shown.

nbgrader's pages take HTML in Markdown as it is.  Those of formgrader are served by the instructor's Jupyter, so that a
script in a free text could do there whatever the instructor can: read solutions, write grades, start programs.  And a
picture that is not there keeps nbgrader from making the page at all.  A course names ``markdown2html`` as the filter
of that name for ``HTMLExporter``.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

#: Characters of a cell that are taken for Markdown; what is longer is shown as it was written.
LENGTH: Final = 50_000
#: Commands of formulas that make links, load more commands or reach into the page, with all backslashes before them:
#: of two the first one is a line break, which would make a command of what is left.
_REACHING: Final = re.compile(r"\\+(href|require|class|cssId|style|mmlToken|bbox|html[A-Za-z]*)(?![A-Za-z])")
_PICTURE: Final = "attachment:"


class HarmlessRenderer(IPythonRenderer):
    """Shows HTML as text, and pictures only if they are part of the notebook."""

    def __init__(self, attachments: dict[str, Any]) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False, attachments=attachments)

    def block_mermaidjs(self, code: str) -> str:
        """A drawing in words, which would be run in the page."""
        return f"<pre><code>{html.escape(code)}</code></pre>\n"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture of the notebook, or a link to another one: to fetch it would tell somebody who looks at it."""
        found = self.attachments.get(url.removeprefix(_PICTURE)) if url.startswith(_PICTURE) else None
        for media_type, data in (found or {}).items():
            return f'<img src="data:{html.escape(media_type)};base64,{html.escape(data)}" alt="{html.escape(text)}" />'
        if url.startswith(_PICTURE):
            return f"<em>(the picture {html.escape(url.removeprefix(_PICTURE))} is missing)</em>"
        return str(self.link(text or html.escape(url), url, title))


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """The HTML of a cell's Markdown, or of a comment."""
    cell = context.get("cell") or {}
    text = _REACHING.sub(r"\1", source)
    if len(text) <= LENGTH:
        try:
            return str(MarkdownWithMath(renderer=HarmlessRenderer(cell.get("attachments") or {})).render(text))
        except RecursionError:  # quotations in quotations in quotations
            pass
    return f"<pre>{html.escape(source)}</pre>"
