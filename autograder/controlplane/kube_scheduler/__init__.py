"""kube-scheduler: finds a node for every pod that has none.

Read it in this order: ``scheduler`` (the component), ``algorithm`` (one pod, one decision), ``interface`` (the
extension points), ``framework`` (which plugins it calls there), ``plugins`` (the rules), ``queue`` (which pod is next
and which are retried when).
"""
