"""The schemas of every version of Kubernetes are found by kind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autograder.manifests import Schemas
from autograder.manifests.enums import ENUMS
from autograder.manifests.schema import GroupVersionKind, UnknownVersion, available_versions


def test_the_versions_there_are() -> None:
    assert available_versions() == tuple(f"1.{minor}" for minor in range(25, 38))


@pytest.mark.parametrize("version", ["1.36", "v1.36", "1.36.2", "v1.36.2"])
def test_a_version_may_be_written_in_several_ways(version: str) -> None:
    assert Schemas(version).version == "1.36"
    assert Schemas.of(version) is Schemas.of("1.36")


@pytest.mark.parametrize("version", ["1.12", "2.0", "latest", "", "../v1.36"])
def test_an_unknown_version_is_refused(version: str) -> None:
    with pytest.raises(UnknownVersion, match=r"there are 1\.25 to 1\.37"):
        Schemas(version)


def test_a_kind_is_looked_up_by_api_version() -> None:
    schemas = Schemas.of()
    assert schemas.lookup("apps/v1", "Deployment") == "io.k8s.api.apps.v1.Deployment"
    assert schemas.lookup("v1", "Pod") == "io.k8s.api.core.v1.Pod"
    assert schemas.lookup("v1", "Deployment") is None
    assert schemas.kinds[GroupVersionKind("batch", "v1", "Job")] == "io.k8s.api.batch.v1.Job"


def test_the_api_versions_of_a_kind_begin_with_the_newest_stable_one() -> None:
    schemas = Schemas.of()
    assert schemas.api_versions_of("HorizontalPodAutoscaler") == ("autoscaling/v2", "autoscaling/v1")
    assert schemas.api_versions_of("ResourceClaim")[0] == "resource.k8s.io/v1"
    assert schemas.api_versions_of("Deploymnet") == ()


def test_versions_differ() -> None:
    assert Schemas.of("1.25").api_versions_of("HorizontalPodAutoscaler")[-1].startswith("autoscaling/v2beta")
    assert Schemas.of("1.25").lookup("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy") is None


def test_a_field_has_a_type_and_an_explanation() -> None:
    field = Schemas.of().field("v1", "Pod", ("spec", "containers", 0, "ports", 0, "containerPort"))
    assert field is not None
    assert field["type"] == "integer"
    assert "port" in field["description"]


def test_a_field_may_stand_in_a_free_form_map() -> None:
    schemas = Schemas.of()
    assert schemas.field("v1", "Pod", ("metadata", "labels", "any")) == {"type": ["string", "null"]}
    assert schemas.field("v1", "Pod", ("spec", "replicas")) is None
    assert schemas.field("v1", "Pad", ("spec",)) is None


def test_every_enumeration_is_one_of_a_text_field_there_is() -> None:
    schemas = Schemas.of()
    for (definition, name), values in ENUMS.items():
        _, field = schemas.resolve(schemas.definitions[f"io.k8s.{definition}"]["properties"][name])
        if "items" in field:
            _, field = schemas.resolve(field["items"])
        assert "string" in field["type"], (definition, name)
        assert len(set(values)) == len(values) > 1, (definition, name)


def test_reading_manifests_loads_no_schema_and_no_validator() -> None:
    code = (
        "import sys; from autograder.manifests import parse; parse('a: 1');"
        "print([name for name in sys.modules if name in ('kubernetes_validate', 'jsonschema', 'difflib')])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=True)
    assert answer.stdout == "[]\n"
