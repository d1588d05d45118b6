"""The HTTP client under everything in the SDK: JSON in and out, retries that cannot do a thing twice, typed errors."""

from __future__ import annotations

import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, TypeVar

import msgspec

from sublight.core.errors import NotAuthenticated, ServerUnavailable, SublightError
from sublight.messages.people import Change
from sublight.sdk.answers import checked_answer, decode, is_worth_a_retry
from sublight.sdk.endpoint import Endpoint

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Query = Mapping[str, object]
_Plain = str | int | float | bool | None  # as httpx declares its query values

API = "/api/v1"
PATIENCE_SECONDS = 20.0
_DELAY_FIRST_SECONDS = 0.1
_DELAY_MAX_SECONDS = 2.0
_CHUNK_BYTES = 1 << 18


class Client:
    """Talks to one server for one caller; may be used from several threads.

    Every request may reach the server twice: reads and PUTs are harmless, and every POST carries an idempotency key of
    its own, so connection errors and "try again" answers are retried for ``patience_seconds``. ``locate`` is asked
    again after a lost connection, because a restarted server may listen elsewhere; it returns the endpoint as it is
    written down now, or raises ServerUnavailable with a better sentence than "does not answer".
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        locate: Callable[[], Endpoint] | None = None,
        http: httpx.Client | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._locate = locate
        self._locate_fault: SublightError | None = None
        self._own_http = http if http is not None else _new_http(endpoint)
        self._process = os.getpid()
        self._patience_seconds = patience_seconds
        self._sleep = sleep
        self._clock = clock

    def __getstate__(self) -> dict[str, Any]:
        """For another process: with the token, and without the connections, which stay with this one."""
        connections = ("_own_http", "_parents_http", "_process")
        return {name: value for name, value in self.__dict__.items() if name not in connections}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _own_http=_new_http(state["_endpoint"]), _process=os.getpid())

    @property
    def endpoint(self) -> Endpoint:
        """The server that the next request goes to."""
        return self._endpoint

    def get(self, path: str, answer: type[T], /, **query: object) -> T:
        """GET a JSON answer of type ``answer``; a query value of None is left out, a list is repeated."""
        return decode(self._send("GET", path, query=query), answer)

    def post(self, path: str, answer: type[T], body: object = None, *, key: str | None = None) -> T:
        """POST ``body`` (a message) and read the answer. ``key`` names the act; without one it is a new act."""
        return decode(self._send("POST", path, body=body, key=key or str(uuid.uuid4())), answer)

    def patch(self, path: str, answer: type[T], body: object) -> T:
        """PATCH with ``body`` (a message); sending it twice changes nothing more."""
        return decode(self._send("PATCH", path, body=body), answer)

    def delete(self, path: str, answer: type[T], /, **query: object) -> T:
        """DELETE; ``answer`` is NoneType where the server says nothing."""
        return decode(self._send("DELETE", path, query=query), answer)

    def put(self, path: str, answer: type[T], data: bytes = b"", /, **query: object) -> T:
        """PUT raw bytes (or nothing) and read the answer; sending it twice changes nothing more."""
        return decode(self._send("PUT", path, query=query, data=data), answer)

    def put_file(self, path: str, source: Path, /, **query: object) -> None:
        """PUT the content of a file, streamed; a retry starts it again from its beginning."""
        self._send("PUT", path, source=source, query=query)

    def send_file(self, path: str, source: Path, answer: type[T], /, *, key: str | None = None, **query: object) -> T:
        """PUT the content of a file, streamed, and read the answer; ``key`` as for ``post``."""
        return decode(self._send("PUT", path, source=source, query=query, key=key or str(uuid.uuid4())), answer)

    def get_bytes(self, path: str, /, **query: object) -> bytes:
        """GET raw bytes, such as a piece of a log."""
        return self._send("GET", path, query=query, wants_json=False).content

    def get_file(self, path: str, sink: IO[bytes], /, **query: object) -> None:
        """GET raw bytes of any length into ``sink``, which is rewound when a lost connection makes it start again."""

        def once() -> httpx.Response:
            sink.seek(0)
            sink.truncate()
            with self._http.stream("GET", self._url(path), params=_flat(query), headers=self._headers()) as answer:
                if answer.is_success:
                    for chunk in checked_answer(answer, wants_json=False).iter_bytes(_CHUNK_BYTES):
                        sink.write(chunk)
                else:
                    answer.read()
                return answer

        checked_answer(self._with_retries(once), wants_json=False)

    def changes(self, since: int | None = None) -> Iterator[Change]:
        """Hints on what changed, for ever; reconnects by itself and goes on after the last hint it saw."""
        last = since
        while True:
            try:
                with self._open_changes(last) as answer:
                    for data in _events_of(answer.iter_lines()):
                        change = msgspec.json.decode(data, type=Change)
                        last = change.number
                        yield change
            except _transport_errors():
                pass  # the server is restarting, or the line was quiet for too long: connect anew
            self._sleep(_DELAY_FIRST_SECONDS)

    @contextmanager
    def _open_changes(self, since: int | None) -> Iterator[httpx.Response]:
        with ExitStack() as stack:

            def once() -> httpx.Response:
                headers = {**self._headers(), "Accept": "text/event-stream"}
                query = _flat({"since": since})
                answer = stack.enter_context(
                    self._http.stream("GET", self._url(f"{API}/changes"), params=query, headers=headers)
                )
                if not answer.is_success:
                    answer.read()
                return answer

            yield checked_answer(self._with_retries(once), wants_json=False)

    @property
    def _http(self) -> httpx.Client:
        """The connections; a forked process makes its own, because two that read from one socket get each other's answers."""
        if self._process != os.getpid():
            # The parent's are left alone: closing them here would end them there.
            self._parents_http, self._own_http = self._own_http, _new_http(self._endpoint)
            self._process = os.getpid()
        return self._own_http

    def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        self._http.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        key: str | None = None,
        data: bytes | None = None,
        source: Path | None = None,
        wants_json: bool = True,
    ) -> httpx.Response:
        content = data if body is None else msgspec.json.encode(body)

        def once() -> httpx.Response:
            headers = self._headers()
            if content is not None:
                headers["Content-Type"] = "application/json" if body is not None else "application/octet-stream"
            if key is not None:
                headers["Idempotency-Key"] = key
            arguments: dict[str, Any] = {"params": _flat(query or {}), "headers": headers}
            if source is None:
                return self._http.request(method, self._url(path), content=content, **arguments)
            with source.open("rb") as file:
                headers["Content-Type"] = "application/octet-stream"
                headers["Content-Length"] = str(source.stat().st_size)
                return self._http.request(method, self._url(path), content=file, **arguments)

        return checked_answer(self._with_retries(once), wants_json=wants_json)

    def _with_retries(self, once: Callable[[], httpx.Response]) -> httpx.Response:
        """The answer of ``once``, tried again while the server cannot be reached or asks to be asked later."""
        deadline = self._clock() + self._patience_seconds
        delay = _DELAY_FIRST_SECONDS
        may_look_again_for_token = True
        while True:
            fault: Exception | None = None
            answer: httpx.Response | None = None
            try:
                answer = once()
            except _transport_errors() as error:
                fault = error
            if answer is not None:
                if answer.status_code == 401 and may_look_again_for_token:
                    may_look_again_for_token = False
                    if self._look_again():
                        continue
                if not is_worth_a_retry(answer):
                    return answer
            elif self._look_again():
                continue
            if self._clock() + delay > deadline:
                if answer is not None:
                    return answer
                raise self._locate_fault or ServerUnavailable(self._no_answer_sentence(fault)) from fault
            self._sleep(delay * random.uniform(0.7, 1.3))
            delay = min(delay * 2, _DELAY_MAX_SECONDS)

    def _look_again(self) -> bool:
        """Read anew where the server is; True when that has changed."""
        if self._locate is None:
            return False
        before = self._endpoint
        try:
            self._endpoint = self._locate()
        except (ServerUnavailable, NotAuthenticated) as error:
            self._locate_fault = error
            return False
        self._locate_fault = None
        return self._endpoint != before

    def _url(self, path: str) -> str:
        return self._endpoint.url + path

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._endpoint.token}"}

    def _no_answer_sentence(self, fault: Exception | None) -> str:
        remedy = "start it with 'sublight up'" if self._endpoint.project else "check the address and the network"
        reason = str(fault).strip() or type(fault).__name__
        return f"the Sublight server at {self._endpoint.url} does not answer ({reason}); {remedy}"


