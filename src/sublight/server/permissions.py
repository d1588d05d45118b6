"""Who may do what: one table over all routes of the API and the portal, and the roles that carry each permission.

Every route of the app stands here, or a test fails. The key is the route's own path template, never the text of a
request's address. The names of a template's parameters do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from sublight.core.errors import NotAllowed
from sublight.server.caller import Caller


class Permission(StrEnum):
    """What a route asks of its caller. PUBLIC asks for nothing; NODE for the token of the node in the address."""

    PUBLIC = "public"
    NODE = "node"
    READ = "read"
    OWN = "own"
    SUBMIT = "submit"
    REMOVE = "remove"
    COMPUTE = "compute"
    PEOPLE = "people"
    AUDIT = "audit"
    SHUTDOWN = "shutdown"


class Role(StrEnum):
    """The roles of people; several can be combined."""

    READER = "reader"
    DATA_SCIENTIST = "data scientist"
    COMPUTE_OPERATOR = "compute operator"
    OWNER = "owner"


_P = Permission
_EVERYBODY = frozenset({_P.READ, _P.OWN})
PERMISSIONS_OF_ROLE: dict[Role, frozenset[Permission]] = {
    Role.READER: _EVERYBODY,
    # Submits, cancels and tags runs and uploads code, but neither makes nor removes compute.
    Role.DATA_SCIENTIST: _EVERYBODY | {_P.SUBMIT, _P.REMOVE},
    # Makes, changes and removes compute, and looks at everything.
    Role.COMPUTE_OPERATOR: _EVERYBODY | {_P.COMPUTE},
    Role.OWNER: _EVERYBODY | {_P.SUBMIT, _P.REMOVE, _P.COMPUTE, _P.PEOPLE, _P.AUDIT, _P.SHUTDOWN},
}


# What the token of a run opens at most, whatever roles the person has who submitted the run.
PERMISSIONS_OF_RUN = frozenset({_P.READ, _P.SUBMIT})


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route asks for, and in words what it does, for the sentence of a refusal."""

    permission: Permission
    doing: str


def _read(*paths: str) -> dict[tuple[str, str], Rule]:
    return {("GET", path): Rule(_P.READ, "reading this workspace") for path in paths}


_API = "/api/v1"
_RUN = f"{_API}/runs/{{run_id}}"
_EXPERIMENT = f"{_API}/experiments/{{name:path}}"
_CLUSTER = f"{_API}/clusters/{{name}}"
_NODE = f"{_API}/nodes/{{node_id}}"
_ASSET = f"{_API}/assets/{{asset_id}}"
_DATASTORE = f"{_API}/datastores/{{name}}"

