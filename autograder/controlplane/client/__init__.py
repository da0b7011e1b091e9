"""What components share to talk to the API server, as client-go does: client, informers, work queues, events."""

from autograder.controlplane.client.client import Client
from autograder.controlplane.client.informer import Delta, Informer, InformerFactory
from autograder.controlplane.client.recorder import EventRecorder
from autograder.controlplane.client.workqueue import WorkQueue

__all__ = ["Client", "Delta", "EventRecorder", "Informer", "InformerFactory", "WorkQueue"]
