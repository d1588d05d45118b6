"""Refusals: what can be imported and named, and says in one sentence that it is not supported when it is used.

Standard library only, because training scripts import it on the way to ``Run``.
"""

from __future__ import annotations

from typing import Any, NoReturn

LIST_OF_SUPPORT = "`sublight azureml list` (and `sublight azureml check FOLDER` for your own files)"


def refuse(what: str, why: str = "it is not supported yet") -> NoReturn:
    """Raise UserErrorException: ``what`` (a public name such as ``Workspace.sync_keys``) and ``why`` it refuses."""
    from azureml.exceptions import NotSupportedByFacade

    raise NotSupportedByFacade(f"{what}: {why}; what is supported is listed by {LIST_OF_SUPPORT}")


class _Refusing(type):
    """Classes out of scope: naming them, their members and annotations works, calling anything refuses."""

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        refuse(cls._shown_name(), cls._why)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return RefusedMember(f"{cls._shown_name()}.{name}", cls._why)

    def __iter__(cls) -> NoReturn:
        refuse(cls._shown_name(), cls._why)

    def __getitem__(cls, _key: Any) -> NoReturn:
        refuse(cls._shown_name(), cls._why)

    def _shown_name(cls) -> str:
        return f"{cls.__module__}.{cls.__qualname__}"

    _why = "it is not supported yet"


class Refused(metaclass=_Refusing):
    """Base of a placeholder class: ``class AutoMLConfig(Refused): _why = "automated ML is not supported yet"``."""


def refused_class(module: str, name: str, why: str) -> Any:
    """The placeholder for the class ``module.name``."""
    return _Refusing(name, (Refused,), {"__module__": module, "__doc__": f"Refused: {why}.", "_why": why})


class RefusedMember:
    """A name out of scope: may be looked at, chained, compared and derived from; refuses when it is called or read."""

    def __init__(self, shown: str, why: str) -> None:
        self._shown = shown
        self._why = why

    def __getattr__(self, name: str) -> RefusedMember:
        if name.startswith("__"):
            raise AttributeError(name)
        return RefusedMember(f"{self._shown}.{name}", self._why)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse(self._shown, self._why)

    def __iter__(self) -> NoReturn:
        refuse(self._shown, self._why)

    def __getitem__(self, _key: Any) -> NoReturn:
        refuse(self._shown, self._why)

    def __enter__(self) -> NoReturn:
        refuse(self._shown, self._why)

    def __exit__(self, *_raised: object) -> None:
        """Never reached; without it ``with`` would fail in its own words."""

    def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[type, ...]:
        """A class may be derived from it; making an object of that refuses."""
        module, _, name = self._shown.rpartition(".")
        return (refused_class(module, name, self._why),)

    def __instancecheck__(self, _one: object) -> bool:
        return False  # there can be no objects of it

    def __subclasscheck__(self, _one: type) -> bool:
        return False

    def __or__(self, _other: Any) -> RefusedMember:
        return self  # in annotations: ``Pipeline | None``

    __ror__ = __or__

    def __repr__(self) -> str:
        return f"<{self._shown}: {self._why}>"


def refused_function(shown: str, why: str) -> RefusedMember:
    """A placeholder for a function out of scope."""
    return RefusedMember(shown, why)
