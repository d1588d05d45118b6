"""Words for the modes of inputs and outputs."""

from __future__ import annotations

DIRECT_MODE = "direct"
MOUNT_MODE = "mount"
DOWNLOAD_MODE = "download"
UPLOAD_MODE = "upload"
HDFS_MODE = "hdfs"
LINK_MODE = "link"
