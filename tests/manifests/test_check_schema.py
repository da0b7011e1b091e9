"""check_schema() says which fields are unknown, wrong or missing, where, and what was most likely meant."""

from __future__ import annotations

import pytest

from autograder.manifests import check_schema, parse

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n"
CONTAINER = POD + "  containers:\n  - name: a\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: b}]}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
QUOTA = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: a}\nspec:\n"


def said(text: str, version: str = "1.36") -> list[str]:
    manifest = parse(text, source="m")
    assert manifest.problems == ()
    return [str(problem) for document in manifest.documents for problem in check_schema(document, version)]


@pytest.mark.parametrize("text", [CONTAINER, DEPLOYMENT, SERVICE, CONFIG, SERVICE + "  ports: []\nstatus:\n"])
def test_a_good_object_has_no_problems(text: str) -> None:
    assert said(text) == []


UNKNOWN = {
    "a slip": (POD + "  container: []\n", '6:3: spec.container: unknown field; did you mean "containers"?'),
    "another case": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  Name: a\n",
        '4:3: metadata.Name: unknown field; did you mean "name"?',
    ),
    "a slip beside the right field": (
        CONTAINER + "  - name: b\n    Name: b\n",
        '9:5: spec.containers[1].Name: unknown field; did you mean "name"? It is given already',
    ),
    "a part of the name of a field that must be there": (
        CONTAINER + "    ports: [{port: 80}]\n",
        '8:14: spec.containers[0].ports[0].port: unknown field; did you mean "containerPort"?',
    ),
    "a field of a container in the pod": (
        CONTAINER + "  image: nginx\n",
        "8:3: spec.image: unknown field; `image` belongs to an entry of spec.containers",
    ),
    "a field of the pod in the deployment": (
        DEPLOYMENT + "  containers: []\n",
        "10:3: spec.containers: unknown field; `containers` belongs to spec.template.spec",
    ),
    "a field of the spec in the metadata": (
        DEPLOYMENT.replace("  name: web\n", "  replicas: 2\n"),
        "4:3: metadata.replicas: unknown field; `replicas` belongs to spec",
    ),
    "a field of the top level": (
        CONTAINER + "  metadata: {}\n",
        "8:3: spec.metadata: unknown field; `metadata` belongs to the top level, beside kind",
    ),
    "labels right under a selector": (
        DEPLOYMENT.replace("{matchLabels: {app: web}}", "{app: web}"),
        "6:14: spec.selector.app: unknown field; put it under matchLabels",
    ),
    "a quota right under the spec": (
        QUOTA + "  requests.cpu: 1\n",
        "5:3: spec[requests.cpu]: unknown field; put it under hard",
    ),
    "nothing like it": (CONTAINER + "    zzz: 1\n", "8:5: spec.containers[0].zzz: unknown field"),
}
TYPES = {
    "a number for a string": (
        CONFIG + "  port: 8080\n",
        '5:9: data.port: wanted a string, found the number 8080; put it in quotes: "8080"',
    ),
    "yes for a string": (
        CONFIG + "  debug: yes\n",
        '5:10: data.debug: wanted a string, found `yes`, which YAML reads as true; put it in quotes: "yes"',
    ),
    "true for a string": (
        CONFIG + "  debug: true\n",
        '5:10: data.debug: wanted a string, found true; put it in quotes: "true"',
    ),
    "an octal for a string": (
        CONFIG + "  mode: 0644\n",
        '5:9: data.mode: wanted a string, found `0644`, which YAML reads as 420; put it in quotes: "0644"',
    ),
    "a map for a string": (
        SERVICE + "  selector:\n    matchLabels: {app: web}\n",
        "6:18: spec.selector.matchLabels: wanted a string, found a map of fields; "
        "give it one value, or put its fields one level higher",
    ),
    "a list for a string": (CONFIG + "  a: [b]\n", "5:6: data.a: wanted a string, found a list"),
    "a string for a number": (
        DEPLOYMENT + '  replicas: "3"\n',
        '10:13: spec.replicas: wanted a whole number, found the string "3"; take the quotes away',
    ),
    "a word for a number": (
        DEPLOYMENT + "  replicas: three\n",
        '10:13: spec.replicas: wanted a whole number, found the string "three"',
    ),
    "a fraction for a number": (
        DEPLOYMENT + "  replicas: 1.5\n",
        "10:13: spec.replicas: wanted a whole number, found the number 1.5",
    ),
    "a string for true or false": (
        CONTAINER + '  hostNetwork: "true"\n',
        '8:16: spec.hostNetwork: wanted true or false, found the string "true"; take the quotes away',
    ),
    "a list for a map": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n- name: a\nspec: {containers: []}\n",
        "4:1: metadata: wanted a map of fields, found a list; take the dashes away",
    ),
    "a map for a list": (
        POD + "  containers:\n    name: a\n",
        "7:5: spec.containers: wanted a list, found a map of fields; begin each entry of the list with a dash: `- ...`",
    ),
    "a missing space after a colon": (
        SERVICE + "  selector: app:web\n",
        '5:13: spec.selector: wanted a map of fields, found the string "app:web"; put a space after the colon',
    ),
    "true for a port": (
        SERVICE + "  ports: [{port: 80, targetPort: true}]\n",
        "5:34: spec.ports[0].targetPort: wanted a string or a whole number, found true",
    ),
    "a number of more than 32 bits": (
        DEPLOYMENT + "  replicas: 3000000000\n",
        "10:13: spec.replicas: the number 3000000000 is too large; at most 2147483647 is possible",
    ),
    "a number of more than 32 bits below zero": (
        DEPLOYMENT + "  replicas: -3000000000\n",
        "10:13: spec.replicas: the number -3000000000 is too small; at least -2147483648 is possible",
    ),
}
VALUES = {
    "an enumeration in another case": (
        CONTAINER + "  restartPolicy: always\n",
        '8:18: spec.restartPolicy: "always" is not a value of this field; did you mean "Always"?',
    ),
    "no value of the enumeration": (
        CONTAINER + "  restartPolicy: Sometimes\n",
        '8:18: spec.restartPolicy: "Sometimes" is not a value of this field; '
        "it must be one of Always, OnFailure, Never",
    ),
    "an entry of a list of enumerated values": (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {accessModes: [ReadWriteOne]}\n",
        '4:22: spec.accessModes[0]: "ReadWriteOne" is not a value of this field; did you mean "ReadWriteOnce"?',
    ),
    "no quantity": (
        QUOTA + "  hard: {pods: ten}\n",
        '5:16: spec.hard.pods: "ten" is not a quantity; write a number and a unit: 500m, 0.5, 128Mi, 1Gi',
    ),
    "megabytes": (
        QUOTA + "  hard: {limits.memory: 64MB}\n",
        '5:25: spec.hard[limits.memory]: "64MB" is not a quantity; did you mean "64M"?',
    ),
    "a decimal comma": (
        QUOTA + "  hard: {limits.cpu: '0,5'}\n",
        '5:22: spec.hard[limits.cpu]: "0,5" is not a quantity; did you mean "0.5"?',
    ),
    "no base64": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: geheim!}\n",
        "4:18: data.password: this is not base64; use stringData for plain text",
    ),
    "no time": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: today}\n",
        '3:40: metadata.creationTimestamp: "today" is not a time; write it like 2026-01-31T12:00:00Z',
    ),
    "an empty entry": (
        SERVICE + "  ports:\n  - port: 80\n  -\n",
        "7:4: spec.ports[1]: this entry of the list is empty; write something behind the dash, or take the dash away",
    ),
}
REQUIRED = {
    "a field": (
        SERVICE + "  ports:\n  - name: http\n",
        "6:5: spec.ports[0].port: this field is required; add `port`",
    ),
    "a field in the field": (
        DEPLOYMENT.replace("  selector: {matchLabels: {app: web}}\n", ""),
        "5:1: spec.selector: this field is required; add `selector`",
    ),
    "a field without a value": (
        POD + "  containers:\n",
        "6:14: spec.containers: this field is required, and it has no value",
    ),
    "the spec": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
        "1:1: spec: this field is required; it has at least containers",
    ),
}
KINDS = {
    "no apiVersion": (
        DEPLOYMENT.replace("apiVersion: apps/v1\n", ""),
        "1:1: apiVersion: this field is required; add `apiVersion: apps/v1`",
    ),
    "no kind": (
        "apiVersion: v1\n",
        "1:1: kind: this field is required; every object begins with apiVersion and kind; add `kind: ...`",
    ),
    "a slip in apiVersion": (
        "apiversion: v1\nkind: ConfigMap\n",
        '1:1: apiversion: unknown field; did you mean "apiVersion"?',
    ),
    "a number as apiVersion": (
        "apiVersion: 1\nkind: Pod\n",
        '1:13: apiVersion: wanted a string, found the number 1; put it in quotes: "1"',
    ),
    "the wrong group": (
        DEPLOYMENT.replace("apps/v1", "v1"),
        "1:13: apiVersion: kind Deployment lives in apps/v1, not v1; write `apiVersion: apps/v1`",
    ),
    "an old group": (
        "apiVersion: extensions/v1beta1\nkind: Ingress\n",
        "1:13: apiVersion: kind Ingress lives in networking.k8s.io/v1, not extensions/v1beta1; "
        "write `apiVersion: networking.k8s.io/v1`",
    ),
    "a slip in the kind": (
        DEPLOYMENT.replace("Deployment", "Deploymnet"),
        '2:7: kind: there is no kind "Deploymnet"; did you mean "Deployment"?',
    ),
    "a kind in lower case": (CONTAINER.replace("Pod", "pod"), '2:7: kind: there is no kind "pod"; did you mean "Pod"?'),
    "no such kind": (
        "apiVersion: apps/v1\nkind: Zork\n",
        '2:7: kind: there is no kind "Zork" in apps/v1; check its spelling',
    ),
    "a custom resource": (
        "apiVersion: example.com/v1\nkind: Widget\n",
        '2:7: kind: Kubernetes itself has no kind "Widget" in "example.com/v1"; '
        "only a custom resource definition can add it",
    ),
}