ROUTES: dict[tuple[str, str], Rule] = {
    # Open to everybody: that the server lives, and the way in.
    ("GET", "/health"): Rule(_P.PUBLIC, "asking whether the server is up"),
    ("GET", "/login"): Rule(_P.PUBLIC, "signing in"),
    ("POST", "/login"): Rule(_P.PUBLIC, "signing in"),
    ("GET", "/static/{version}/{name}"): Rule(_P.PUBLIC, "loading a part of the portal"),
    # The workspace.
    **_read(f"{_API}/workspace", f"{_API}/experiments", f"{_API}/sizes", f"{_API}/changes", f"{_API}/compare"),
    ("POST", f"{_API}/shutdown"): Rule(_P.SHUTDOWN, "stopping the server"),
    ("GET", f"{_API}/audit"): Rule(_P.AUDIT, "reading the audit log"),
    # Code and files.
    ("POST", f"{_API}/snapshots"): Rule(_P.SUBMIT, "uploading a snapshot"),
    ("PUT", f"{_API}/blobs/{{sha256}}"): Rule(_P.SUBMIT, "uploading a file"),
    **_read(f"{_API}/snapshots/{{snapshot_id}}", f"{_API}/snapshots/{{snapshot_id}}/content"),
    # Runs.
    ("POST", f"{_API}/runs"): Rule(_P.SUBMIT, "submitting a run"),
    **_read(f"{_API}/runs", _RUN),
    ("PATCH", _RUN): Rule(_P.SUBMIT, "changing a run"),
    ("POST", f"{_RUN}/cancel"): Rule(_P.SUBMIT, "canceling a run"),
    ("PUT", f"{_RUN}/artifacts"): Rule(_P.SUBMIT, "storing a file of a run"),
    # Runs of a user's own process.
    ("POST", f"{_API}/interactive-runs"): Rule(_P.SUBMIT, "starting a run"),
    ("PUT", f"{_RUN}/journal"): Rule(_P.SUBMIT, "reporting on a run"),
    ("PUT", f"{_RUN}/logs"): Rule(_P.SUBMIT, "reporting on a run"),
    ("POST", f"{_RUN}/end"): Rule(_P.SUBMIT, "ending a run"),
    # Experiments.
    **_read(_EXPERIMENT),
    ("PUT", _EXPERIMENT): Rule(_P.SUBMIT, "making an experiment"),
    ("PATCH", _EXPERIMENT): Rule(_P.SUBMIT, "changing an experiment"),
    ("DELETE", _EXPERIMENT): Rule(_P.REMOVE, "deleting an experiment"),
    **_read(*(f"{_RUN}/{part}" for part in ("trials", "curves", "metrics", "series", "records", "attempts", "events"))),
    **_read(f"{_RUN}/children-metrics"),
    **_read(f"{_RUN}/logs", f"{_RUN}/logs/content", f"{_RUN}/artifacts", f"{_RUN}/artifacts/content"),
    # Assets and datastores.
    ("POST", f"{_API}/assets"): Rule(_P.SUBMIT, "registering an asset"),
    **_read(f"{_API}/assets", f"{_API}/assets/named", _ASSET, f"{_ASSET}/files", f"{_ASSET}/content"),
    ("PATCH", _ASSET): Rule(_P.SUBMIT, "changing an asset"),
    ("DELETE", _ASSET): Rule(_P.REMOVE, "deleting an asset"),
    ("POST", f"{_API}/datastores"): Rule(_P.SUBMIT, "creating a datastore"),
    **_read(f"{_API}/datastores", _DATASTORE, f"{_DATASTORE}/files", f"{_DATASTORE}/files/content"),
    ("POST", f"{_DATASTORE}/make-default"): Rule(_P.SUBMIT, "choosing the default datastore"),
    ("DELETE", _DATASTORE): Rule(_P.REMOVE, "deleting a datastore"),
    ("PUT", f"{_DATASTORE}/files"): Rule(_P.SUBMIT, "uploading a file"),
    ("DELETE", f"{_DATASTORE}/files"): Rule(_P.REMOVE, "removing a file"),
    # Clusters.
    ("POST", f"{_API}/clusters"): Rule(_P.COMPUTE, "creating a cluster"),
    **_read(f"{_API}/clusters", _CLUSTER, f"{_CLUSTER}/events"),
    ("PATCH", _CLUSTER): Rule(_P.COMPUTE, "changing a cluster"),
    ("DELETE", _CLUSTER): Rule(_P.COMPUTE, "deleting a cluster"),
    # People. Tokens and login codes are a person's own; the service lets only owners make them for others.
    ("GET", f"{_API}/people"): Rule(_P.PEOPLE, "listing the people of the workspace"),
    ("POST", f"{_API}/people"): Rule(_P.PEOPLE, "adding a person"),
    ("PATCH", f"{_API}/people/{{name}}"): Rule(_P.PEOPLE, "changing a person's roles"),
    ("DELETE", f"{_API}/people/{{name}}"): Rule(_P.PEOPLE, "removing a person"),
    ("GET", f"{_API}/tokens"): Rule(_P.OWN, "listing tokens"),
    ("POST", f"{_API}/tokens"): Rule(_P.OWN, "making a token"),
    ("DELETE", f"{_API}/tokens/{{token_id}}"): Rule(_P.OWN, "revoking a token"),
    ("POST", f"{_API}/login-codes"): Rule(_P.OWN, "opening the portal"),
    # Nodes.
    ("POST", f"{_NODE}/hello"): Rule(_P.NODE, "reporting for work"),
    ("GET", f"{_NODE}/orders"): Rule(_P.NODE, "asking for work"),
    ("POST", f"{_NODE}/report"): Rule(_P.NODE, "reporting on runs"),
    ("POST", f"{_NODE}/goodbye"): Rule(_P.NODE, "leaving"),
    ("PUT", f"{_NODE}/runs/{{run_id}}/attempts/{{number}}/artifacts"): Rule(_P.NODE, "storing an artifact"),
    ("GET", f"{_NODE}/snapshots/{{snapshot_id}}/blobs/{{sha256}}"): Rule(_P.NODE, "loading a snapshot"),
    # The portal.
    ("POST", "/logout"): Rule(_P.OWN, "signing out"),
    ("POST", "/runs/{run_id}/cancel"): Rule(_P.SUBMIT, "canceling a run"),
    **_read("/", "/clusters", "/clusters/{name}", "/clusters/{name}/nodes.json", "/runs", "/runs/{run_id}"),
    **_read(*(f"/runs/{{run_id}}/{part}" for part in ("log.json", "log", "output", "picture"))),
    **_read("/snapshots/{snapshot_id}", "/snapshots/{snapshot_id}/download"),
    **_read("/compare", "/portal/charts/compare-bars.json", "/portal/charts/compare-best.json"),
    **_read(
        *(f"/portal/charts/{{run_id}}/{chart}.json" for chart in ("best", "curves", "parallel", "metric", "record"))
    ),
}

