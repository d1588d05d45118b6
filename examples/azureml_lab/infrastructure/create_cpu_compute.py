"""Create the CPU cluster of the lab."""

from azureml.core import Workspace
from azureml.core.authentication import AzureCliAuthentication
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException

# Load the workspace
workspace = Workspace.from_config(auth=AzureCliAuthentication())

cpu_cluster_name = "hypercomputecpu"

# Take the cluster when it is there, else create it
try:
    cpu_cluster = ComputeTarget(workspace=workspace, name=cpu_cluster_name)
    print("Found the cluster", cpu_cluster_name)
except ComputeTargetException:
    compute_config = AmlCompute.provisioning_configuration(vm_size="STANDARD_D3_V2", max_nodes=4)
    cpu_cluster = ComputeTarget.create(workspace, cpu_cluster_name, compute_config)

cpu_cluster.wait_for_completion(show_output=True)
print(cpu_cluster.get_status().serialize())
