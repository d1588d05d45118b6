"""The verbs of the workspace. Each takes plain values and gives messages; whoever calls was let in by ``permissions``."""
