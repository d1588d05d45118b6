"""Around a script on the node: the environment that v1 gave it, its inputs and outputs, names that libraries dropped."""
