"""Runs the plugins at each extension point, in their order."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple

from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.kube_scheduler.events import EVERYTHING, ClusterEvent, Interest
from autograder.controlplane.kube_scheduler.interface import (
    MAX_NODE_SCORE,
    BindPlugin,
    Cycle,
    FilterPlugin,
    InterestedPlugin,
    ManyFilterPlugin,
    ManyScorePlugin,
    NormalizePlugin,
    Plugin,
    PodTrialPlugin,
    PostFilterPlugin,
    PostFilterResult,
    PreBindPlugin,
    PreEnqueuePlugin,
    PreFilterPlugin,
    PreScorePlugin,
    ReservePlugin,
    ScorePlugin,
    SignedFilterPlugin,
    SignedScorePlugin,
    Window,
)
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import Code, NodeStatuses, Status, unresolvable


class PreFilterOutcome(NamedTuple):
    """``only`` are the nodes to look at (None: all); ``limited_by`` the plugins that said so."""

    only: frozenset[str] | None
    status: Status | None
    limited_by: frozenset[str]


class PluginScores(NamedTuple):
    """The scores of one plugin for the nodes of a window; ``distinct`` says whether they tell the nodes apart."""

    plugin: str
    weight: int
    raw: list[int]
    normalized: list[int]
    distinct: bool


class _Scorer(NamedTuple):
    """A plugin that scores, and the ways in which it does."""

    plugin: Any
    weight: int
    signed: bool
    many: bool
    normalizes: bool

    @classmethod
    def of(cls, plugin: Any) -> _Scorer:
        return cls(
            plugin,
            getattr(plugin, "weight", 1),
            isinstance(plugin, SignedScorePlugin),
            isinstance(plugin, ManyScorePlugin),
            isinstance(plugin, NormalizePlugin),
        )

    def scores(self, cycle: Cycle, pod: PodInfo, window: Window) -> list[int]:
        """The raw scores of the nodes of a window."""
        plugin = self.plugin
        if self.signed:
            key: Hashable = ("score", plugin.name, plugin.sign_score(cycle, pod))
            return window.take(cycle.snapshot.column(key, lambda node: plugin.score(cycle, pod, node)))
        if self.many:
            scores: list[int] = plugin.score_many(cycle, pod, window)
            return scores
        return self.plain_scores(cycle, pod, window)

    def plain_scores(self, cycle: Cycle, pod: PodInfo, window: Window) -> list[int]:
        """The same, asking for each node by itself."""
        return [self.plugin.score(cycle, pod, node) for node in window.nodes]


class PluginError(Exception):
    """A plugin answered with something that it may not; the message says what."""


class Framework:
    """The plugins of one scheduler."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        names = [plugin.name for plugin in plugins]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"plugins registered more than once: {', '.join(sorted(twice))}")
        self.plugins = tuple(plugins)
        self.pre_enqueue_plugins = _having(plugins, PreEnqueuePlugin)
        self.pre_filter_plugins = _having(plugins, PreFilterPlugin)
        self.trial_plugins = _having(plugins, PodTrialPlugin)
        self.filter_plugins = _having(plugins, FilterPlugin)
        self._signed_filters = {plugin.name for plugin in _having(plugins, SignedFilterPlugin)}
        self._many_filters = {plugin.name for plugin in _having(plugins, ManyFilterPlugin)}
        self.post_filter_plugins = _having(plugins, PostFilterPlugin)
        self.pre_score_plugins = _having(plugins, PreScorePlugin)
        self.scorers = [_Scorer.of(plugin) for plugin in _having(plugins, ScorePlugin)]
        self.reserve_plugins = _having(plugins, ReservePlugin)
        self.pre_bind_plugins = _having(plugins, PreBindPlugin)
        self.bind_plugins = _having(plugins, BindPlugin)
        self._interests: dict[str, tuple[Interest, ...]] = {
            plugin.name: plugin.interests() if isinstance(plugin, InterestedPlugin) else EVERYTHING
            for plugin in plugins
        }

    def pre_enqueue(self, pod: PodInfo, gated_by: str) -> tuple[str, Status] | None:
        """The plugin that keeps a pod out of the queue, and why; the one that did so before is asked first."""
        for plugin in sorted(self.pre_enqueue_plugins, key=lambda one: one.name != gated_by):
            status: Status | None = plugin.pre_enqueue(pod)
            if status is not None:
                return plugin.name, status
        return None

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> PreFilterOutcome:
        """Let every plugin look at the pod."""
        only: frozenset[str] | None = None
        limited_by: set[str] = set()
        rejected: Status | None = None
        for plugin in self.pre_filter_plugins:
            answer = plugin.pre_filter(cycle, pod)
            if isinstance(answer, Status):
                if answer.code is Code.SKIP:
                    cycle.skip_filter.add(plugin.name)
                    continue
                answer = blame(answer, plugin.name)
                if answer.code is Code.UNSCHEDULABLE:
                    rejected = answer
                    continue
                return PreFilterOutcome(None, answer, frozenset())
            if answer is None:
                continue
            limited_by.add(plugin.name)
            only = answer if only is None else only & answer
            if not only:
                names = sorted(limited_by)
                why = f"plugin {names[0]}" if len(names) == 1 else f"plugin(s) [{' '.join(names)}] simultaneously"
                return PreFilterOutcome(only, unresolvable(f"node(s) didn't satisfy {why}"), frozenset(limited_by))
        return PreFilterOutcome(only, rejected, frozenset(limited_by))

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """The first objection of a plugin to a node, or None."""
        return self.ask(self._active_filters(cycle), cycle, pod, node)

    def ask(self, plugins: list[Any], cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """The first objection of some plugins to a node, or None."""
        for plugin in plugins:
            status: Status | None = plugin.filter(cycle, pod, node)
            if status is not None:
                return blame(status, plugin.name)
        return None

    def _active_filters(self, cycle: Cycle) -> list[Any]:
        return [plugin for plugin in self.filter_plugins if plugin.name not in cycle.skip_filter]

    def filter_with_nominated(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """As ``filter``, both with and without the pods of no lower priority that are nominated for the node."""
        handle = cycle.handle
        nominated = [
            other
            for other in handle.nominated_pods(node.name)
            if other.priority >= pod.priority and other.uid != pod.uid
        ]
        if nominated:
            trial = cycle.trial()
            crowded = node
            for other in nominated:
                crowded = self.change(trial, pod, other, crowded, 1)
            status = self.filter(trial, pod, crowded)
            if status is not None:
                return status
        return self.filter(cycle, pod, node)

    def change(self, cycle: Cycle, pod: PodInfo, other: PodInfo, node: NodeInfo, sign: int) -> NodeInfo:
        """Add another pod to a node (or remove it) by way of trial; returns the node as it is then."""
        changed = node.with_pod(other) if sign > 0 else node.without(other.key)
        for plugin in self.trial_plugins:
            if plugin.name not in cycle.skip_filter:
                plugin.after_change(cycle, pod, other, changed, sign)
        return changed

    def filter_column(self, cycle: Cycle, pod: PodInfo) -> tuple[Sequence[Status | None], list[Any]]:
        """The objections of the leading filters, as far as all nodes can be asked at once, and the other filters."""
        active = self._active_filters(cycle)
        signed = list(takewhile(lambda one: one.name in self._signed_filters, active))
        many = list(takewhile(lambda one: one.name in self._many_filters, active[len(signed) :]))
        key = ("filter", tuple((plugin.name, plugin.sign_filter(cycle, pod)) for plugin in signed))
        objections = cycle.snapshot.column(key, lambda node: self.ask(signed, cycle, pod, node))
        for plugin in many:
            answers = plugin.filter_many(cycle, pod)
            # Answers are told apart by identity: few are distinct, and comparing them node by node takes its time.
            distinct = {id(answer): answer for answer in answers if answer}
            if distinct:
                blamed = {identity: blame(answer, plugin.name) for identity, answer in distinct.items()}
                objections = [known or blamed.get(id(new)) for known, new in zip(objections, answers, strict=True)]
        return objections, active[len(signed) + len(many) :]

    def post_filter(
        self, cycle: Cycle, pod: PodInfo, statuses: NodeStatuses
    ) -> tuple[PostFilterResult | None, Status | None]:
        """Let plugins do something for a pod that fits nowhere."""
        found: PostFilterResult | None = None
        reasons: list[str] = []
        for plugin in self.post_filter_plugins:
            result, status = plugin.post_filter(cycle, pod, statuses)
            if status is None or not status.rejected or status.code is Code.UNRESOLVABLE:
                return result, status
            found = result or found
            reasons += status.reasons
        return found, Status(Code.UNSCHEDULABLE, tuple(reasons))

    def pre_score(self, cycle: Cycle, pod: PodInfo, window: Window) -> None:
        """Let every plugin look at the nodes that will do.  Raises ``PluginError``."""
        for plugin in self.pre_score_plugins:
            status = plugin.pre_score(cycle, pod, window)
            if status is not None and status.code is Code.SKIP:
                cycle.skip_score.add(plugin.name)
            elif status is not None:
                raise PluginError(f'running PreScore plugin "{plugin.name}": {status.message}')

    def scores(self, cycle: Cycle, pod: PodInfo, window: Window, *, plainly: bool = False) -> Iterator[PluginScores]:
        """The scores of every plugin; ``plainly`` asks for each node by itself.  Raises ``PluginError``."""
        for scorer in self.scorers:
            plugin = scorer.plugin
            if plugin.name in cycle.skip_score:
                continue
            raw = scorer.plain_scores(cycle, pod, window) if plainly else scorer.scores(cycle, pod, window)
            normalized = plugin.normalize(cycle, pod, window, raw) if scorer.normalizes else raw
            least, most = min(normalized), max(normalized)
            if least < 0 or most > MAX_NODE_SCORE:
                wrong = next(score for score in normalized if not 0 <= score <= MAX_NODE_SCORE)
                raise PluginError(
                    f'plugin "{plugin.name}" returns an invalid score {wrong}, it should in the range of '
                    f"[0, {MAX_NODE_SCORE}] after normalizing"
                )
            yield PluginScores(plugin.name, scorer.weight, raw, normalized, least != most)

    def reserve(self, cycle: Cycle, pod: PodInfo, node: str) -> Status | None:
        """Let plugins keep what the pod needs on its node."""
        for plugin in self.reserve_plugins:
            status: Status | None = plugin.reserve(cycle, pod, node)
            if status is not None:
                return blame(status, plugin.name)
        return None

    def unreserve(self, cycle: Cycle, pod: PodInfo, node: str) -> None:
        """Let plugins go of what they kept, last first."""
        for plugin in reversed(self.reserve_plugins):
            plugin.unreserve(cycle, pod, node)

    def bind(self, cycle: Cycle, pod: PodInfo, node: str) -> Status | None:
        """Bind the pod; a refusal of the API server is a status."""
        try:
            for pre in self.pre_bind_plugins:
                status: Status | None = pre.pre_bind(cycle, pod, node)
                if status is not None:
                    return blame(status, pre.name)
            for plugin in self.bind_plugins:
                status = plugin.bind(cycle, pod, node)
                if status is None or status.code is not Code.SKIP:
                    return status
        except StatusError as refusal:
            return Status(Code.ERROR, (str(refusal),))
        return Status(Code.ERROR, ("no plugin bound the pod",))

    def matters(self, handle: Any, pod: PodInfo, rejected_by: frozenset[str], event: ClusterEvent) -> bool:
        """Whether an event may let a pod through that these plugins turned away."""
        return any(
            interest.covers(event) and (interest.hint is None or interest.hint(handle, pod, event))
            for plugin in sorted(rejected_by)
            for interest in self._interests.get(plugin, EVERYTHING)
        )

    def concerns(self, rejected_by: frozenset[str], event: ClusterEvent) -> bool:
        """Whether any of these plugins takes interest in such an event at all."""
        return not rejected_by or any(
            interest.covers(event) for plugin in rejected_by for interest in self._interests.get(plugin, EVERYTHING)
        )

    def interested(self, gated_by: str, event: ClusterEvent) -> bool:
        """Whether the plugin that gates a pod wants to know of an event at all."""
        return any(interest.covers(event) for interest in self._interests.get(gated_by, ()))


def _having(plugins: Sequence[Plugin], protocol: type) -> list[Any]:
    return [plugin for plugin in plugins if isinstance(plugin, protocol)]


@lru_cache(maxsize=1024)
def blame(status: Status, plugin: str) -> Status:
    """The status with the name of the plugin that gave it."""
    return status._replace(plugin=plugin)
