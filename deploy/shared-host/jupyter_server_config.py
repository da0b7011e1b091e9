"""Jupyter's servers of everybody on the host."""

c = get_config()  # noqa: F821  whoever reads this file provides it

# What a kernel prints goes to whoever connects to its port, without a question; nobody else connects to a socket in a
# home folder.
c.KernelManager.transport = "ipc"
