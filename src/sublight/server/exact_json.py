"""Request bodies are JSON as it is written down: Python's reader would also take NaN and infinities for numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute


class ExactJson(APIRoute):
    """A route that refuses a body with NaN, Infinity, or a number too large for a float, in one sentence."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, over a request that reads its body exactly."""
        handle = super().get_route_handler()

        async def handle_exactly(request: Request) -> Response:
            return await handle(_ExactRequest(request.scope, request.receive))

        return handle_exactly


class _ExactRequest(Request):
    async def json(self) -> Any:
        body = await self.body()

        def refuse(text: str) -> NoReturn:
            message = f"{text[:40]} is no number of JSON; give a finite one, or leave the field out"
            raise json.JSONDecodeError(message, body.decode("utf-8", "replace"), max(0, body.find(text.encode())))

        def number(text: str) -> float:
            value = float(text)
            return value if math.isfinite(value) else refuse(text)

        return json.loads(body, parse_constant=refuse, parse_float=number)
