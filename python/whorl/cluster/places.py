"""Where proofs can be made: the GPUs and groups of cores of the nodes that Ray has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .events import check_number

__all__ = ["Places", "Site", "sites_of_node"]


@dataclass(frozen=True)
class Places:
    """How a node is divided into places.

    Parameters
    ----------
    device
        What proves: "cuda" (one place a GPU), "cpu" or "sim" (one place for `threads` cores), or "auto": cuda where Ray counts GPUs,
        else cpu.
    threads
        Cores of a place. With a GPU: the host's threads beside it, where the node has as many for each GPU.
    max_per_node
        Places of a node, at most; None: as many as there is room for.
    slots
        Attempts at a place: one proves, the others are read, verified or stored meanwhile.
    memory_bytes
        Memory for proofs of each place; None: what the device has, or the place's part of the node's memory.
    warm_provers
        Keys that a place keeps warm.
    at_once
        Proofs that a place makes at once; None: 3 on a GPU, which else waits for the host between a proof's steps, and 1 on cores.
    """

    device: str = "auto"
    threads: int = 4
    max_per_node: int | None = None
    slots: int = 3
    memory_bytes: int | None = None
    warm_provers: int = 4
    at_once: int | None = None

    def __post_init__(self) -> None:
        if self.device not in ("auto", "cpu", "sim", "cuda"):
            raise ValueError(f"places: device is {self.device!r}, expected auto, cpu, sim or cuda")
        for name in ("threads", "slots", "warm_provers", "at_once", "max_per_node", "memory_bytes"):
            if (value := getattr(self, name)) is not None:
                check_number(f"places: {name}", value, whole=True, least=1)


@dataclass(frozen=True)
class Site:
    """One place to be: an actor on this node with these resources."""

    node: str  # Ray's id
    name: str  # for people: host and device
    device: str
    threads: int
    num_cpus: float
    num_gpus: float
    memory_bytes: int  # 0: the worker asks the device
    at_once: int  # proofs


def sites_of_node(node: Mapping[str, Any], places: Places) -> list[Site]:
    """The places of a node, from its entry in `ray.nodes()`. None where the node is dead or has nothing of the kind."""
    if not node["Alive"]:
        return []
    resources = node.get("Resources", {})
    cpus = int(resources.get("CPU", 0))
    gpus = int(resources.get("GPU", 0))
    host = f"{node.get('NodeManagerHostname', '?')}-{node['NodeID'][:6]}"
    device = places.device if places.device != "auto" else "cuda" if gpus else "cpu"
    limit = places.max_per_node
    if device == "cuda":
        count = gpus if limit is None else min(gpus, limit)
        threads = max(1, min(places.threads, cpus // gpus)) if gpus else 1
        cpu_share = float(threads) if cpus >= gpus * threads else 0.0
        memory, at_once = places.memory_bytes or 0, places.at_once or 3
        return [Site(node["NodeID"], f"{host}/gpu{k}", "cuda", threads, cpu_share, 1.0, memory, at_once) for k in range(count)]
    threads = min(places.threads, cpus)
    count = cpus // threads if threads else 0
    count = count if limit is None else min(count, limit)
    memory = places.memory_bytes or int(resources.get("memory", 0) / max(1, count))
    return [
        Site(node["NodeID"], f"{host}/{device}{k}", device, threads, float(threads), 0.0, memory, places.at_once or 1) for k in range(count)
    ]
