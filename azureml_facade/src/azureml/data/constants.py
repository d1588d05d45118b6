"""Words for the modes of inputs and outputs, and the names of the workspace's own datastores."""

from __future__ import annotations

DIRECT_MODE = "direct"
MOUNT_MODE = "mount"
DOWNLOAD_MODE = "download"
UPLOAD_MODE = "upload"
HDFS_MODE = "hdfs"
LINK_MODE = "link"

# The datastores that every workspace has.
WORKSPACE_BLOB_DATASTORE = "workspaceblobstore"
WORKSPACE_FILE_DATASTORE = "workspacefilestore"
