"""``sublight cluster``: pools of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sublight.cli.output import ago, price, print_facts, print_json, print_table
from sublight.cli.session import AsJson, key_value_pairs, workspace_of

if TYPE_CHECKING:
    from sublight.messages.clusters import ClusterView, SizeView

app = typer.Typer(
    help="Create, look at, change and delete compute clusters.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(help="The cluster's name.", show_default=False)]


@app.command()
def create(
    context: typer.Context,
    name: Name,
    size: Annotated[str, typer.Option(help="What each node has; 'sublight cluster sizes' lists them.", metavar="SIZE")],
    max_nodes: Annotated[int, typer.Option(help="How many nodes it grows to.")] = 4,
    min_nodes: Annotated[int, typer.Option(help="How many nodes it keeps even when idle.")] = 0,
    idle_seconds: Annotated[float, typer.Option(help="How long a node may be idle before it leaves.")] = 1800,
    trials_per_node: Annotated[int, typer.Option(help="How many runs may share a node.")] = 1,
    description: Annotated[str, typer.Option(help="A line for people.", metavar="TEXT")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.", metavar="KEY=VALUE")] = None,
    size_may_differ: Annotated[
        bool, typer.Option("--size-may-differ", help="Take what this host has for an unknown size or missing GPUs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a cluster. It grows when runs wait for it, and shrinks when nodes are idle.

    \b
    Example:
      sublight cluster create hypercomputecpu --size STANDARD_D3_V2 --max-nodes 4 --idle-seconds 30
    """
    cluster = workspace_of(context).clusters.create(
        name,
        size=size,
        min_nodes=min_nodes,
        max_nodes=max_nodes,
        idle_seconds=idle_seconds,
        trials_per_node=trials_per_node,
        description=description,
        tags=key_value_pairs(tag, "--tag"),
        size_may_differ=size_may_differ,
    )
    _print_changed(cluster.view, "created", as_json)


@app.command("list")
def list_clusters(context: typer.Context, as_json: AsJson = False) -> None:
    """List the clusters.

    \b
    Example:
      sublight cluster list
    """
    views = [cluster.view for cluster in workspace_of(context).clusters]
    if as_json:
        print_json(views)
        return
    rows = [
        (
            view.name,
            view.size.name,
            view.state,
            f"{sum(node.state != 'gone' for node in view.nodes)} of {view.min_nodes}-{view.max_nodes}",
            f"{view.active_runs} running, {view.queued_runs} waiting",
            view.reason or view.target_reason,
        )
        for view in views
    ]
    empty = "there is no cluster yet; create one: sublight cluster create cpu --size STANDARD_D3_V2 --max-nodes 4"
    print_table(("cluster", "size", "state", "nodes", "runs", "why"), rows, empty=empty)


@app.command()
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show a cluster with its nodes, and why it has as many as it has.

    \b
    Example:
      sublight cluster show hypercomputecpu
    """
    view = workspace_of(context).clusters.get(name).view
    if as_json:
        print_json(view)
        return
    facts = [
        ("cluster", view.name),
        ("about", view.description),
        ("size", f"{view.size.name}: {_size_in_words(view.size)}"),
        ("state", view.state),
        ("why", view.reason),
        ("limits", f"{view.min_nodes} to {view.max_nodes} nodes, idle ones leave after {view.idle_seconds:g} s"),
        ("shared", f"{view.trials_per_node} runs per node" if view.trials_per_node > 1 else ""),
        ("runs", f"{view.active_runs} running, {view.queued_runs} waiting"),
        ("wanted", f"{view.target_nodes} nodes" + (f": {view.target_reason}" if view.target_reason else "")),
        ("created", f"{ago(view.created)} by {view.created_by}"),
    ]
    print_facts(facts)
    nodes = [node for node in view.nodes if node.state != "gone"]
    if nodes:
        rows = [(node.id, node.state, ", ".join(node.run_ids), ago(node.started), node.reason) for node in nodes]
        print()
        print_table(("node", "state", "runs", "started", "why"), rows)


@app.command()
def update(
    context: typer.Context,
    name: Name,
    max_nodes: Annotated[int | None, typer.Option(help="How many nodes it grows to.", show_default=False)] = None,
    min_nodes: Annotated[int | None, typer.Option(help="How many nodes it keeps.", show_default=False)] = None,
    idle_seconds: Annotated[
        float | None, typer.Option(help="How long a node may be idle before it leaves.", show_default=False)
    ] = None,
    trials_per_node: Annotated[
        int | None, typer.Option(help="How many runs may share a node.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change the limits of a cluster; what is not named stays.

    \b
    Example:
      sublight cluster update hypercomputecpu --max-nodes 8
    """
    from sublight.core.errors import InvalidInput

    if {max_nodes, min_nodes, idle_seconds, trials_per_node} == {None}:
        raise InvalidInput("nothing to change: give --max-nodes, --min-nodes, --idle-seconds or --trials-per-node")
    cluster = workspace_of(context).clusters.get(name)
    cluster.update(min_nodes=min_nodes, max_nodes=max_nodes, idle_seconds=idle_seconds, trials_per_node=trials_per_node)
    _print_changed(cluster.view, "changed", as_json)


@app.command()
def delete(
    context: typer.Context,
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="End the runs that are on it or wait for it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a cluster; refused while runs are on it or wait for it.

    \b
    Example:
      sublight cluster delete hypercomputecpu
    """
    workspace_of(context).clusters.delete(name, force=force)
    if as_json:
        print_json({"deleted": name})
    else:
        print(f"cluster {name} is being deleted")


@app.command()
def sizes(context: typer.Context, as_json: AsJson = False) -> None:
    """List the sizes that a cluster's nodes can have.

    \b
    Example:
      sublight cluster sizes
    """
    found = workspace_of(context).clusters.sizes()
    if as_json:
        print_json(found)
        return
    rows = [
        (
            size.name,
            str(size.cores),
            f"{size.memory_bytes / 2**30:g} GiB",
            f"{size.gpus} x {size.gpu_name}" if size.gpus else "",
            price(size.price_per_hour),
        )
        for size in found
    ]
    print_table(("size", "cores", "memory", "GPUs", "price/hour"), rows, numbers=("cores", "memory", "price/hour"))


def _print_changed(view: ClusterView, verb: str, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    limits = f"{view.min_nodes} to {view.max_nodes} nodes of {view.size.name}"
    print(f"cluster {view.name} {verb}: {limits} ({_size_in_words(view.size)})")
    if view.state != "ready":
        print(f"it is {view.state}: {view.reason}")


def _size_in_words(size: SizeView) -> str:
    gpus = f", {size.gpus} x {size.gpu_name}" if size.gpus else ""
    return f"{size.cores} cores, {size.memory_bytes / 2**30:g} GiB{gpus}"
