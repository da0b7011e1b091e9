"""Every command of kubectl, once, against a served cluster: how it ends, and the essence of what it prints.

A row is a command and what one does with it.  Each row has a namespace of its own, in which ``web`` (a Deployment) and
``box`` (a Pod) run when it says so.  What a step expects are regular expressions in what is printed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from served import Served, needs_kubectl, serving

CONFIGMAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {colour: blue}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: box, labels: {app: box}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: box, image: "busybox:1.36", command: [sh, -c, "echo started; sleep 100000"]}]
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "nginx:1.27", resources: {requests: {cpu: 10m}}}]
"""
NODE = """
apiVersion: v1
kind: Node
metadata: {name: spare, annotations: {kwok.x-k8s.io/node: fake}}
"""


@dataclass(frozen=True)
class Step:
    """One command line, in which tabs are spaces within a word; ``code`` is how it ends, ``expects`` what it prints."""

    command: str
    expects: tuple[str, ...]
    code: int = 0
    stdin: str = ""


def step(command: str, *expects: str, code: int = 0, stdin: str = "") -> Step:
    return Step(command, expects, code, stdin)


def applied(manifest: str) -> Step:
    return step("apply -f -", "created|configured|unchanged", stdin=manifest)


WEB = (applied(DEPLOYMENT), step("rollout status deployment/web --timeout=60s", "successfully rolled out"))
BOX = (applied(POD), step("wait --for=condition=Ready pod/box --timeout=60s", "condition met"))
RED = CONFIGMAP.replace("blue", "red")

