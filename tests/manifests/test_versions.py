"""One object, thirteen versions of Kubernetes: which take it, and what the others say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.manifests import parse
from autograder.manifests.schema import UnknownVersion, available_versions
from autograder.manifests.versions import VersionVerdict, judge_versions, ranges, versions_between

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: app
      image: nginx
"""
RESIZABLE = POD + "      resizePolicy:\n        - {resourceName: cpu, restartPolicy: NotRequired}\n"


def judged(text: str, *versions: str) -> VersionVerdict:
    """What these versions (else all) say of the one object in the text."""
    (document,) = parse(text, source="pod.yaml").documents
    return judge_versions(document, versions or None)


def said(text: str) -> list[str]:
    return [str(refusal) for refusal in judged(text).refusals]


def test_what_every_version_takes() -> None:
    verdict = judged(POD)
    assert verdict.accepted == available_versions()
    assert (verdict.refusals, verdict.refused, verdict.note) == ((), (), "")


def test_a_field_that_is_new() -> None:
    assert said(RESIZABLE) == ["1.25-1.26: pod.yaml:9:7: spec.containers[0].resizePolicy: not known before 1.27"]
    assert judged(RESIZABLE).accepted == versions_between("1.27")


def test_a_field_that_is_gone() -> None:
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec:\n"
    text = claim + "  accessModes: [ReadWriteOnce]\n  resources:\n    claims: [{name: x}]\n"
    place = "pod.yaml:7:5: spec.resources.claims"
    assert said(text) == [f"1.25: {place}: not known before 1.26", f"1.29-1.37: {place}: gone since 1.29"]


def test_a_field_that_no_version_knows_is_said_with_what_was_meant() -> None:
    (line,) = said(POD + "      imagepullpolicy: Always\n")
    assert line.startswith("1.25-1.37: pod.yaml:9:7: spec.containers[0].imagepullpolicy: unknown field")
    assert 'did you mean "imagePullPolicy"?' in line


def test_a_value_of_a_wrong_type() -> None:
    (refusal,) = judged(POD + '      ports: [{containerPort: "80"}]\n').refusals
    assert (refusal.versions, refusal.reason) == (available_versions(), "invalid")
    assert "wanted a whole number" in refusal.message


