"""A plugin of pytest for nbval: notebooks on another cluster than the one they were written on.

    AUTOGRADER_CLUSTER=local pytest -p autograder.notebook.elsewhere --nbval-lax ...

A cell in which something was "not run there" is a skip with the reason, whatever else it printed.  Cells with the tag
``nbval-check-output`` must print what is committed, after sanitising; of the others it is only counted.  At the end
stands what was run, compared and not run, and which cells complained that do not on the embedded cluster.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterable
from typing import Any, Final

import pytest

from autograder.clusters.served import NOT_RUN
from autograder.notebook.server import CHOSEN, absolute

_MARK: Final = f"{NOT_RUN}: "
#: What nbval says of a cell that ran and printed something else.
_DIFFERENT: Final = "Cell outputs differ"


def pytest_configure(config: pytest.Config) -> None:
    """The kernels run in the folders of their notebooks."""
    if chosen := os.environ.get(CHOSEN):
        os.environ[CHOSEN] = absolute(chosen)
    config.pluginmanager.register(_Count(), "elsewhere-count")


class _Count:
    """What becomes of the cells."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()
        self._complained: list[str] = []
        self._ran = self._compared = self._same = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Run a cell; skip it afterwards if it could not be run there."""
        options = getattr(item, "options", None)
        if options is None:
            return (yield)
        must_hold, options["check"] = options["check"], True
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        outputs = getattr(item, "test_outputs", None) or []
        if reasons := not_run(outputs):
            self._reasons.update(reasons[:1])
            pytest.skip(reasons[0])
        self._ran += 1
        self._compared += must_hold
        self._same += failure is None
        item.user_properties.append(("same", failure is None))
        if failure and (must_hold or _DIFFERENT not in str(failure)):
            raise failure
        if complaint(outputs) and not complaint(item.cell.outputs):  # type: ignore[attr-defined]
            self._complained.append(f"{item.parent.name if item.parent else ''} {item.name}: {complaint(outputs)}")
        return None

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was run."""
        tell = terminalreporter.write_line
        terminalreporter.section(f"notebooks on {os.environ.get(CHOSEN, 'embedded')}")
        tell(f"{self._ran} cells ran, {self._reasons.total()} not run there")
        tell(f"{self._same} printed the same after sanitising, as {self._compared} must")
        for reason, count in self._reasons.most_common():
            tell(f"{count:5} {reason}")
        if self._complained:
            tell(f"{len(self._complained)} cells complained that do not on the embedded cluster:")
        for line in self._complained:
            tell(f"      {line}")


def not_run(outputs: Iterable[Any]) -> list[str]:
    """Why something of a cell was not run there; empty if all of it was."""
    lines = (line for output in outputs for line in _text(output).splitlines())
    return [line.partition(_MARK)[2].strip() for line in lines if _MARK in line]


def complaint(outputs: Iterable[Any]) -> str:
    """The first line of what a cell wrote to its standard error."""
    texts = (_text(output) for output in outputs if output.get("name") == "stderr")
    return next((line.strip() for text in texts for line in text.splitlines() if line.strip()), "")


def _text(output: Any) -> str:
    return str(output.get("text", "")) if output.get("output_type") == "stream" else ""
