"""The kubelets: on each node, the one that makes containers out of pods and tells the API server of them.

Read them in this order: ``fleet`` (the component, and on which nodes a kubelet runs), ``pod_manager`` (which pods there
are, and whose turn it is), ``pod_worker`` (one pod, one turn), ``container_worker`` (its containers), ``pod_status``
(what is said of it), ``api`` (what the API server asks).
"""