#: What is gone, with the first version that refuses it and where it went. The oldest schemas are those of 1.25, and
#: what 1.25 itself removed is known to none of them.
REMOVALS = [
    ("policy/v1beta1", "PodDisruptionBudget", "1.25", {"policy/v1"}),
    ("batch/v1beta1", "CronJob", "1.25", {"batch/v1"}),
    ("discovery.k8s.io/v1beta1", "EndpointSlice", "1.25", {"discovery.k8s.io/v1"}),
    ("events.k8s.io/v1beta1", "Event", "1.25", {"events.k8s.io/v1"}),
    ("node.k8s.io/v1beta1", "RuntimeClass", "1.25", {"node.k8s.io/v1"}),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler", "1.25", {"autoscaling/v2"}),
    ("extensions/v1beta1", "Ingress", "1.25", {"networking.k8s.io/v1"}),
    ("extensions/v1beta1", "Deployment", "1.25", {"apps/v1"}),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.26", {"autoscaling/v2"}),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema", "1.26", {"flowcontrol.apiserver.k8s.io/v1beta3",
                                                                    "flowcontrol.apiserver.k8s.io/v1"}),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity", "1.27", {"storage.k8s.io/v1"}),
    ("flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema", "1.29", {"flowcontrol.apiserver.k8s.io/v1"}),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "PriorityLevelConfiguration", "1.32", {"flowcontrol.apiserver.k8s.io/v1"}),
]  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "since", "now"), REMOVALS)
def test_an_api_that_is_gone_is_said_with_what_replaces_it(
    api_version: str, kind: str, since: str, now: set[str]
) -> None:
    verdict = judged(f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\n")
    gone = [refusal for refusal in verdict.refusals if refusal.path == ("apiVersion",)]
    gone = [refusal for refusal in gone if refusal.reason != "new"]
    assert [version for refusal in gone for version in refusal.versions] == list(versions_between(since))
    told = {refusal.hint.split("`")[1].removeprefix("apiVersion: ") for refusal in gone}
    assert told == now
    if since == available_versions()[0]:
        assert f"no version since 1.25 has {kind} in {api_version}" in gone[0].message
    else:
        assert f"gone since {since}" in gone[0].message
        assert gone[0].reason == "removed"


def test_a_kind_that_has_no_successor() -> None:
    refusals = judged(_of("resource.k8s.io/v1alpha2", "PodSchedulingContext")).refusals
    (refusal,) = (refusal for refusal in refusals if "1.37" in refusal.versions)
    assert refusal.hint == "no other group or version has this kind either"


def _of(api_version: str, kind: str) -> str:
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n"


def test_an_api_that_is_new_is_said_with_what_came_before() -> None:
    refusals = judged(_of("resource.k8s.io/v1", "DeviceClass")).refusals
    assert {refusal.reason for refusal in refusals} == {"new"}
    assert all("not known before 1.34" in refusal.message for refusal in refusals)
    assert refusals[0].hint == "no other group or version has this kind either"
    assert refusals[-1].hint.startswith("write `apiVersion: resource.k8s.io/v1beta2`, known in 1.33-")


def test_an_alpha_api_has_a_note() -> None:
    assert "switched on" in judged(_of("resource.k8s.io/v1alpha3", "DeviceClass")).note


def test_a_misspelt_kind_is_refused_by_all() -> None:
    verdict = judged("apiVersion: v1\nkind: Podd\nmetadata: {name: x}\nspec: {containers: []}\n")
    assert verdict.refused == available_versions()
    assert [refusal.hint for refusal in verdict.refusals if refusal.path == ("kind",)] == ['did you mean "Pod"?']


def test_a_custom_resource_is_not_judged() -> None:
    verdict = judged("apiVersion: example.com/v1\nkind: Sausage\nmetadata: {name: x}\n")
    assert (verdict.judged, verdict.accepted, verdict.refused) == (False, (), ())
    assert "custom resource definition" in verdict.note


@pytest.mark.parametrize("text", ["{}", "kind: Pod", "apiVersion: v1", "apiVersion: 1\nkind: [Pod]", "a: b"])
def test_what_has_no_kind_is_refused_by_all_that_are_asked(text: str) -> None:
    assert judged(text, "1.30", "1.31").refused == ("1.30", "1.31")


def test_only_some_versions_are_asked_and_history_is_told_all_the_same() -> None:
    verdict = judged(RESIZABLE, "1.26")
    assert verdict.refused == ("1.26",)
    assert "not known before 1.27" in verdict.refusals[0].message


@pytest.mark.parametrize(
    ("versions", "short"),
    [
        ((), ""),
        (("1.30",), "1.30"),
        (("1.25", "1.26", "1.27"), "1.25-1.27"),
        (("1.31", "1.25", "1.26"), "1.25-1.26, 1.31"),
        (available_versions(), "1.25-1.37"),
    ],
)
def test_ranges_are_short(versions: tuple[str, ...], short: str) -> None:
    assert ranges(versions) == short


def test_versions_are_written_in_several_ways() -> None:
    assert versions_between() == available_versions()
    assert versions_between("v1.36.2") == ("1.36", "1.37")
    assert versions_between("", "1.26") == ("1.25", "1.26")


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [("1.24", "", "1.25 to 1.37"), ("", "1.99", "1.25 to 1.37"), ("next", "", "next"), ("1.30", "1.29", "older")],
)
def test_a_range_that_there_is_not_is_refused(first: str, last: str, says: str) -> None:
    with pytest.raises(UnknownVersion, match=says.replace(".", r"\.")):
        versions_between(first, last)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], str]:
    """Writes a manifest; its path."""

    def write(text: str) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_the_command_prints_a_paragraph_for_each_object(
    written: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(f"{RESIZABLE}---\n{_of('autoscaling/v2beta2', 'HorizontalPodAutoscaler')}")
    assert main(["versions", path]) == 1
    out = capsys.readouterr().out
    assert f"{path}:1: v1 Pod web: accepted by 1.27-1.37, refused by 1.25-1.26\n    1.25-1.26: {path}:9:7: " in out
    assert "1.26-1.37: " in out
    assert out.endswith("all 2 objects: accepted by no version\n")


def test_the_command_looks_into_lists_and_several_files(
    written: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    items = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"  {'-' if number == 0 else ' '} {line}\n" for number, line in enumerate(RESIZABLE.splitlines())
    )
    assert main(["versions", written(items), written(POD), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [thing["kind"] for thing in found["objects"]] == ["Pod", "Pod"]
    refusal = found["objects"][0]["refusals"][0]
    assert (refusal["line"], refusal["column"], refusal["reason"]) == (12, 11, "new")
    assert refusal["path"] == "spec.containers[0].resizePolicy"
    assert found["accepted"] == list(versions_between("1.27"))


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (POD, [], 0),
        (RESIZABLE, [], 1),
        (RESIZABLE, ["--from", "1.27"], 0),
        (RESIZABLE, ["--to", "1.26"], 1),
        (RESIZABLE, ["--from", "1.2"], 2),
        ("a: [", [], 2),
        ("", [], 2),
        ("apiVersion: example.com/v1\nkind: Sausage\n", [], 2),
        (f"{RESIZABLE}---\na: [", [], 1),
    ],
)
def test_the_exit_code_says_whether_all_accept(
    text: str, options: list[str], code: int, written: Callable[[str], str]
) -> None:
    assert main(["versions", written(text), *options]) == code


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", "no-such-file.yaml"]) == 2
    assert "no-such-file.yaml" in capsys.readouterr().err


@pytest.mark.needs("/proc")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nothing tells how much memory a process took")
def test_all_versions_cost_little(written: Callable[[str], str]) -> None:
    """A bound that holds on a busy machine too: seconds of processor time and the memory of a process of its own."""
    # The peak of getrusage() is inherited from whoever started the process; this one begins with it.
    code = (
        f"import time; from autograder.cli import main; code = main(['versions', {written(POD)!r}]); "
        "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')); "
        "print(code, time.process_time(), peak)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    exit_code, seconds, kilobytes = done.stdout.split()[-3:]
    assert exit_code == "0"
    assert float(seconds) < 2
    assert int(kilobytes) < 200 * 1024


def test_a_manifest_full_of_mistakes_is_bounded() -> None:
    text = POD + "".join(f"      nonsense{number}: 1\n" for number in range(3000))
    verdict = judged(text)
    assert verdict.refused == available_versions()
    assert len(verdict.refusals) <= 60