ROWS: dict[str, tuple[Step, ...]] = {
    "create -f": (
        step("create -f -", "^configmap/settings created$", stdin=CONFIGMAP),
        step("create -f -", r'AlreadyExists\): .*configmaps "settings" already exists', code=1, stdin=CONFIGMAP),
        step("create -f -", 'unknown field "dat"', code=1, stdin=CONFIGMAP.replace("data:", "dat:")),
    ),
    "create from words": (
        step("create deployment api --image=nginx:1.27 --replicas=1 --port=80", "deployment.apps/api created"),
        step("create configmap words --from-literal=a=1", "configmap/words created"),
        step("create secret generic hidden --from-literal=a=1", "secret/hidden created"),
        step("create quota few --hard=pods=30,cpu=4", "resourcequota/few created"),
        step("create job once --image=busybox:1.36 -- true", "job.batch/once created"),
        step("create cronjob often --image=busybox:1.36 --schedule=*/5\t*\t*\t*\t* -- true", "cronjob.* created"),
        step("create service clusterip api --tcp=80:80", "service/api created"),
        step("create serviceaccount robot", "serviceaccount/robot created"),
        step("create role reader --verb=get,list --resource=pods", "role.rbac.authorization.k8s.io/reader created"),
        step("create rolebinding reading --role=reader --serviceaccount=default:robot", "rolebinding.* created"),
        step("create ingress front --rule=example.com/*=api:80", "ingress.networking.k8s.io/front created"),
        step("create poddisruptionbudget calm --selector=app=api --min-available=1", "poddisruptionbudget.* created"),
        step("create priorityclass urgent-row --value=1000", "priorityclass.* created"),
        step("create token robot", r"^[\w-]+\.[\w-]+\.[\w-]+$"),
        step("get deploy,cm,secret,quota,job,cj,svc,sa,role,rolebinding,ing,pdb -o name", *"""
            deployment.apps/api configmap/words secret/hidden resourcequota/few job.batch/once cronjob.batch/often
            service/api serviceaccount/robot role.rbac.authorization.k8s.io/reader ingress.networking.k8s.io/front
        """.split()),
    ),
    "create namespace": (
        step("create namespace contract-other", "namespace/contract-other created"),
        step("delete namespace contract-other", "deleted"),
        step("get namespace contract-other", "NotFound", code=1),
    ),
    "apply": (
        step("apply -f -", "^configmap/settings created$", stdin=CONFIGMAP),
        step("apply -f -", "^configmap/settings unchanged$", stdin=CONFIGMAP),
        step("apply -f -", "^configmap/settings configured$", stdin=RED),
        step("get cm settings -o jsonpath={.data.colour}", "^red$"),
        step("apply view-last-applied cm/settings", "colour: red"),
    ),
    "apply --server-side": (
        step("apply -f -", "created", stdin=CONFIGMAP),
        step("apply --server-side -f -", "^configmap/settings serverside-applied$", stdin=CONFIGMAP),
        step("apply --server-side --field-manager=other -f -", "1 conflict: conflict with .kubectl", code=1, stdin=RED),
        step("apply --server-side --field-manager=other --force-conflicts -f -", "serverside-applied", stdin=RED),
        step("get cm settings -o jsonpath={.data.colour}", "^red$"),
        step("get cm settings --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}", "other"),
    ),
    "apply --dry-run=server": (
        step("apply --dry-run=server -f -", r"configmap/settings created \(server dry run\)", stdin=CONFIGMAP),
        step("get cm settings", "NotFound", code=1),
    ),
    "apply --prune": (
        applied(CONFIGMAP), applied(CONFIGMAP.replace("settings", "older")),
        step("apply --prune -l app=web -f -", "configmap/older pruned", stdin=CONFIGMAP),
        step("get cm settings -o name", "configmap/settings"),
        step("get cm older", "NotFound", code=1),
    ),
    "apply --validate=false": (
        step("apply --validate=false -f -", "created", stdin=CONFIGMAP + "nonsense: 1\n"),
        step("create --validate=false -f -", "created", stdin=CONFIGMAP.replace("settings", "b") + "nonsense: 1\n"),
        step("get cm settings -o yaml", "colour: blue"),
    ),
    "edit": (
        applied(CONFIGMAP),
        step("edit configmap settings", "configmap/settings edited"),
        step("get cm settings -o jsonpath={.data.colour}", "^green$"),
    ),
    "replace": (
        step("replace -f -", "NotFound", code=1, stdin=CONFIGMAP),
        applied(CONFIGMAP),
        step("replace -f -", "^configmap/settings replaced$", stdin=RED),
        step("replace --force -f -", "deleted", "replaced", stdin=CONFIGMAP),
        step("get cm settings -o jsonpath={.data.colour}", "^blue$"),
    ),
    "run": (
        step("run nginx --image=nginx:1.27 --labels=a=b --port=80 --env=X=1", "^pod/nginx created$"),
        step("wait --for=condition=Ready pod/nginx --timeout=60s", "condition met"),
        step("run tmp --rm -i --restart=Never --image=busybox:1.36 -- echo hello", "^hello$", 'pod "tmp" deleted'),
        step("run tmp --rm -i --restart=Never --image=busybox:1.36 -- sh", "^tmp$", code=3, stdin="hostname\nexit 3\n"),
        step("run dry --image=nginx:1.27 --dry-run=client -o yaml", "kind: Pod"),
        step("get pods -o name", "^pod/nginx\n$"),
    ),
    "expose": (
        *WEB,
        step("expose deployment web --port=8080 --target-port=80", "^service/web exposed$"),
        step("get service web -o jsonpath={.spec.ports[0].port},{.spec.selector.app}", "^8080,web$"),
        step("run ask --rm -i --restart=Never --image=busybox:1.36 -- wget -qO- http://web:8080", "Welcome to nginx"),
    ),
    "get": (
        *WEB, *BOX,
        step("get pods", r"NAME +READY +STATUS +RESTARTS +AGE", r"box +1/1 +Running +0"),
        step("get pods -o wide", "NOMINATED NODE", "worker-"),
        step("get pod box -o yaml", "kind: Pod", "name: box"),
        step("get pod box -o json", '"kind": "Pod"'),
        step("get pods -o name", "pod/box"),
        step("get pod box -o jsonpath={.spec.containers[0].image}", "^busybox:1.36$"),
        step("get pods -o custom-columns=N:.metadata.name,I:.spec.containers[*].image", r"box +busybox:1.36"),
        step("get pods --show-labels", "app=box"),
        step("get pods -L app", r"APP\n", r"box\n"),
        step("get pods -l app=web -o name", "pod/web-"),
        step("get pods --field-selector=metadata.name=box -o name", "^pod/box\n$"),
        step("get pods --sort-by=.metadata.creationTimestamp -o name", r"pod/web-[\s\S]*pod/box"),
        step("get pods -A", r"kube-system +kube-apiserver-control-plane"),
        step("get all", "deployment.apps/web", "replicaset.apps/web-", "pod/box"),
        step("get pod box -w --request-timeout=1s", "box +1/1 +Running"),
        step("get pod nobody", r'^Error from server \(NotFound\): pods "nobody" not found$', code=1),
        step("get unicorns", "doesn't have a resource type", code=1),
        step("get --raw /readyz", "^ok$"),
    ),
    "describe": (
        *WEB, *BOX,
        step("expose deployment web --port=80", "exposed"),
        step("create quota few --hard=pods=9", "created"),
        step("describe pod box", "^Name: +box", "Image: +busybox:1.36", "Scheduled", "Container started"),
        step("describe deployment web", "Replicas: +2 desired", "NewReplicaSet: +web-", "ScalingReplicaSet"),
        step("describe service web", r"Endpoints: +\d+\.\d+\.\d+\.\d+:80"),
        step("describe node worker-1", "Capacity:", "Allocated resources:", "kubelet is posting ready status"),
        step("describe namespace {namespace}", "Status: +Active", "Resource Quotas", r"pods +3 +9"),
    ),
    "scale": (
        *WEB,
        step("scale deployment web --replicas=3", "^deployment.apps/web scaled$"),
        step("scale deployment web --current-replicas=3 --replicas=1", "scaled"),
        step("scale deployment web --current-replicas=3 --replicas=2", "Expected replicas to be 3, was 1", code=1),
        step("get deployment web -o jsonpath={.spec.replicas}", "^1$"),
    ),
    "autoscale": (
        *WEB,
        step("autoscale deployment web --min=1 --max=5 --cpu=80%", "horizontalpodautoscaler.* autoscaled"),
        step("get hpa web", r"Deployment/web +.*80% +1 +5"),
    ),
    "set": (
        *WEB,
        step("set image deployment/web web=nginx:1.28", "image updated"),
        step("set env deployment/web A=1", "env updated"),
        step("set resources deployment/web --requests=cpu=20m", "resource requirements updated"),
        step("get deployment web -o jsonpath={..containers[0].image},{..env[0].name},{..cpu}", "nginx:1.28,A,20m"),
    ),
    "rollout": (
        *WEB,
        step("rollout restart deployment/web", "deployment.apps/web restarted"),
        step("rollout status deployment/web --timeout=60s", "successfully rolled out"),
        step("rollout pause deployment/web", "paused"),
        step("rollout pause deployment/web", "already paused", code=1),
        step("rollout resume deployment/web", "resumed"),
        step("rollout history deployment/web", "REVISION", "^2 +"),
        step("rollout history deployment/web --revision=1", "nginx:1.27"),
        step("rollout undo deployment/web", "rolled back"),
        step("rollout undo deployment/web --to-revision=9", "unable to find specified revision 9", code=1),
    ),
    "label and annotate": (
        *BOX,
        step("label pod box tier=front", "^pod/box labeled$"),
        step("label pod box tier=back", "'tier' already has a value", code=1),
        step("label pod box tier=back --overwrite", "labeled"),
        step("label pod box tier-", "unlabeled"),
        step("annotate pod box note=x", "^pod/box annotated$"),
        step("get pod box -o jsonpath={.metadata.labels},{.metadata.annotations.note}", '"app":"box"},x$'),
    ),
    "patch": (
        *BOX,
        step('patch pod box -p {"metadata":{"labels":{"a":"b"}}}', "^pod/box patched$"),
        step('patch pod box -p {"metadata":{"labels":{"a":"b"}}}', r"patched \(no change\)"),
        step('patch pod box --type=merge -p {"metadata":{"labels":{"a":null}}}', "patched"),
        step('patch pod box --type=json -p [{"op":"add","path":"/metadata/labels/c","value":"d"}]', "patched"),
        step('patch pod box --type=json -p [{"op":"test","path":"/kind","value":"X"}]', "", code=1),
        step('patch pod box --subresource=status --type=merge -p {"status":{"reason":"x"}}', "patched"),
        step("get pod box -o jsonpath={.metadata.labels}", '{"app":"box","c":"d"}'),
    ),
    "taint, cordon and drain": (
        step("apply -f -", "node/spare", stdin=NODE),
        step("taint node spare k=v:NoSchedule", "^node/spare tainted$"),
        step("taint node spare k-", "^node/spare untainted$"),
        step("cordon spare", "^node/spare cordoned$"),
        step("uncordon spare", "^node/spare uncordoned$"),
        step("apply -f -", "created", stdin=POD.replace("spec:", "spec:\n  nodeName: spare")),
        step("wait --for=condition=Ready pod/box --timeout=60s", "condition met"),
        step("drain spare --ignore-daemonsets --timeout=5s", "cannot delete .*declare no controller", code=1),
        step("drain spare --ignore-daemonsets --force --timeout=60s", "evicting pod .*/box", "node/spare drained"),
        step("get pod box", "NotFound", code=1),
        step("delete node spare", "deleted"),
    ),
    "delete": (
        *BOX, *WEB, applied(CONFIGMAP),
        step("delete pod box", '^pod "box" deleted'),
        step("delete pod box", "NotFound", code=1),
        step("delete pod box --ignore-not-found", "^$"),
        *BOX, step("delete pod box --now", "deleted"),
        *BOX, step("delete pod box --force --grace-period=0", "force deleted"),
        step("delete configmap -l app=web", 'configmap "settings" deleted'),
        step("delete deployment web --cascade=orphan", "deleted"),
        step("get replicasets -o name", "replicaset.apps/web-"),
        step("delete replicasets --all", "deleted"),
        step("wait --for=delete pod -l app=web --timeout=60s", ""),
        step("get pods -o name", "^$"),
    ),
    "logs": (
        *BOX, *WEB,
        step("logs box", "^started\n$"),
        step("logs box --tail=0", "^$"),
        step("logs box --timestamps", r"^\d{4}-\d\d-\d\dT\S+Z started$"),
        step("logs box --previous", "previous terminated container .* not found", code=1),
        step("logs box -c none", "container none is not valid for pod box", code=1),
        step("logs deployment/web --all-pods", ""),
        step("run short --image=busybox:1.36 --restart=Never -- sh -c echo\tone;sleep\t3;echo\ttwo", "created"),
        step("wait --for=jsonpath={.status.phase}=Succeeded pod/short --timeout=60s", "condition met"),
        step("logs -f short", "^one\ntwo\n$"),
    ),
    "exec": (
        *BOX,
        step("exec box -- hostname", "^box\n$"),
        step("exec -i box -- cat", "^typed$", stdin="typed\n"),
        step("exec box -- sh -c exit\t7", "exit code 7", code=7),
        step("exec box -- nothing", "executable file not found", code=1),
        step("exec nobody -- ls", "NotFound", code=1),
    ),
    "attach": (
        step("run shell --image=busybox:1.36 -i --attach=false --restart=Never", "created"),
        step("wait --for=condition=Ready pod/shell --timeout=60s", "condition met"),
        step("attach -i shell", "^shell$", stdin="hostname\nexit\n"),
    ),
    "debug": (
        *BOX,
        step("debug box --image=busybox:1.36 --target=box -c look -- sleep 3600", "Targeting container"),
        step("wait --for=jsonpath={.status.ephemeralContainerStatuses[0].state.running} pod/box --timeout=60s", ""),
        step("exec box -c look -- ps", "sleep 3600"),
        step("debug box --image=busybox:1.36 --copy-to=copy -c look -- sleep 3600", ""),
        step("get pod copy -o jsonpath={.spec.containers[*].name}", "^box look$"),
        step("debug node/worker-1 --image=busybox:1.36 -- sleep 3600", "Creating debugging pod node-debugger-worker-"),
    ),
    "port-forward": (step("port-forward pod/nobody 0:80", "NotFound", code=1),),
    "wait": (
        *WEB,
        step("wait --for=condition=Available deployment/web --timeout=60s", "^deployment.apps/web condition met$"),
        step("wait --for=jsonpath={.status.readyReplicas}=2 deployment/web --timeout=60s", "condition met"),
        step("wait --for=condition=Nothing deployment/web --timeout=1s", "timed out waiting", code=1),
        step("wait --for=condition=Ready pod/nobody --timeout=1s", "NotFound", code=1),
    ),
    "explain": (
        step("explain pod.spec.containers.image", "KIND: +Pod", "FIELD: image <string>"),
        step("explain deployments --recursive", "revisionHistoryLimit"),
        step("explain pod.spec.horn", 'field "horn" does not exist', code=1),
    ),
    "auth": (
        step("auth can-i create pods", "^yes\n$"),
        step("auth can-i create pods --as=bob", "^no\n$", code=1),
        step("auth can-i --list", r"\*\.\*"),
        step("auth whoami", "Username"),
        step("get pods --as=bob", 'User "bob" cannot list resource "pods"', code=1),
    ),
    "top": (step("top pods", "Metrics API not available", code=1), step("top nodes", "not available", code=1)),
    "events": (
        *BOX,
        step("events", "Scheduled", "Started"),
        step("events --for=pod/box", "Pod/box"),
        step("get events --sort-by=.lastTimestamp", "LAST SEEN", "pod/box"),
    ),
    "diff": (
        applied(CONFIGMAP),
        step("diff -f -", "^$", stdin=CONFIGMAP),
        step("diff -f -", r"^-  colour: blue$", r"^\+  colour: red$", code=1, stdin=RED),
        step("get cm settings -o jsonpath={.data.colour}", "^blue$"),
    ),
    "api-resources": (
        step("api-resources", r"deployments +deploy +apps/v1 +true +Deployment"),
        step("api-resources --namespaced=false -o name", "^nodes$"),
    ),
    "api-versions": (step("api-versions", "^apps/v1$", "^v1$"),),
    "cluster-info": (
        step("cluster-info -n kube-system", "control plane.* is running at", "CoreDNS"),
        step("cluster-info dump --namespaces={namespace}", '"kind": "NodeList"'),
    ),
    "version": (step("version", "Client Version: v1", "Server Version: v1.36.2"),),
    "certificate": (step("certificate approve csr", 'have a resource type .certificatesigningrequests', code=1),),
}  # fmt: skip

