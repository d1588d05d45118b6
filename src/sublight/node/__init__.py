"""The node: one agent process that keeps the runs which the server wants here, and ships what they leave.

- ``agent`` puts the parts together and ends in a stated order; ``settings`` is what the engine tells it.
- ``orders`` hears what the node should have, ``reporter`` tells what is new, both over ``client``, under a ``lease``.
- ``executor`` makes the attempts what was ordered; ``attempt`` is the life of one, in the steps of ``states``.
- ``workspace`` unpacks a snapshot, ``command`` makes the command line, ``launcher`` starts and ends processes by the way
  that ``isolation`` found, ``endings`` says in words how one ended.
- ``shipment`` and ``shipping`` decide which bytes of journal and logs go next; ``outputs`` uploads files.
- ``carrier`` does what takes long, beside the main thread.
"""
