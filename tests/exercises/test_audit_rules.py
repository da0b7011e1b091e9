"""A rule that catches nothing is no rule: for what the audit promises, exercises that break just that.

The exercise is a Deployment and its Service.  Its own checks are right; ``NAIVE`` has one for each way of writing the
same answer, which looks at how it was written.  ``test_auditing.py`` has what can be wrong in the texts.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.clusters import Cluster
from autograder.exercises import load
from autograder.exercises.audit import Auditor
from autograder.exercises.loading import exercises_root

SHOP = {
    "task.md": """\
---
title: Shop
kind: manifest
difficulty: easy
points: 2
minutes: 5
---
Write the Deployment `shop` of 0 Pods with the label `app: shop`, whose container `web` runs `nginx:1.27` and requests
`500m` of CPU, and the Service `shop` that leads to port 80 of it.
""",
    "starter.yaml": "# apiVersion: ...\n",
    "solution.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: 0
  selector:
    matchLabels:
      app: shop
  template:
    metadata:
      labels:
        app: shop
    spec:
      containers:
        - name: web
          image: nginx:1.27
          resources:
            requests:
              cpu: 500m
---
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector:
    app: shop
  ports:
    - port: 80
      protocol: TCP
""",
    "hints.md": "There are two objects.\n---\nOne of them leads to the other.\n",
    "checks.py": '''\
from __future__ import annotations

from autograder.checks import Review, criterion, gate


@gate("exists")
def exists(review: Review) -> None:
    """Who looks for it knows its name."""
    review.object("Deployment", "shop")


def document(review: Review, kind: str):
    return next(one for one in review.sources.documents if one.kind == kind)


def raw(review: Review, kind: str):
    return document(review, kind).value


def written(review: Review):
    return raw(review, "Deployment")["spec"]["template"]["spec"]["containers"][0]


@criterion("program", points=1)
def program(review: Review) -> None:
    """A program runs."""
    owner = review.object("Deployment", "shop")
    owner.field("spec.replicas").equals(0)
    owner.container("web").field("image").is_image("nginx:1.27")
    owner.container("web").requested("cpu").is_quantity("500m")


@criterion("address", points=1)
def address(review: Review) -> None:
    """It can be reached."""
    service = review.object("Service", "shop")
    service.field("spec.selector").equals({"app": "shop"})
    service.field("spec.ports[80].port").equals(80)
''',
    "mutants/name.yaml": "# loses: exists\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n",
}

#: The claim of a naive check, and the variant that it rejects.
NAIVE = {
    "a quantity in one spelling": (
        'written(review)["resources"]["requests"]["cpu"] == "500m"',
        "cpu: 500m as '0.5'",
    ),
    "an image by its short name": (
        'written(review)["image"] == "nginx:1.27"',
        "images of docker.io/library/",
    ),
    "a selector in one form": (
        '"matchLabels" in raw(review, "Deployment")["spec"]["selector"]', "matchExpressions",
    ),
    "no label more on an object": (
        'not review.object("Deployment", "shop").field("metadata.labels").value', "labels more on the objects",
    ),
    "no label more on a Pod": (
        'review.object("Deployment", "shop").field("spec.template.metadata.labels").value == {"app": "shop"}',
        "labels more on the templates",
    ),
    "a default that is left out": (
        '"type" not in raw(review, "Service")["spec"]', "spec.type written out",
    ),
    "a default that is written out": (
        '"protocol" in raw(review, "Service")["spec"]["ports"][0]', "spec.ports.0.protocol left out",
    ),
    "an order of keys": (
        'list(raw(review, "Service"))[0] == "apiVersion"', "keys reversed",
    ),
    "an order of documents": (
        'review.sources.documents[0].kind == "Deployment"', "documents reversed",
    ),
    "all in one file": (
        'len({one.source for one in review.sources.documents}) == 1', "several files",
    ),
    "YAML and no JSON": (
        'document(review, "Service").source.endswith(".yaml")', "JSON",
    ),
    "nothing written that says nothing": (
        '"annotations" not in raw(review, "Service")["metadata"]', "annotations: null",
    ),
}  # fmt: skip

#: What replaces what in the checks, and what the audit finds.
SPOILED = {
    "a field that is only asked to be there": (
        'equals({"app": "shop"})', "is_present()", "mutant (spec.selector.app: 'shop-x') is wrong and earns",
    ),
    "an amount that is only asked to be there": (
        'is_quantity("500m")', "is_present()",
        "mutant (spec.template.spec.containers.0.resources.requests.cpu: '1') is wrong and earns",
    ),
    "a message that says nothing": (
        'service.field("spec.ports[80].port").equals(80)',
        'review.require(service.field("spec.ports[80].port").value == 80, "", wanted="80", found="another")',
        "mutants/address.yaml: address has an empty message",
    ),
}  # fmt: skip

