"""Suites that every implementation of a contract passes; a new implementation inherits the suite of its kind."""

import pytest

pytest.register_assert_rewrite("tests.contracts.sampler_suite", "tests.contracts.policy_suite")
