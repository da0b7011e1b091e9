"""How far long work has come: a bar on a terminal, a few lines elsewhere."""

from __future__ import annotations

import io

import pytest

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


@pytest.mark.parametrize(
    ("passed", "left"), [(0.5, "50 s left"), (3, "5 min left"), (60, "1 h 39 min left"), (120, "3 h 18 min left")]
)
def test_how_long_it_takes_yet(monkeypatch: pytest.MonkeyPatch, passed: float, left: str) -> None:
    times = iter([0.0, 0.0, passed])
    monkeypatch.setattr("autograder.grading.progress.time.monotonic", lambda: next(times))
    terminal = Terminal()
    progress = Progress("submissions", terminal)
    progress.begin(100)
    progress.step()
    assert left in terminal.getvalue()
