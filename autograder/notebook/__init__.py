"""The course in Jupyter: ``%load_ext autograder.notebook`` gives the magics and ``check``.

* ``%cluster new``: a fresh cluster of one's own, shared with the terminal
* ``%node worker-1 crictl ps``: a shell on one of its nodes
* ``%picture cluster``: what it looks like now
* ``%kubectl get pods``: the real kubectl against it
* ``%%manifest pod.yaml``: keep the text of the cell as an answer; ``%%commands`` and ``%%prediction`` do so too
* ``check("pods/first-pod")``: judge the answer, as the grader does; the points are the value
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by IPython for ``%load_ext``."""
    from autograder.notebook import nodes, practice  # need IPython, and importing the package does not
    from autograder.notebook.home import find_home
    from autograder.notebook.magics import CourseMagics
    from autograder.notebook.pictures import magic as pictures

    home = find_home()
    magics = CourseMagics(shell, home)
    shell.register_magics(magics)
    shell.push({"check": magics.check})  # type: ignore[no-untyped-call]
    practice.register(shell, home, magics.own_cluster)
    nodes.register(shell, home)
    pictures.register(shell, home)
