"""Create the GPU cluster of the example, or find it when it is there already.

    python create_gpu_compute.py

On machines without a GPU the cluster is created all the same, but its state is ``unusable`` and the reason says why.
"""

import sublight as sl

NAME = "hypercomputegpu"


def main():
    ws = sl.Workspace.from_config()
    if NAME in ws.clusters:
        cluster = ws.clusters.get(NAME)
        print(f"Found the cluster {NAME}.")
    else:
        cluster = ws.clusters.create(NAME, size="STANDARD_NC6", max_nodes=4, idle_seconds=120)
        print(f"Created the cluster {NAME}.")
    print(f"{cluster.name}: {cluster.size.name}, up to {cluster.max_nodes} nodes, state {cluster.state}")
    if cluster.reason:
        print(cluster.reason)


if __name__ == "__main__":
    main()
