"""The exceptions: names, bases and what they hold."""

from __future__ import annotations

import pickle

import pytest

import azureml._common.exceptions
import azureml.core.compute_target
from azureml import exceptions
from azureml._refusal import refuse
from azureml._translation import translated
from sublight.sdk.errors import Conflict, NotAuthenticated, NotFound
from tests.facade.surface import names, problems


@pytest.mark.parametrize(("module", "name"), names("azureml.exceptions"))
def test_an_exception_has_the_original_s_constructor_and_members(module: str, name: str) -> None:
    assert problems(module, name) == []


@pytest.mark.parametrize(("module", "name"), names("azureml.exceptions"))
def test_every_one_of_them_is_caught_as_the_base(module: str, name: str) -> None:
    assert issubclass(getattr(exceptions, name), exceptions.AzureMLException)


def test_the_same_classes_are_found_at_their_other_places() -> None:
    assert azureml._common.exceptions.AzureMLException is exceptions.AzureMLException
    assert azureml.core.compute_target.ComputeTargetException is exceptions.ComputeTargetException
    assert issubclass(exceptions.AuthenticationException, exceptions.UserErrorException)
    assert not issubclass(exceptions.ServiceException, exceptions.AzureMLException)


def test_an_exception_tells_its_sentence_and_what_lies_below(capsys: pytest.CaptureFixture[str]) -> None:
    below = ValueError("no such size")
    error = exceptions.ComputeTargetException("the cluster cannot be made", inner_exception=below)

    assert (error.message, str(error), error.inner_exception) == (
        "the cluster cannot be made",
        "the cluster cannot be made",
        below,
    )
    error.print_stacktrace()
    assert "the cluster cannot be made" in capsys.readouterr().out
    assert exceptions.UserErrorException("no").error_code == "UserError"
    assert exceptions.WebserviceException("no", 409).status_code == 409
    assert exceptions.WorkspaceException("no", found_multiple=True).found_multiple
    assert str(exceptions.AzureMLAggregatedException([below, KeyError("x")])) == "no such size; 'x'"


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ActivityFailedException("it failed"),
        exceptions.RunEnvironmentException(),
        exceptions.DiscoveryUrlNotFoundException("history"),
        exceptions.AzureMLAggregatedException([ValueError("a")]),
        exceptions.ServiceException("gone", 404),
    ],
)
def test_they_travel_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again)) == (type(error), str(error))


def test_what_sublight_raises_becomes_what_scripts_catch() -> None:
    in_clusters = translated(missing=exceptions.ComputeTargetException)
    with pytest.raises(exceptions.ComputeTargetException, match="no cluster"), in_clusters:
        raise NotFound("no cluster")
    with pytest.raises(exceptions.AuthenticationException), translated():
        raise NotAuthenticated("who are you?")
    with pytest.raises(exceptions.UserErrorException) as told, translated():
        raise Conflict("not now")
    assert isinstance(told.value.inner_exception, Conflict)


def test_a_refusal_is_one_sentence_and_both_a_user_s_error_and_not_implemented() -> None:
    with pytest.raises(exceptions.UserErrorException) as told:
        refuse("Workspace.sync_keys", "there are no keys")

    assert isinstance(told.value, NotImplementedError)
    assert str(told.value).startswith("Workspace.sync_keys: there are no keys; ")
    assert "\n" not in str(told.value)


def test_they_are_found_in_the_module_that_defined_them() -> None:
    from azureml.exceptions import _azureml_exception

    for name in exceptions.__all__:
        assert getattr(_azureml_exception, name) is getattr(exceptions, name)


def test_the_workspace_s_datastores_have_names_to_import() -> None:
    from azureml.core.workspace import WORKSPACE_DEFAULT_BLOB_STORE_NAME, WORKSPACE_DEFAULT_FILE_STORE_NAME
    from azureml.data.constants import WORKSPACE_BLOB_DATASTORE, WORKSPACE_FILE_DATASTORE

    assert WORKSPACE_BLOB_DATASTORE == WORKSPACE_DEFAULT_BLOB_STORE_NAME
    assert WORKSPACE_FILE_DATASTORE == WORKSPACE_DEFAULT_FILE_STORE_NAME
