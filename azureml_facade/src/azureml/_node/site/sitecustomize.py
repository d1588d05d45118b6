"""Puts dropped names back in every Python that a run starts, and then does what another ``sitecustomize`` would do."""

import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def _install() -> None:
    if os.environ.get("AZUREML_FACADE_COMPAT", "").lower() in ("off", "0"):
        return
    try:
        from azureml._node.compat import install
    except ImportError:
        return  # another environment, without the facade
    install()


def _chain() -> None:
    """Run the ``sitecustomize`` that stands behind this one on the path, if there is one."""
    from importlib.machinery import PathFinder

    places = [place for place in sys.path if os.path.abspath(place or os.curdir) != _FOLDER]
    spec = PathFinder.find_spec("sitecustomize", places)
    if spec is not None and spec.origin and os.path.dirname(os.path.abspath(spec.origin)) != _FOLDER:
        with open(spec.origin, "rb") as file:
            exec(compile(file.read(), spec.origin, "exec"), {"__name__": "sitecustomize", "__file__": spec.origin})


_chain()
_install()
