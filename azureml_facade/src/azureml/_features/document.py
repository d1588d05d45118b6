"""``docs/azureml.md``, made from the table. ``python -m azureml._features.document`` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from azureml import _out_of_scope
from azureml._features.coverage import coverage, sentences
from azureml._features.table import Feature, Owner, Status, table

# The document lies beside the facade's folder in the source tree.
PATH = Path(__file__).parents[4] / "docs" / "azureml.md"

_HEAD = """\
# What works of the Azure ML SDK v1

<!-- Made by `python -m azureml._features.document` from azureml_facade/src/azureml/_features; a test compares. -->

`pip install sublight sublight-azureml` gives Python the package `azureml`: scripts and notebooks written for the SDK v1 run
again, as they stand, on machines you own. `sublight azureml list` prints this text; `sublight azureml check FOLDER` says it for
your own files, with file and line; `sublight azureml coverage` counts it.

- **works**: as in the original, as far as it is documented or was seen.
- **works differently**: it works, and the sentence says what is not the same.
- **ignored**: accepted, so that scripts go on, and without effect.
- **not supported**: it can be imported and named, and refuses when it is used, with one sentence.

What holds for all runs: they use the Python in which Sublight is installed (the run's log says so and names packages that are
missing), unless the workspace's `.sublight/settings.json` (in the project's folder, where the server runs; it is read when the
server starts, so that a change needs `sublight stop` and `sublight up`) says `"environments": "build"`, which lets their nodes
build what their environments describe, or `"relax"`, which takes the nearest that can be had and lists every change in the run's
log (`AZUREML_FACADE_ENVIRONMENTS` says it for one program); one run is on one node, with as many processes as it
asks for (what rank 1 and up print begins with `[rank 1]`, and the first failure ends all); names that NumPy, pandas, SciPy and
scikit-learn have removed since are put back in runs that the facade submits, which the log announces
(`AZUREML_FACADE_COMPAT=off` leaves them removed). What a script gives `mlflow.log_metric`, `log_param`, `set_tag` and
`log_artifact` in such a run goes to the run, too; MLflow's own files are kept in `outputs/mlruns`.
"""

_TITLES = {
    Status.DIFFERS: "works differently",
    Status.IGNORED: "ignored",
    Status.REFUSED: "not supported",
}


def document() -> str:
    """The whole text."""
    parts = [_HEAD, "## How much\n", *(f"- {line}" for line in sentences(coverage())), ""]
    owners = [owner for owner in table().owners.values() if _is_shown(owner)]
    parts.append("## Class by class\n")
    for owner in owners:
        if not owner.is_function:
            parts += _section(owner)
    parts.append("## Functions\n")
    for owner in owners:
        if owner.is_function:
            parts += _lines(owner)
    parts.append("")
    parts += ["## Packages that are not supported\n", "They can be imported at any depth, and refuse at the call.\n"]
    parts += ["| package | why |", "| --- | --- |"]
    parts += [f"| `{root}` | {why} |" for root, why in _out_of_scope.ROOTS.items() if "._" not in root]
    return "\n".join(parts) + "\n"


def _is_shown(owner: Owner) -> bool:
    """Exceptions and parts of a run configuration's file would fill pages; all of them are there."""
    return not owner.name.startswith("_") and not (
        owner.module == "azureml.exceptions" and owner.name != "UserErrorException"
    )


def _section(owner: Owner) -> Iterator[str]:
    yield f"### {owner.name}\n"
    yield f"`{owner.module}`\n"
    yield from _lines(owner)
    yield ""


def _lines(owner: Owner) -> Iterator[str]:
    """What simply works in one line, and a line for each sentence with all that it is said of."""
    features = list(table().features(owner))
    plain = [one for one in features if one.status is Status.WORKS and "(" not in one.name]
    if plain:
        yield f"- works: {_names(owner, plain)}"
    for status, title in _TITLES.items():
        by_sentence: dict[str, list[Feature]] = {}
        for feature in features:
            if feature.status is status:
                by_sentence.setdefault(feature.how, []).append(feature)
        for how, group in by_sentence.items():
            yield f"- {title}: {_names(owner, group)}: {how}"


def _names(owner: Owner, features: list[Feature]) -> str:
    """``from_config``, ``create(location, sku)``; making an object is the class's name with ``()``."""
    parameters: dict[str, list[str]] = {}
    for feature in features:
        member, _, parameter = feature.name.removeprefix(f"{owner.name}.").partition("(")
        parameters.setdefault(member, []).extend([parameter.rstrip(")")] if parameter else [])
    written = []
    for member, given in parameters.items():
        is_made = member == owner.name
        written.append(f"`{member}({', '.join(given)})`" if given or is_made else f"`{member}`")
    return ", ".join(written)


if __name__ == "__main__":
    PATH.write_text(document())
    print(f"{PATH} is written")
