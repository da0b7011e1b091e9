"""Which claims, volumes and storage classes are accepted, and what may change about them."""

from __future__ import annotations

import pytest

from autograder.controlplane.kube_apiserver import validation


def claim(**spec):
    """A PersistentVolumeClaim."""
    full = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    metadata = {"name": "data", "namespace": "dev"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": full}


def volume(**spec):
    """A PersistentVolume."""
    full = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/data"}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": full}


def storage_class(**fields):
    """A StorageClass."""
    named = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
    return {**named, "provisioner": "example.com/disk", **fields}


def test_claims_volumes_and_classes_have_defaults(completed):
    assert completed(claim())["spec"]["volumeMode"] == "Filesystem"
    assert completed(volume())["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    made = completed(storage_class())
    assert (made["reclaimPolicy"], made["volumeBindingMode"]) == ("Delete", "Immediate")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"accessModes": []}, ["spec.accessModes: Required value: at least 1 access mode is required"]),
        ({"accessModes": ["ReadWriteOncePod", "ReadOnlyMany"]}, [
            "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
        ]),
        ({"resources": {}}, ["spec.resources[storage]: Required value"]),
        ({"resources": {"requests": {"storage": "0"}}}, [
            'spec.resources[storage]: Invalid value: "0": must be greater than zero',
        ]),
        ({"volumeMode": "Disk"}, [
            'spec.volumeMode: Unsupported value: "Disk": supported values: "Block", "Filesystem"',
        ]),
        ({"dataSourceRef": {"kind": "Backup", "name": "b"}}, [
            'spec.dataSource: Invalid value: "Backup": '
            "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
            'spec.dataSourceRef: Invalid value: "Backup": '
            "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_claim(refusals, spec, expected):
    assert refusals(claim(**spec)) == expected


def test_old_clients_silently_lose_sources_that_are_neither_claims_nor_snapshots(completed):
    assert "dataSource" not in completed(claim(dataSource={"kind": "Backup", "name": "b"}))["spec"]


def test_a_claim_that_is_not_bound_does_not_change(refusals_of_change):
    [error] = refusals_of_change(claim(), claim(resources={"requests": {"storage": "2Gi"}}))
    said, _, difference = error.partition("\n")
    assert said == (
        "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for "
        "bound claims"
    )
    assert difference.startswith("@@")
    assert '+   "storage": "2Gi"' in difference


def test_a_bound_claim_may_grow_but_not_shrink_below_what_it_has(completed):
    old = completed(claim(resources={"requests": {"storage": "2Gi"}}))
    old["metadata"]["resourceVersion"] = "1"
    old["status"] = {"phase": "Bound", "capacity": {"storage": "2Gi"}}

    def said(size):
        new = {**old, "spec": {**old["spec"], "resources": {"requests": {"storage": size}}}}
        return [str(error) for error in validation.validate_update("core/v1.PersistentVolumeClaim", new, old)]

    assert said("3Gi") == []
    assert said("1Gi") == ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"hostPath": None}, ["spec: Required value: must specify a volume type"]),
        ({"nfs": {"server": "s", "path": "/"}}, ["spec.nfs: Forbidden: may not specify more than 1 volume type"]),
        ({"hostPath": None, "local": {"path": "/disk"}}, [
            "spec.nodeAffinity: Required value: Local volume requires node affinity",
        ]),
        ({"hostPath": None, "csi": {"driver": "d.example.com"}}, ["spec.csi.volumeHandle: Required value"]),
        ({"capacity": {"cpu": "1"}}, [
            'spec.capacity: Unsupported value: {"cpu":"1"}: supported values: "storage"',
        ]),
        ({"capacity": {"storage": "-5Gi"}}, [
            "spec.capacity[storage]: Invalid value: -5368709120: must be a valid resource quantity",
            'spec.capacity[storage]: Invalid value: "-5Gi": must be greater than zero',
        ]),
        ({"nodeAffinity": {}}, [
            "spec.nodeAffinity.required: Required value: must specify required node constraints",
        ]),
        ({"nodeAffinity": {"required": {"nodeSelectorTerms": []}}}, [
            "spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term",
        ]),
        ({"volumeAttributesClassName": ""}, [
            "spec.volumeAttributesClassName: Required value: an empty string is disallowed",
            "spec.csi: Required value: has to be specified when using volumeAttributesClassName",
        ]),
        ({"hostPath": None, "csi": {"driver": "d", "volumeHandle": "h", "nodeExpandSecretRef": {"name": "s"}}}, [
            "spec.csi.nodeExpandSecretRef.namespace: Required value",
        ]),
        ({"hostPath": {"path": "/"}, "persistentVolumeReclaimPolicy": "Recycle"}, [
            "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_volume(refusals, spec, expected):
    assert refusals(volume(**spec)) == expected


def test_the_place_of_a_volume_stays(refusals_of_change):
    [error] = refusals_of_change(volume(), volume(hostPath={"path": "/other"}))
    assert error.startswith(
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n@@"
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"provisioner": ""}, ["provisioner: Required value"]),
        ({"allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}] * 2}, [
            'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
        ]),
        ({"allowedTopologies": [{}]}, ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""']),
        ({"reclaimPolicy": "Recycle"}, [
            'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        ]),
        ({"volumeBindingMode": "Later"}, [
            'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_storage_class(refusals, fields, expected):
    assert refusals(storage_class(**fields)) == expected


def test_what_volumes_of_a_class_are_made_of_stays(refusals_of_change):
    assert refusals_of_change(storage_class(parameters={"type": "ssd"}), storage_class(parameters={"type": "hdd"})) == [
        'parameters: Invalid value: {"type":"hdd"}: field is immutable'
    ]


def test_the_class_that_a_claim_names_in_an_annotation_stays():
    old = claim()
    old["metadata"] |= {"resourceVersion": "1", "annotations": {"volume.beta.kubernetes.io/storage-class": "fast"}}
    new = {**old, "metadata": {**old["metadata"], "annotations": {}}}
    found = [str(error) for error in validation.validate_update("core/v1.PersistentVolumeClaim", new, old)]
    assert found == [
        'metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "": field is immutable'
    ]
