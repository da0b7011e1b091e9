"""Pictures of the student's cluster, for those who would rather look than read: ``%picture cluster``.

A picture is drawn by a pure function from what the cluster answers.  It is SVG with a text alternative that says the
same; the colours are those of Okabe and Ito, which colour-blind readers tell apart, and never say anything alone.
"""

from autograder.notebook.pictures.picture import Picture

__all__ = ["Picture"]
