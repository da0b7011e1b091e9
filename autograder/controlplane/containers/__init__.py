"""The machines below the cluster: node hosts, the container runtime on them, and the network between them.

Nothing here speaks to the API server.  Kubelets and kube-proxy drive the machines as the real ones drive containerd
and the kernel, and what runs on a machine goes on running while they are stopped.
"""