#: A criterion with a claim of ``NAIVE``.
CRITERION = '''

@criterion("{name}", points=1)
def naive_{number}(review: Review) -> None:
    """It looks at how the answer was written."""
    review.require({claim}, "no", wanted="", found="")
'''


@pytest.fixture(scope="module")
def auditor(warm: Cluster) -> Auditor:
    return Auditor(warm, warm.fork())


def shop_texts() -> dict[str, str]:
    """The files of the exercise."""
    solution = SHOP["solution.yaml"]
    return {
        **SHOP,
        "accepted/same.yaml": solution,
        "mutants/program.yaml": "# loses: program\n" + solution.replace("nginx:1.27", "nginx:1.26"),
        "mutants/address.yaml": "# loses: address\n" + solution.replace("port: 80", "port: 81"),
    }


def write(root: Path, texts: dict[str, str]) -> Path:
    """Make the exercise ``topic/shop`` below a folder."""
    folder = root / "topic" / "shop"
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the exercise, which a test may spoil before it is loaded."""
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(tmp_path))
    return write(tmp_path, shop_texts())


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def findings(auditor: Auditor, exercise: str = "topic/shop") -> list[str]:
    return auditor.audit(load(exercise)).findings


def test_nothing_is_found_in_a_right_exercise(auditor: Auditor, shop: Path) -> None:
    assert findings(auditor) == []


@pytest.fixture(scope="module")
def naive(auditor: Auditor, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the audit finds in an exercise with all the claims of ``NAIVE``, each a criterion of its own."""
    root = tmp_path_factory.mktemp("naive")
    texts = shop_texts()
    texts["task.md"] = texts["task.md"].replace("points: 2", f"points: {2 + len(NAIVE)}")
    for number, (name, (claim, _)) in enumerate(NAIVE.items()):
        texts["checks.py"] += CRITERION.format(name=name, number=number, claim=claim)
    write(root, texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_EXERCISES", str(root))
        return findings(auditor)


@pytest.mark.parametrize(("name", "variant"), [(name, variant) for name, (_, variant) in NAIVE.items()])
def test_a_check_that_wants_one_way_of_writing_is_found(naive: list[str], name: str, variant: str) -> None:
    found = [one for one in naive if one.startswith(f"variant ({variant}) earns ") and f" {name}: no" in one]
    assert len(found) == 1, naive


def test_naive_checks_are_right_about_the_solution_itself(naive: list[str]) -> None:
    assert not [one for one in naive if one.startswith("solution earns")]


@pytest.mark.parametrize(("old", "new", "finding"), SPOILED.values(), ids=SPOILED)
def test_a_check_that_does_too_little_is_found(auditor: Auditor, shop: Path, old: str, new: str, finding: str) -> None:
    spoil(shop, "checks.py", old, new)
    found = findings(auditor)
    assert any(finding in one for one in found), found


def test_the_solution_is_judged_on_a_second_cluster(warm: Cluster, shop: Path) -> None:
    """What is right by luck in one cluster is not right in another."""
    full = warm.fork()
    full.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
                 "spec": {"hard": {"services": 0}}})  # fmt: skip
    found = findings(Auditor(warm, full))
    assert len(found) == 1
    assert found[0].startswith("solution earns 1 of 2")


def test_values_that_do_not_fit_together_are_found(auditor: Auditor, folder: Path) -> None:
    spoil(folder, "solution.yaml", "{{ size }}", "3")
    found = findings(auditor, "topic/settings")
    assert any(one.startswith("solution for {'name': 'settings', 'size': 9} earns 1 of 3") for one in found), found


def test_a_mutant_that_is_right_for_some_values_is_found(auditor: Auditor, folder: Path) -> None:
    spoil(folder, "mutants/large.yaml", "100", "9")
    assert any("mutants/large.yaml loses nothing" in one for one in findings(auditor, "topic/settings"))


def test_a_drawn_value_that_stands_in_the_task_gives_nothing_away(auditor: Auditor, folder: Path) -> None:
    spoil(folder, "task.md", "minutes: 5", "minutes: 5\nwanted: hidden")
    claim = 'satisfies(lambda value: value == str(review.values["size"]), str(review.values["size"]))'
    spoil(folder, "checks.py", 'equals(str(review.values["size"]))', claim)
    assert findings(auditor, "topic/settings") == []


def test_a_lead_must_not_tell_the_answer(auditor: Auditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(exercises_root() / "scheduler/no-scheduler", tmp_path / "scheduler/no-scheduler")
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(tmp_path))
    spoil(tmp_path / "scheduler/no-scheduler", "task.md", "and at what waits for it.", "or it is pending.")
    (found,) = findings(auditor, "scheduler/no-scheduler")
    assert found.startswith("what leads to phase gives away the answer")
