"""Names of the Databricks settings in a run configuration. They are kept and have no effect: there is no Databricks."""

from __future__ import annotations

from azureml._base_sdk_common.abstract_run_config_element import Field, _AbstractRunConfigElement


class MavenLibrary(_AbstractRunConfigElement):
    """A Maven package."""

    _fields = (Field("coordinates", "coordinates"), Field("repo", "repo"), Field("exclusions", "exclusions"))

    def __init__(
        self, coordinates: str | None = None, repo: str | None = None, exclusions: list[str] | None = None
    ) -> None:
        self.coordinates = coordinates
        self.repo = repo
        self.exclusions = list(exclusions or [])
        self._initialized = True


class PyPiLibrary(_AbstractRunConfigElement):
    """A PyPI package."""

    _fields = (Field("package", "package"), Field("repo", "repo"))

    def __init__(self, package: str | None = None, repo: str | None = None) -> None:
        self.package = package
        self.repo = repo
        self._initialized = True


class RCranLibrary(_AbstractRunConfigElement):
    """A CRAN package."""

    _fields = (Field("package", "package"), Field("repo", "repo"))

    def __init__(self, package: str | None = None, repo: str | None = None) -> None:
        self.package = package
        self.repo = repo
        self._initialized = True


class JarLibrary(_AbstractRunConfigElement):
    """A jar file."""

    _fields = (Field("library", "library"),)

    def __init__(self, library: str | None = None) -> None:
        self.library = library
        self._initialized = True


class EggLibrary(_AbstractRunConfigElement):
    """An egg file."""

    _fields = (Field("library", "library"),)

    def __init__(self, library: str | None = None) -> None:
        self.library = library
        self._initialized = True


class DatabricksCluster(_AbstractRunConfigElement):
    """A Databricks cluster: an existing one, or what a new one should be."""

    _fields = (
        Field("existing_cluster_id", "existingClusterId"),
        Field("spark_version", "sparkVersion"),
        Field("node_type", "nodeType"),
        Field("instance_pool_id", "instancePoolId"),
        Field("num_workers", "numWorkers"),
        Field("min_workers", "minWorkers"),
        Field("max_workers", "maxWorkers"),
        Field("spark_env_variables", "sparkEnvVariables"),
        Field("spark_conf", "sparkConf"),
        Field("init_scripts", "initScripts"),
        Field("cluster_log_dbfs_path", "clusterLogDbfsPath"),
        Field("permit_cluster_restart", "permitClusterRestart"),
    )

    def __init__(
        self,
        existing_cluster_id: str | None = None,
        spark_version: str | None = None,
        node_type: str | None = None,
        instance_pool_id: str | None = None,
        num_workers: int | None = None,
        min_workers: int | None = None,
        max_workers: int | None = None,
        spark_env_variables: dict[str, str] | None = None,
        spark_conf: dict[str, str] | None = None,
        init_scripts: list[str] | None = None,
        cluster_log_dbfs_path: str | None = None,
        permit_cluster_restart: bool | None = None,
    ) -> None:
        self.existing_cluster_id = existing_cluster_id
        self.spark_version = spark_version
        self.node_type = node_type
        self.instance_pool_id = instance_pool_id
        self.num_workers = num_workers
        self.min_workers = min_workers
        self.max_workers = max_workers
        self.spark_env_variables = spark_env_variables
        self.spark_conf = spark_conf
        self.init_scripts = init_scripts
        self.cluster_log_dbfs_path = cluster_log_dbfs_path
        self.permit_cluster_restart = permit_cluster_restart
        self._initialized = True

    def validate(self) -> None:
        """Raise UserErrorException when an existing cluster and a new one are both described, or the workers doubly."""
        from azureml.exceptions import UserErrorException

        if self.existing_cluster_id and (self.spark_version or self.node_type or self.num_workers):
            raise UserErrorException(
                "a DatabricksCluster names an existing cluster or describes a new one, and this one does both"
            )
        if self.num_workers is not None and (self.min_workers is not None or self.max_workers is not None):
            raise UserErrorException("a DatabricksCluster takes num_workers, or min_workers with max_workers, not both")
        if (self.min_workers is None) != (self.max_workers is None):
            raise UserErrorException("a DatabricksCluster needs min_workers and max_workers together")


class DatabricksSection(_AbstractRunConfigElement):
    """The libraries and the cluster of a Databricks run."""

    _fields = (
        Field("maven_libraries", "mavenLibraries", MavenLibrary, "list"),
        Field("pypi_libraries", "pypiLibraries", PyPiLibrary, "list"),
        Field("rcran_libraries", "rcranLibraries", RCranLibrary, "list"),
        Field("jar_libraries", "jarLibraries", JarLibrary, "list"),
        Field("egg_libraries", "eggLibraries", EggLibrary, "list"),
    )

    def __init__(self, _skip_defaults: bool = False) -> None:
        self.maven_libraries: list[MavenLibrary] = []
        self.pypi_libraries: list[PyPiLibrary] = []
        self.rcran_libraries: list[RCranLibrary] = []
        self.jar_libraries: list[JarLibrary] = []
        self.egg_libraries: list[EggLibrary] = []
        self._cluster = None if _skip_defaults else DatabricksCluster()
        self._initialized = True

    @property
    def cluster(self) -> DatabricksCluster | None:
        """The cluster."""
        return self._cluster

    @cluster.setter
    def cluster(self, cluster: DatabricksCluster | None) -> None:
        self._cluster = cluster


DatabricksEnvironment = DatabricksSection
