"""Addresses for people, their tokens and their way into the portal."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from sublight.messages.people import LoginCode, PersonRequest, PersonUpdate, PersonView, TokenResponse, TokenView
from sublight.messages.people import TokenRequest as TokenRequest
from sublight.server.auth import current_caller
from sublight.server.caller import Caller
from sublight.server.exact_json import ExactJson
from sublight.server.services.people import People


def people_router(people: People) -> APIRouter:
    """The routes over ``people``; who may use which stands in the table of permissions."""
    router = APIRouter(prefix="/api/v1", tags=["people"], route_class=ExactJson)

    @router.get("/people")
    def list_people() -> list[PersonView]:
        return list(people.list())

    @router.post("/people", status_code=201)
    def add_person(
        request: PersonRequest,
        idempotency_key: Annotated[str | None, Header()] = None,
        caller: Caller = Depends(current_caller),
    ) -> PersonView:
        return people.add(caller, request, idempotency_key)

    @router.patch("/people/{name}")
    def change_person(name: str, request: PersonUpdate, caller: Caller = Depends(current_caller)) -> PersonView:
        return people.update(caller, name, request)

    @router.delete("/people/{name}", status_code=204)
    def remove_person(name: str, caller: Caller = Depends(current_caller)) -> None:
        people.remove(caller, name)

    @router.get("/tokens")
    def list_tokens(caller: Caller = Depends(current_caller)) -> list[TokenView]:
        return list(people.tokens(caller))

    @router.post("/tokens", status_code=201)
    def make_token(
        request: TokenRequest,
        idempotency_key: Annotated[str | None, Header()] = None,
        caller: Caller = Depends(current_caller),
    ) -> TokenResponse:
        return people.create_token(caller, request, idempotency_key)

    @router.delete("/tokens/{token_id}", status_code=204)
    def revoke_token(token_id: str, caller: Caller = Depends(current_caller)) -> None:
        people.revoke_token(caller, token_id)

    @router.post("/login-codes", status_code=201)
    def make_login_code(
        idempotency_key: Annotated[str | None, Header()] = None, caller: Caller = Depends(current_caller)
    ) -> LoginCode:
        return people.login_code(caller, idempotency_key)

    return router
