"""Names that libraries have dropped since v1's days, put back for training scripts.

``install()`` costs a script nothing for libraries that it does not import: `hooks` waits for the import of a library and
then applies what `tables` (plain renames) and the modules ``for_<library>`` (arguments, methods) say. What a script
really uses is told once in the run's log. ``AZUREML_FACADE_COMPAT=off`` leaves everything as the libraries have it.

Readable by Python 3.8, standard library only.
"""

from azureml._node.compat.hooks import install

__all__ = ["install"]
