"""A real control plane without containers: etcd and the Kubernetes programs as processes, and our nodes below them.

``folders``        where a run keeps its things, and how what a killed run has left is removed
``processes``      one program: start, readiness, log, stop
``control_plane``  the four programs: certificates, ports, command lines
``api``            the API over HTTPS, as our components expect it
``nodes``          kubelets, kube-proxy and CoreDNS in real time
``kubelet_server`` what the API server asks of kubelets: logs and commands
``cluster``        all of it behind the common interface
"""