def _new_http(endpoint: Endpoint) -> httpx.Client:
    library = _httpx()
    # A proxy meant for the internet must not see, or break, the talk with a server on this very machine.
    client: httpx.Client = library.Client(
        timeout=library.Timeout(60.0, connect=5.0),
        trust_env=not endpoint.is_loopback,
        follow_redirects=False,
    )
    return client


def _transport_errors() -> type[Exception]:
    """What httpx raises when there was no answer."""
    error: type[Exception] = _httpx().TransportError
    return error


def _httpx() -> ModuleType:
    """httpx, loaded at the first request.

    Its own command line, which nobody needs here, would load another two hundred modules; httpx goes without it when
    it cannot be imported, and so half of every command's start is saved.
    """
    unwanted = "httpx._main"
    if "httpx" not in sys.modules:
        sys.modules[unwanted] = None  # type: ignore[assignment]  # the way to say "cannot be imported"
        try:
            import httpx
        finally:
            del sys.modules[unwanted]
    else:
        import httpx
    return httpx


def _flat(query: Query) -> list[tuple[str, _Plain]]:
    pairs: list[tuple[str, _Plain]] = []
    for name, value in query.items():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if item is not None:
                pairs.append((name, str(item).lower() if isinstance(item, bool) else str(item)))
    return pairs


def _events_of(lines: Iterator[str]) -> Iterator[str]:
    """The data of each ``change`` event in a stream of server-sent events."""
    kind = ""
    data: list[str] = []
    for line in lines:
        if not line:
            if kind == "change" and data:
                yield "\n".join(data)
            kind, data = "", []
        elif line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
