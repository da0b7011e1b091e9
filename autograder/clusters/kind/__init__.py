"""A kind cluster on this machine: made if it is not there, used again, deleted on request only.

``engine``     the programs docker, podman and kind, and what their failures mean
``provision``  a cluster from its name: creation, images, deletion
``powers``     what is done on the node containers: stopping components, cutting power, putting all back
``names``      the nodes by the names that exercises know
``cluster``    all of it behind the common interface
"""
