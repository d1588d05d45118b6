"""What a script tells MLflow is told to its run, too: v1's workspace was a server of MLflow.

MLflow itself keeps its files in ``outputs/mlruns`` (see ``azureml._node.variables``), and so with the run. Standard
library only, readable by Python 3.8.
"""

from __future__ import annotations

import functools
import os
import tempfile

from azureml._node.compat.announcing import announce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def patch(module: Any) -> None:
    """Let the functions that scripts call report on the run around them as well."""
    if not os.environ.get("SUBLIGHT_RUN_DIRECTORY"):
        return
    for tell in (
        log_metric, log_metrics, log_param, log_params, set_tag, set_tags, log_artifact, log_artifacts, log_figure
    ):  # fmt: skip
        original = getattr(module, tell.__name__, None)
        if callable(original):
            setattr(module, tell.__name__, _with_report(original, tell))


def log_metric(run: Any, key: str, value: float, step: int | None = None, *_: Any, **__: Any) -> None:
    """A metric is one of the run."""
    run.log(key, value, step=step)


def log_metrics(run: Any, metrics: dict[str, float], step: int | None = None, *_: Any, **__: Any) -> None:
    """So is each of several."""
    for key, value in metrics.items():
        run.log(key, value, step=step)


def log_param(run: Any, key: str, value: Any, *_: Any, **__: Any) -> None:
    """A parameter is a tag of the run."""
    run.tag(key, value)


def log_params(run: Any, params: dict[str, Any], *_: Any, **__: Any) -> None:
    """So is each of several."""
    run.set_tags(params)


def set_tag(run: Any, key: str, value: Any, *_: Any, **__: Any) -> None:
    """A tag is one of the run."""
    run.tag(key, value)


def set_tags(run: Any, tags: dict[str, Any], *_: Any, **__: Any) -> None:
    """So is each of several."""
    run.set_tags(tags)


def log_artifact(run: Any, local_path: str, artifact_path: str | None = None, *_: Any, **__: Any) -> None:
    """A file is kept with the run."""
    name = os.path.basename(local_path)
    run.upload_file(f"{artifact_path}/{name}" if artifact_path else name, local_path)


def log_artifacts(run: Any, local_dir: str, artifact_path: str | None = None, *_: Any, **__: Any) -> None:
    """So is each of a folder."""
    run.upload_folder(artifact_path or "", local_dir)


def log_figure(run: Any, figure: Any, artifact_file: str, *_: Any, **__: Any) -> None:
    """A figure of Matplotlib is kept as the file it is to be."""
    if hasattr(figure, "savefig"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, os.path.basename(artifact_file))
            figure.savefig(path)
            run.upload_file(artifact_file, path)


def _with_report(original: Callable[..., Any], tell: Callable[..., None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        from azureml.core.run import Run

        result = original(*args, **kwargs)
        announce(
            "what mlflow is given goes to the run, too, and mlflow's own files to outputs/mlruns; what mlflow.autolog "
            "and MlflowClient log stands in the latter only"
        )
        try:
            tell(Run.get_context(), *args, **kwargs)
        except Exception as error:  # the call itself has done what it does
            announce(f"mlflow.{tell.__name__} could not be told to the run: {error}")
        return result

    return wrapper
