"""How far long work has come: a bar on a terminal, a few lines elsewhere."""

from __future__ import annotations

import io

from autograder.grading.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_that_leaves_nothing_behind() -> None:
    terminal = Terminal()
    progress = Progress("submissions", terminal)
    progress.begin(2)
    progress.step("ada")
    assert "█" * 15 + "·" * 15 + " 1/2 submissions" in terminal.getvalue()
    progress.step("ken")
    progress.close()
    assert terminal.getvalue().endswith("\r\033[K")


def test_a_few_lines_elsewhere() -> None:
    stream = io.StringIO()
    progress = Progress("submissions", stream)
    progress.begin(1000)
    for _ in range(1000):
        progress.step()
    progress.close()
    lines = stream.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["250/1000", "500/1000", "750/1000", "1000/1000"]
