"""The tables of a workspace. Every change here comes with a migration; a released migration is never edited.

Times are seconds since 1970 (UTC). Columns that hold JSON text hold only what is read as a whole. ``change`` columns
carry the number of the workspace's last change to the row; readers ask for "everything after number N".
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("roles", JSON, nullable=False),
    Column("created", Double, nullable=False),
)

# Secrets of every kind, as SHA-256 of 256 random bits: kind is access, session, login or node.
tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("person", String(128)),
    Column("node_id", String(64)),
    Column("label", Text, nullable=False, server_default=""),
    Column("hash", String(64), nullable=False, unique=True),
    Column("csrf", String(64)),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Index("ix_tokens_person", "person"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("time", Double, nullable=False),
    Column("person", String(128), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("detail", JSON, nullable=False),
)

# Answers already given to requests with an idempotency key; the second request gets the first one's answer.
idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("created", Double, nullable=False),
)

clusters = Table(
    "clusters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("engine", String(32), nullable=False),
    Column("size", JSON, nullable=False),
    Column("min_nodes", Integer, nullable=False),
    Column("max_nodes", Integer, nullable=False),
    Column("idle_seconds", Double, nullable=False),
    Column("trials_per_node", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("target_nodes", Integer, nullable=False),
    Column("target_reason", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("change", Integer, nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("cluster", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("incarnation", String(64)),
    Column("handle", JSON),
    Column("host", JSON, nullable=False),
    Column("started", Double, nullable=False),
    Column("ready", Double),
    Column("idle_since", Double),
    Column("last_heartbeat", Double),
    Column("ended", Double),
    # True once the engine has said that nothing of an ended node is left.
    Column("is_swept", Boolean, nullable=False, server_default=false()),
    Index("ix_nodes_cluster_state", "cluster", "state"),
)

experiments = Table(
    "experiments",
    metadata,
    Column("name", String(256), primary_key=True),
    Column("created", Double, nullable=False),
    # A name may be used again after an experiment was deleted; the id tells the two apart.
    Column("id", String(36), nullable=False, unique=True),
    Column("tags", JSON, nullable=False, server_default="{}"),
    Column("is_archived", Boolean, nullable=False, server_default=false()),
)

runs = Table(
    "runs",
    metadata,
    # ``number`` orders runs by creation without ties; pages of the history are cut by it.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("experiment", String(256), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("target", String(64), nullable=False),
    # What the cluster was at submission (size, price_per_hour, nodes_max): it may be changed or deleted later.
    Column("target_facts", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("end_reason", String(16)),
    Column("created_by", String(128), nullable=False),
    Column("created", Double, nullable=False),
    Column("queued", Double),
    Column("started", Double),
    Column("ended", Double),
    Column("parent_id", String(64)),
    Column("trial_index", Integer),
    Column("attempt", Integer, nullable=False),
    Column("node_id", String(64)),
    Column("exit_code", Integer),
    # The trial's own values; the definition stands once, on the run that was submitted.
    Column("parameters", JSON, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("definition", JSON),
    # The sweep's own state beside its definition: what it waits for, its best trial, counts.
    Column("progress", JSON),
    Column("best_value", Double),
    Column("tags", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("trials_per_node", Integer),
    Column("stop_end_reason", String(16)),
    Column("node_seconds", Double, nullable=False, server_default="0"),
    Column("price", Double),
    Column("change", Integer, nullable=False),
    Index("ix_runs_parent_index", "parent_id", "trial_index"),
    Index("ix_runs_parent_number", "parent_id", "number"),
    Index("ix_runs_status_target", "status", "target"),
    Index("ix_runs_parent_change", "parent_id", "change"),
    Index("ix_runs_experiment_number", "experiment", "number"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("node_id", String(64), nullable=False),
    Column("incarnation", String(64)),
    Column("status", String(16), nullable=False),
    Column("placed", Double, nullable=False),
    Column("started", Double),
    Column("ended", Double),
    Column("exit_code", Integer),
    Column("reason", Text, nullable=False),
    Column("journal_offset", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Index("ix_attempts_node_open", "node_id", "is_open"),
)

# One row a scalar metric of a run: its totals, kept at ingest so that no page has to add points up.
metrics = Table(
    "metrics",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("name", String(256), primary_key=True),
    Column("points_count", Integer, nullable=False),
    Column("last_step", Integer),
    Column("last", Double),
    Column("least", Double),
    Column("greatest", Double),
    Column("change", Integer, nullable=False),
)

# The points themselves, packed: arrays of int64 steps, float64 values and float64 times, ``count`` each. Numbers that
# SQL cannot hold (NaN, infinities) are exact here. A small last chunk is grown in place.
metric_chunks = Table(
    "metric_chunks",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("name", String(256), primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("points_count", Integer, nullable=False),
    Column("steps", LargeBinary, nullable=False),
    Column("points", LargeBinary, nullable=False),
    Column("times", LargeBinary, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("step", Integer),
    Column("time", Double, nullable=False),
    Column("content", JSON, nullable=False),
    Index("ix_records_run_id_number", "run_id", "number"),
)

logs = Table(
    "logs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("path", String(1024), primary_key=True),
    Column("size_bytes", Integer, nullable=False),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("path", String(1024), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("created", Double, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("files", JSON, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("created", Double, nullable=False),
)

# Every decision and every change of state, with its reason in words and the numbers behind it.
events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("time", Double, nullable=False),
    Column("subject", String(128), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("inputs", JSON, nullable=False),
    Index("ix_events_subject_number", "subject", "number"),
)

# Child runs that a script made: its local id -> our run.
script_children = Table(
    "script_children",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("child", String(64), primary_key=True),
    Column("child_run_id", String(64), nullable=False),
    UniqueConstraint("child_run_id"),
)

# The version that a name of an asset got last. It outlives deleted versions, so that no number means two things.
asset_names = Table(
    "asset_names",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(2048), primary_key=True),
    Column("last_version", Integer, nullable=False),
)

assets = Table(
    "assets",
    metadata,
    # ``number`` orders assets by registration without ties; pages are cut by it.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(2048), nullable=False),
    Column("version", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("files_count", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("modified", Double, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("run_id", String(64)),
    Column("experiment", String(256)),
    Column("is_archived", Boolean, nullable=False),
    UniqueConstraint("kind", "name", "version"),
    Index("ix_assets_kind_number", "kind", "number"),
    Index("ix_assets_run_id", "run_id"),
)

asset_files = Table(
    "asset_files",
    metadata,
    Column("asset_id", String(36), primary_key=True),
    Column("path", String(1024), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Index("ix_asset_files_sha256", "sha256"),
)

# Datastores besides the one that every workspace has; their files lie in folders, not here.
datastores = Table(
    "datastores",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("definition", JSON, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("created_by", String(128), nullable=False),
)
