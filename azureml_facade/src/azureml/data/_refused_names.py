"""Why parts of ``azureml.data`` refuse."""

from __future__ import annotations

DATABASE = "databases are not supported as datastores; export the rows to a file and put it into a datastore"
DATA_CACHE = "data caches are not supported; nodes keep copies of data by themselves"
PROFILE = "profiles, snapshots and definitions of datasets are not supported; read the rows with to_pandas_dataframe()"
HADOOP = "HDFS and DBFS are not supported; put the files into a datastore of the workspace"
