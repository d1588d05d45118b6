"""The disk: tables and queries (SQLAlchemy Core), migrations (Alembic), and files by content (blobs) and by run (logs)."""
