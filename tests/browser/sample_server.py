"""Apps behind a real port, for real browsers: any app, and the sample portal with a stream of hints."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from tests.unit.portal.portal_sample import SampleServices, sample_app


class RunningApp:
    """An app on a free port of loopback, in a thread of this process."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._ready = threading.Event()
        self._thread.start()
        assert self._ready.wait(20), "the app did not come up"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._ready.set()
        await task

    def stop(self) -> None:
        """Let requests finish and free the port."""
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the app did not stop"


class SampleServer(RunningApp):
    """The sample portal, with the stream of changes that pages listen to."""

    def __init__(self, services: SampleServices, role: str | None = "owner") -> None:
        self.services = services
        self._queues: list[asyncio.Queue[str]] = []
        app = sample_app(services, role)
        app.add_api_route("/api/v1/changes", self._changes, methods=["GET"])
        super().__init__(app)

    async def _changes(self) -> StreamingResponse:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.append(queue)

        async def lines() -> AsyncIterator[str]:
            try:
                yield "retry: 500\n\n"
                while (subject := await queue.get()) != "":
                    yield f'event: change\ndata: {{"number": 1, "subject": "{subject}"}}\n\n'
            finally:
                self._queues.remove(queue)

        return StreamingResponse(lines(), media_type="text/event-stream")

    def announce(self, subject: str) -> None:
        """Tell every open page that the subject changed; an empty one cuts the connections."""
        for queue in list(self._queues):
            self._loop.call_soon_threadsafe(queue.put_nowait, subject)

    def stop(self) -> None:
        """Cut the streams, then stop."""
        self.announce("")
        super().stop()
