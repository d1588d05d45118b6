"""What ``sublight dataset`` and ``sublight model`` have in common: listing, showing, downloading and removing versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sublight.cli.output import ago, clock_time, print_facts, print_json, print_table

if TYPE_CHECKING:
    from sublight.sdk.assets import Asset
    from sublight.sdk.workspace import Workspace

Name = Annotated[str, typer.Argument(help="The name.", show_default=False)]
Version = Annotated[
    int | None, typer.Option("--version", help="The version; the newest when left out.", show_default=False)
]
Tag = Annotated[str | None, typer.Option(help="Only with this tag.", metavar="KEY[=VALUE]", show_default=False)]
AllVersions = Annotated[bool, typer.Option("--all", help="All versions, not only the newest of each name.")]
Archived = Annotated[bool, typer.Option("--archived", help="Archived ones, too.")]
PathInside = Annotated[
    str | None, typer.Argument(help="One file or folder of it; everything when left out.", show_default=False)
]
To = Annotated[
    Path | None,
    typer.Option(help="The folder to write to; one with its name.", metavar="FOLDER", show_default=False),
]
AllToRemove = Annotated[bool, typer.Option("--all", help="All versions of the name.")]


UNNAMED_PREFIX = "unregistered-"


def print_list(
    workspace: Workspace, kind: str, *, tag: str | None, all_versions: bool, archived: bool, as_json: bool
) -> None:
    """Print the assets of a kind, newest first."""
    from sublight.core.amounts import bytes_in_words

    found = workspace.assets.list(kind, tag=tag, is_latest_only=not all_versions, includes_archived=archived)
    if not archived:
        # What a run was given without a name of its own was saved under one that nobody will type.
        found = [one for one in found if not one.name.startswith(UNNAMED_PREFIX)]
    if as_json:
        print_json([one.view for one in found])
        return
    rows = [
        (
            one.name + (" (archived)" if one.is_archived else ""),
            str(one.version),
            str(one.files_count) if one.files_count else "elsewhere" if one.definition.get("paths") else "0",
            bytes_in_words(one.size_bytes) if one.files_count else "",
            ago(one.created),
            one.run_id or "",
            ", ".join(f"{key}={value}" for key, value in one.tags.items()),
        )
        for one in found
    ]
    print_table(
        (kind, "version", "files", "size", "registered", "run", "tags"), rows, numbers=("version", "files", "size")
    )


def print_one(asset: Asset, *, as_json: bool) -> None:
    """Print one version with its files."""
    from sublight.core.amounts import bytes_in_words

    files = asset.files()
    if as_json:
        print_json({"asset": asset.view, "files": files})
        return
    definition = asset.definition
    kept = {"type": definition.get("type"), "format": definition.get("format"), **(definition.get("options") or {})}
    facts = [
        (asset.kind, f"{asset.name}, version {asset.version}" + (" (archived)" if asset.is_archived else "")),
        ("about", asset.description),
        ("registered", f"{clock_time(asset.created)} by {asset.created_by}"),
        ("run", asset.run_id or ""),
        ("tags", ", ".join(f"{key}={value}" for key, value in asset.tags.items())),
        ("properties", ", ".join(f"{key}={value}" for key, value in asset.properties.items())),
        ("read as", ", ".join(f"{key} {value}" for key, value in kept.items() if value is not None)),
        ("id", asset.id),
    ]
    print_facts(facts)
    if files:
        print()
        rows = [(one.path, bytes_in_words(one.size_bytes)) for one in files]
        print_table(("file", "size"), rows, numbers=("size",))


def download(asset: Asset, path: str | None, to: Path | None, *, as_json: bool) -> None:
    """Write the files of one version below a folder."""
    from sublight.core.amounts import counted

    folder = to or Path(asset.name.replace("/", "_").strip("."))
    files = asset.download(folder, path)
    if as_json:
        print_json([str(file) for file in files])
    else:
        print(f"{counted(len(files), 'file')} of {asset.name} version {asset.version} written to {folder}")


def remove(
    workspace: Workspace, kind: str, name: str, *, version: int | None, all_versions: bool, as_json: bool
) -> None:
    """Remove one version, or all of a name; several are never removed unasked."""
    from sublight.core.errors import InvalidInput

    if version is not None and all_versions:
        raise InvalidInput("remove takes either --version or --all; got both")
    chosen = [workspace.assets.get(kind, name, version)]
    if version is None:
        chosen = workspace.assets.list(kind, name=name, includes_archived=True)
        if len(chosen) > 1 and not all_versions:
            raise InvalidInput(
                f"{kind} {name!r} has {len(chosen)} versions; choose one with --version, or remove them with --all"
            )
    for asset in chosen:
        asset.delete()
    removed = [asset.version for asset in reversed(chosen)]
    if as_json:
        print_json({"removed": name, "versions": removed})
    else:
        print(f"{kind} {name} is removed: version {', '.join(map(str, removed))}")
