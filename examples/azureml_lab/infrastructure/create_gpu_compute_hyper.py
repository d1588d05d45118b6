"""Create the GPU cluster of the lab."""

from azureml.core import Workspace
from azureml.core.authentication import AzureCliAuthentication
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException

workspace = Workspace.from_config(auth=AzureCliAuthentication())

gpu_cluster_name = "hypercomputegpu"

try:
    gpu_cluster = ComputeTarget(workspace=workspace, name=gpu_cluster_name)
    print("Found the cluster", gpu_cluster_name)
except ComputeTargetException:
    compute_config = AmlCompute.provisioning_configuration(vm_size="Standard_NC6", max_nodes=4)
    gpu_cluster = ComputeTarget.create(workspace, gpu_cluster_name, compute_config)

gpu_cluster.wait_for_completion(show_output=True)
print(gpu_cluster.get_status().serialize())
