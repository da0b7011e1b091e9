"""kube-apiserver: the one place where all others meet, and the only one that reaches the store.

Read it in this order: ``server`` (the function), ``routing`` (what a request is about), ``authentication`` and
``authorization`` (who may ask), ``handlers`` (the verbs), ``incoming`` with ``decoding`` and ``defaulting`` (from bytes
to an object), ``registry`` (what becomes of it: ``admission``, ``preparing``, ``validation``, the store), ``watching``
and ``representation`` with ``tables`` (what goes out).
"""
