"""Values and decisions. Nothing here reads a clock, a disk or the network; time and randomness come in as arguments."""
