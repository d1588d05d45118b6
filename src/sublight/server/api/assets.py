"""Addresses for assets: versioned datasets, models, environments and mapped addresses."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from sublight.messages.assets import (
    AssetFile,
    AssetKind,
    AssetPage,
    AssetRequest,
    AssetResponse,
    AssetUpdate,
    AssetView,
)
from sublight.server.api.files import attachment
from sublight.server.exact_json import ExactJson
from sublight.server.services.assets import Assets


def assets_router(assets: Assets) -> APIRouter:
    """The routes under ``/api/v1/assets``."""
    router = APIRouter(prefix="/api/v1", tags=["assets"], route_class=ExactJson)

    @router.post("/assets", status_code=201)
    def register_asset(
        request: Request,
        response: Response,
        asset: AssetRequest,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> AssetResponse:
        answer = assets.register(request.state.caller, asset, idempotency_key)
        if answer.asset is None:
            response.status_code = 200  # nothing was made yet
        return answer

    @router.get("/assets")
    def list_assets(
        kind: AssetKind | None = None,
        name: str | None = None,
        tag: str | None = None,
        run_id: str | None = None,
        is_latest_only: bool = False,
        includes_archived: bool = False,
        before: str | None = None,
        limit: int = 100,
    ) -> AssetPage:
        return assets.list(
            kind=kind,
            name=name,
            tag=tag,
            run_id=run_id,
            is_latest_only=is_latest_only,
            includes_archived=includes_archived,
            before=before,
            limit=limit,
        )

    # Names may be addresses with slashes of their own, so they travel as a query and not as a part of the path.
    @router.get("/assets/named")
    def get_named_asset(kind: AssetKind, name: str, version: int | None = None) -> AssetView:
        return assets.named(kind, name, version)

    @router.get("/assets/{asset_id}")
    def get_asset(asset_id: str) -> AssetView:
        return assets.get(asset_id)

    @router.patch("/assets/{asset_id}")
    def update_asset(request: Request, asset_id: str, change: AssetUpdate) -> AssetView:
        return assets.update(request.state.caller, asset_id, change)

    @router.delete("/assets/{asset_id}", status_code=204)
    def delete_asset(request: Request, asset_id: str) -> None:
        assets.delete(request.state.caller, asset_id)

    @router.get("/assets/{asset_id}/files")
    def list_asset_files(asset_id: str) -> list[AssetFile]:
        return list(assets.files(asset_id))

    @router.get("/assets/{asset_id}/content")
    def get_asset_file(asset_id: str, path: str) -> Response:
        return attachment(assets.open_file(asset_id, path), path)

    return router
