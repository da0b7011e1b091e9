"""``%node``: what it prints, and that nothing a student writes raises."""

from __future__ import annotations

from typing import Any, cast

import pytest

from autograder.notebook import nodes
from autograder.notebook.server import ClusterTrouble, StudentCluster


class Answering:
    """A cluster that answers with what it was asked, or has trouble."""

    def post(self, name: str, **fields: Any) -> dict[str, Any]:
        if fields["target"] == "nowhere":
            raise ClusterTrouble("no machine is called nowhere")
        return {"stdout": f"{name} {fields}\n", "stderr": "complaint\n", "code": 1}


@pytest.mark.parametrize(
    ("line", "out", "err"),
    [
        ("worker-1 ps aux | grep kubelet", "node {'target': 'worker-1', 'command': 'ps aux | grep kubelet'}\n",
         "complaint\n"),
        ("worker-1", "", nodes.USAGE + "\n"),
        ("", "", nodes.USAGE + "\n"),
        ("nowhere true", "", "no machine is called nowhere\n"),
    ],
)  # fmt: skip
def test_a_line_runs_on_its_node_or_says_what_is_wrong(
    line: str, out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes.run(cast(StudentCluster, Answering()), line)
    assert capsys.readouterr() == (out, err)
