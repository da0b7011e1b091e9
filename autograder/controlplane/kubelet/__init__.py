"""The kubelets: on each node, the one that makes containers out of pods and tells the API server of them."""
