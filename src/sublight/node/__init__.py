"""The node: one agent process that keeps the runs which the server wants here, and ships what they leave.

``agent`` puts the parts together; ``executor`` decides and drives the attempts; ``launcher`` and ``isolation`` start
and end their processes; ``workspace`` unpacks snapshots; ``reporter`` and ``shipping`` send journals and logs by byte
offset; ``outputs`` uploads files; ``client`` talks HTTP.
"""
