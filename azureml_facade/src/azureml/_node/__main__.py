"""``python -m azureml._node SCRIPT ARGUMENT…`` and ``python -m azureml._node --shell LINE``."""

from azureml._node.wrapper import main

main()
