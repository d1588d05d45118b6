import pytest

from sublight.core.errors import InvalidInput
from sublight.core.metric import maximize
from sublight.core.policies import NoTermination, policy_from_json
from tests.contracts.policy_suite import PolicySuite, ended, trials_of


class TestNoTermination(PolicySuite):
    policies = [NoTermination()]  # noqa: RUF012


def test_nobody_is_ended() -> None:
    assert ended(NoTermination(), trials_of([0.0] * 50, [1.0] * 50), maximize("accuracy")) == []


@pytest.mark.parametrize("kind", ["hyperband", None, 3, ["bandit"]])
def test_an_unknown_policy_is_refused_with_the_known_ones(kind: object) -> None:
    with pytest.raises(
        InvalidInput, match="must be one of bandit, median_stopping, truncation_selection, no_termination"
    ):
        policy_from_json({"type": kind})
