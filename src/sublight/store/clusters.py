"""Rows of clusters and nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from sublight.core.errors import NotFound
from sublight.core.scaling import NodeState
from sublight.store import events
from sublight.store.database import Database
from sublight.store.tables import clusters, nodes

# Rows of ``clusters`` and ``nodes``; their columns are attributes.
ClusterRow = Any
NodeRow = Any


def add(connection: Connection, database: Database, row: Mapping[str, Any]) -> None:
    """Store a new cluster."""
    connection.execute(insert(clusters), {**row, "change": database.next_change(f"cluster:{row['name']}")})


def find(connection: Connection, name: str) -> ClusterRow | None:
    """The row of a cluster, or None."""
    return connection.execute(select(clusters).where(clusters.c.name == name)).first()


def get(connection: Connection, name: str) -> ClusterRow:
    """The row of a cluster; NotFound, with the names that exist, when there is none."""
    row = find(connection, name)
    if row is None:
        names = connection.scalars(select(clusters.c.name).order_by(clusters.c.name)).all()
        known = f"; the clusters are {', '.join(names)}" if names else ", nor any other"
        raise NotFound(f"there is no cluster {name!r}{known}; `sublight cluster create NAME --size SIZE` makes one")
    return row


def all_clusters(connection: Connection) -> list[ClusterRow]:
    """All clusters by name."""
    return list(connection.execute(select(clusters).order_by(clusters.c.name)).all())


def change(connection: Connection, database: Database, name: str, **values: Any) -> None:
    """Change columns of a cluster."""
    number = database.next_change(f"cluster:{name}")
    connection.execute(update(clusters).where(clusters.c.name == name).values(change=number, **values))


def remove(connection: Connection, database: Database, name: str) -> None:
    """Forget a cluster; its nodes' history stays."""
    database.next_change(f"cluster:{name}")
    connection.execute(delete(clusters).where(clusters.c.name == name))


def add_node(connection: Connection, database: Database, row: Mapping[str, Any]) -> None:
    """Store a new node."""
    database.next_change(f"cluster:{row['cluster']}")
    connection.execute(insert(nodes), {"host": {}, **row})


def find_node(connection: Connection, node_id: str) -> NodeRow | None:
    """The row of a node, or None."""
    return connection.execute(select(nodes).where(nodes.c.id == node_id)).first()


def live_nodes(connection: Connection, cluster: str | None = None) -> list[NodeRow]:
    """Nodes that are not history, oldest first."""
    query = select(nodes).where(nodes.c.state != NodeState.GONE.value)
    if cluster is not None:
        query = query.where(nodes.c.cluster == cluster)
    return list(connection.execute(query.order_by(nodes.c.started, nodes.c.id)).all())


def nodes_of(connection: Connection, cluster: str, *, limit: int = 200) -> list[NodeRow]:
    """All nodes that a cluster ever had, newest first."""
    query = select(nodes).where(nodes.c.cluster == cluster).order_by(nodes.c.started.desc()).limit(limit)
    return list(connection.execute(query).all())


def nodes_to_sweep(connection: Connection) -> list[tuple[NodeRow, str]]:
    """Nodes that are history but of which something may be left, with their engine's name."""
    query = select(nodes, clusters.c.engine.label("engine")).outerjoin(clusters, clusters.c.name == nodes.c.cluster)
    ended = (NodeState.GONE.value, NodeState.UNUSABLE.value)
    query = query.where(nodes.c.state.in_(ended), nodes.c.is_swept.is_(False))
    return [(row, row.engine or "local") for row in connection.execute(query).all()]


def move_node(
    connection: Connection,
    database: Database,
    row: NodeRow,
    state: NodeState,
    *,
    time: float,
    reason: str,
    **values: Any,
) -> None:
    """Take a node to a state, with the reason; an event is noted when the state is new."""
    database.next_change(f"cluster:{row.cluster}")
    connection.execute(update(nodes).where(nodes.c.id == row.id).values(state=state.value, reason=reason, **values))
    if row.state != state.value:
        inputs = {"node": row.id, "from": row.state, "to": state.value}
        subject = f"cluster:{row.cluster}"
        sentence = f"{row.id} {state.value}: {reason}"
        events.append(
            connection,
            time=time,
            subject=subject,
            kind="node",
            reason=sentence,
            inputs=inputs,
        )


def change_node(connection: Connection, node_id: str, **values: Any) -> None:
    """Change columns of a node other than its state, without announcing it."""
    connection.execute(update(nodes).where(nodes.c.id == node_id).values(**values))