#: Commands that ask the server nothing, one that goes on until it is killed, one that needs ``tar`` in the container.
WITHOUT_ROW = {"completion", "config", "kuberc", "kustomize", "plugin", "proxy", "cp"}

pytestmark = needs_kubectl


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("contract")) as server:
        yield server


@pytest.fixture
def namespace(served: Served, request: pytest.FixtureRequest) -> str:
    row = re.sub(r"[^a-z]+", "-", request.node.callspec.params["row"]).strip("-")
    served.kubectl(f"create namespace {row}")
    return str(row)


@pytest.mark.parametrize("row", ROWS)
def test_a_command_ends_and_prints_as_it_does_with_a_real_cluster(served: Served, namespace: str, row: str) -> None:
    if row == "diff" and shutil.which("diff") is None:
        pytest.skip("the program diff is not installed")
    for one in ROWS[row]:
        words = [word.replace("{namespace}", namespace).replace("\t", " ") for word in one.command.split(" ")]
        done = served.run(["-n", namespace, *words], one.stdin)
        said = f"kubectl {one.command}: exit {done.code}\n{done.stdout}{done.stderr}"
        assert done.code == one.code, said
        for pattern in one.expects:
            assert re.search(pattern, done.stdout + done.stderr, re.M), f"no {pattern!r} in {said}"


def test_no_command_of_kubectl_is_forgotten(served: Served) -> None:
    known = set(re.findall(r"^  ([a-z][a-z-]+) {2,}", served.kubectl("--help"), re.M))
    used = {one.command.split()[0] for steps in ROWS.values() for one in steps}
    assert known - used - WITHOUT_ROW == set()
