"""Cells of a CSV file that no spreadsheet takes for a formula, whoever wrote them.

A cell that would be taken for one gets an apostrophe in front, as OWASP advises; quotation marks and blanks that stand
before the sign do not hide it.  Where the list separator is a semicolon, as in half of Europe, a spreadsheet begins a
new cell at each one, quoted or not: what follows it is looked at too.
"""

from __future__ import annotations

import re
from typing import Final

#: What begins a formula, also as the wide characters that spreadsheets of East Asia take for the same.
_SIGNS: Final = "=+@＝＋－＠﹢﹣﹦﹫-"
#: What a spreadsheet may drop before it looks for one of them.
_DROPPED: Final = " \t\r\n\"'`´‘’“”\u00a0\u2007\u202f\u3000"
_BEGINS: Final = re.compile(rf"(?:^|(?<=;))(?=[{_DROPPED}]*[{_SIGNS}])")


def harmless(text: str) -> str:
    """The text as a cell; a lone dash is no formula."""
    return text if text == "-" else _BEGINS.sub("'", text)
