"""A hands-on course on the core of Kubernetes, and the autograder behind it.

The package is layered, and import-linter holds the layers: ``controlplane`` (a Kubernetes control plane in
this process) knows nothing of ``clusters`` (one interface to every kind of cluster), which knows nothing of
``checks``, and so on up to ``grading``, ``notebook`` and ``cli``.
"""

__version__ = "0.1.0"
