"""Estimators and sweeps of the SDK v1."""
