"""Where a workspace's server is, and the token for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sublight.core.errors import InvalidInput

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's address and the caller's token. ``project`` is the folder whose embedded server this is, if it is.

    The token never shows in a representation, so that it cannot slip into a log or a traceback.
    """

    url: str
    token: str = field(repr=False)
    project: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"the address of a Sublight server must look like https://host:port, got {self.url!r}")
        if not self.token or any(character.isspace() for character in self.token):
            raise InvalidInput(f"the token for {self.url} is empty or has blanks in it; copy it again as a whole")
        object.__setattr__(self, "url", self.url.rstrip("/"))

    @property
    def is_loopback(self) -> bool:
        """True when the server is on this machine; then no proxy of the environment may come in between."""
        return urlsplit(self.url).hostname in _LOOPBACK_HOSTS