# The document that FastAPI serves beside the routes; the authentication in front of the app lets no stranger see it.
_FRAMEWORK_PATHS = frozenset({"/api/v1/openapi.json"})


def rule_of(method: str, route_path: str) -> Rule | None:
    """The rule for a route by its template, or None when the table does not know it (then nobody may use it)."""
    return _RULES.get(("GET" if method == "HEAD" else method, _shape(route_path)))


def permission_of(method: str, route_path: str) -> Permission | None:
    """The permission that a route asks for, or None when the table does not know the route."""
    rule = rule_of(method, route_path)
    return rule.permission if rule else None


def is_allowed(roles: Iterable[str], permission: Permission) -> bool:
    """True when one of the roles carries the permission; roles that do not exist carry nothing."""
    return any(permission in PERMISSIONS_OF_ROLE.get(role, ()) for role in roles)  # type: ignore[call-overload]


def check_permission(caller: Caller, rule: Rule) -> None:
    """Raise NotAllowed, saying which role would do and whom to ask, unless the caller's roles carry the permission."""
    if caller.run_id is not None and rule.permission not in PERMISSIONS_OF_RUN:
        raise NotAllowed(
            f"{rule.doing} is not for scripts: the token of run {caller.run_id} reads the workspace, submits and changes "
            "runs and adds data, and removes nothing; do it from outside the run"
        )
    if is_allowed(caller.roles, rule.permission):
        return
    needed = " or ".join(role for role, carried in PERMISSIONS_OF_ROLE.items() if _names_role(role, carried, rule))
    have = ", ".join(sorted(caller.roles)) or "no role"
    raise NotAllowed(
        f"{rule.doing} needs the role {needed}; you ({caller.name}) have: {have}. Ask an owner of the workspace."
    )


def public_shapes() -> list[tuple[str, re.Pattern[str]]]:
    """The methods and addresses that need no caller, each as a pattern that matches the whole path."""
    return [
        (method, re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))))
        for (method, path), rule in ROUTES.items()
        if rule.permission is Permission.PUBLIC
    ]


def missing_routes(app: FastAPI) -> list[str]:
    """What of the app the table does not cover, as ``METHOD path``; empty when every route has its rule.

    Also named: routes that are reached under another address than their template says (a prefix given where a router
    is included), and mounted apps and plain routes, because the app's own authorisation does not run for them.
    """
    missing = []
    for context in iter_route_contexts(app.routes):
        path, route = context.path or "", context.original_route
        if not isinstance(route, APIRoute):
            if path not in _FRAMEWORK_PATHS:
                missing.append(f"{type(route).__name__} {path}")
            continue
        if route.path != path:
            missing.append(f"{path}: its router is included with a prefix; give the whole path to the router itself")
        missing += [f"{method} {path}" for method in sorted(context.methods or ()) if rule_of(method, path) is None]
    return missing


def _names_role(role: Role, carried: frozenset[Permission], rule: Rule) -> bool:
    # An owner may do everything, which says little; owners are named where nobody else will do.
    others = any(rule.permission in PERMISSIONS_OF_ROLE[other] for other in Role if other is not Role.OWNER)
    return rule.permission in carried and not (role is Role.OWNER and others)


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


_RULES = {(method, _shape(path)): rule for (method, path), rule in ROUTES.items()}
