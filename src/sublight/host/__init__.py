"""The machine this process runs on: its processes, its cgroups, what it has. Nothing here knows of runs or servers.

Engines and the node's agent share it, because both must be able to end every process of a node.
"""
