"""kube-proxy: from Services and EndpointSlices to the rules that a node's kernel follows."""