@pytest.mark.parametrize(("text", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_field_is_said_with_what_was_meant(text: str, message: str) -> None:
    assert said(text) == [f"m:{message}"]


@pytest.mark.parametrize(("text", "message"), TYPES.values(), ids=TYPES)
def test_a_wrong_type_is_said_with_wanted_and_found(text: str, message: str) -> None:
    assert said(text) == [f"m:{message}"]


@pytest.mark.parametrize(("text", "message"), VALUES.values(), ids=VALUES)
def test_a_wrong_value_is_said_with_the_right_ones(text: str, message: str) -> None:
    assert said(text) == [f"m:{message}"]


@pytest.mark.parametrize(("text", "message"), REQUIRED.values(), ids=REQUIRED)
def test_a_missing_field_is_said_where_it_is_missing(text: str, message: str) -> None:
    assert said(text) == [f"m:{message}"]


@pytest.mark.parametrize(("text", "message"), KINDS.values(), ids=KINDS)
def test_a_wrong_kind_is_said_with_the_right_one(text: str, message: str) -> None:
    assert said(text) == [f"m:{message}"]


def test_all_problems_are_said_in_reading_order() -> None:
    text = DEPLOYMENT.replace("apps/v1", "v1").replace("name: a", "nme: a") + "  replicas: '1'\n"
    assert [line.split(": ")[1] for line in said(text)] == [
        "apiVersion",
        "spec.template.spec.containers[0].nme",
        "spec.replicas",
    ]


def test_the_check_goes_by_the_version() -> None:
    text = CONTAINER + "    resizePolicy: []\n"
    assert said(text, "1.36") == []
    assert said(text, "1.25") == ["m:8:5: spec.containers[0].resizePolicy: unknown field"]


def test_problems_of_an_object_in_a_list_have_its_own_paths() -> None:
    text = "kind: List\nitems:\n- kind: ConfigMap\n  apiVersion: v1\n  dat: {}\n"
    assert said(text) == ['m:5:3: dat: unknown field; did you mean "data"?']


def test_a_slip_is_not_said_to_be_missing_too() -> None:
    assert said(CONTAINER.replace("spec:", "Spec:")) == ['m:5:1: Spec: unknown field; did you mean "spec"?']


def test_at_most_fifty_problems_are_listed_however_many_there_are() -> None:
    lines = said(POD + "  containers: []\n" + "".join(f"  field{number}: 1\n" for number in range(10_000)))
    assert len(lines) == 51
    assert lines[-1] == "there may be more problems than these; solve these first"


def test_what_only_looks_wrong_is_a_warning() -> None:
    (document,) = parse(VALUES["an empty entry"][0]).documents
    assert [problem.severity for problem in check_schema(document)] == ["warning"]
    (document,) = parse(KINDS["a custom resource"][0]).documents
    assert [problem.severity for problem in check_schema(document)] == ["warning"]
