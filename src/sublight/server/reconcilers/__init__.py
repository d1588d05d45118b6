"""Loops that move stored state towards what is wanted. Each pass may run at any moment, twice, or after a crash."""
