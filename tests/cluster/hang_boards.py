"""Boards on a head and two nodes of this machine: prints whether all of them are on the node of the driver. Run by test_nodes.py."""

from __future__ import annotations

from ray.cluster_utils import Cluster

from seshat.cluster.board import hang_up


def main() -> None:
    import ray

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    boards = [hang_up() for _ in range(6)]
    places = ray.get([board.__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id()) for board in boards])
    print(f"with the driver: {set(places) == {ray.get_runtime_context().get_node_id()}}")
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
