"""A Kubernetes control plane in one Python thread, in virtual time.

One room per component of a real cluster, named as Kubernetes names them.  Components meet only at the API
server: each lists, watches and writes through it, and none reaches into another or into the store.
"""
