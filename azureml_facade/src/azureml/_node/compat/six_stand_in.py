"""What scripts took from ``sklearn.externals.six``, for Python 3."""

from io import BytesIO, StringIO

PY2, PY3 = False, True
string_types = (str,)
integer_types = (int,)
text_type = str
binary_type = bytes


def iteritems(mapping):  # type: ignore[no-untyped-def]
    """The items of a mapping, one after the other."""
    return iter(mapping.items())


def itervalues(mapping):  # type: ignore[no-untyped-def]
    """The values of a mapping, one after the other."""
    return iter(mapping.values())


def iterkeys(mapping):  # type: ignore[no-untyped-def]
    """The keys of a mapping, one after the other."""
    return iter(mapping.keys())


def with_metaclass(meta, *bases):  # type: ignore[no-untyped-def]
    """A base class with this metaclass."""
    return meta("temporary_class", bases or (object,), {})


__all__ = [
    "PY2",
    "PY3",
    "BytesIO",
    "StringIO",
    "binary_type",
    "integer_types",
    "iteritems",
    "iterkeys",
    "itervalues",
    "string_types",
    "text_type",
    "with_metaclass",
]
