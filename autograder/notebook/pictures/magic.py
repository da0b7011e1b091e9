"""``%picture``: draw what the student's cluster is like now.

%picture rollout web -n shop
"""

from __future__ import annotations

import sys
from typing import Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from autograder.notebook.answers import BadName
from autograder.notebook.home import Home
from autograder.notebook.kubectl import NotAShell, arguments
from autograder.notebook.pictures.live import KINDS, Live
from autograder.notebook.pictures.picture import Picture
from autograder.notebook.server import ClusterTrouble

USAGE: Final = "\n".join(f"%picture {f'{name} {kind.argument}':20} {kind.shows}" for name, kind in KINDS.items())


@magics_class
class PictureMagics(Magics):
    """The magic, for one notebook."""

    def __init__(self, shell: InteractiveShell, home: Home) -> None:
        super().__init__(shell)
        self._display = shell.display_pub
        self._live = Live(home)

    @no_var_expand
    @line_magic
    def picture(self, line: str) -> None:
        """Draw the cluster, or a part of it."""
        drawn = draw(self._live, line)
        if drawn is not None:
            self._display.publish(drawn._repr_mimebundle_())


def register(shell: InteractiveShell, home: Home) -> None:
    """Give a notebook the magic."""
    shell.register_magics(PictureMagics(shell, home))


def draw(live: Live, line: str) -> Picture | None:
    """The picture that a line asks for; what is wrong with the line is printed, and never raised."""
    try:
        match arguments(line):
            case [name, *rest] if name in KINDS and (parts := _parts(rest, bool(KINDS[name].argument))):
                return KINDS[name].draw(live, *parts)
            case words:
                print(USAGE, file=sys.stderr if words else sys.stdout)
    except (NotAShell, BadName, ClusterTrouble) as trouble:
        print(trouble, file=sys.stderr)
    return None


def _parts(words: list[str], named: bool) -> tuple[str, list[str]] | None:
    """The name, if one is to be given, and the options of kubectl that say in which namespace."""
    name = words.pop(0) if named and words else ""
    if bool(name) != named or name.startswith("-"):
        return None
    return (name, words) if not words or (len(words) == 2 and words[0] == "-n") else None
