"""Grafana's HTTP API (reference: "Grafana HTTP API", 13.1), as far as the package says, and the
page."""

import asyncio
import gzip
import json
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Match, Route

from stack.programs import ids
from stack.programs.viewer import VERSION, upstream
from stack.programs.viewer.annotations import Annotations, BadAnnotation, Wanted
from stack.programs.viewer.assets import Assets
from stack.programs.viewer.dashboards import Library
from stack.programs.viewer.datasources import DataSource
from stack.programs.viewer.guard import is_admin
from stack.programs.viewer.incidents import NOBODY, Incidents
from stack.programs.viewer.metrics import Metrics
from stack.programs.viewer.proxy import Asked, Failed, Left, Proxy

if TYPE_CHECKING:
    from stack.programs.viewer.explore import Found

COMMIT = "viewer"

_PROXY = "/api/datasources/proxy/uid/"
_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_BODY_BYTES = 1 << 20
_PACK_BYTES = 1024
_MOST = 5000
_LARGEST = 2**62
_PARTS = 8
"""Of a query on logs, so many parts are asked for their lines."""

_NO_PAGE = (
    "The viewer's page is not part of this instance. Its API is here: /api/health, /api/search.\n"
)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the handlers work with."""

    sources: dict[str, DataSource]
    library: Library
    annotations: Annotations
    proxy: Proxy
    metrics: Metrics
    page: Assets | None
    """None where an instance was made without one."""
    incidents: Incidents


class Web:
    def __init__(self, context: Context) -> None:
        self._context = context
        self.api: tuple[Route, ...] = ()
        """The paths that are known below /api."""

    async def health(self, request: Request) -> Response:
        return JSONResponse({"commit": COMMIT, "database": "ok", "version": VERSION})

    async def org(self, request: Request) -> Response:
        address = dict.fromkeys(("address1", "address2", "city", "zipCode", "state", "country"), "")
        return JSONResponse({"id": 1, "name": "Main Org.", "address": address})

    async def settings(self, request: Request) -> Response:
        """What the page must know before it asks for anything else."""
        sources = list(self._context.sources.values())
        default = next((one.name for one in sources if one.default), None)
        build = {"version": VERSION, "commit": COMMIT, "edition": "viewer", "env": "production"}
        return JSONResponse(
            {
                "anonymousEnabled": True,
                "buildInfo": build,
                "defaultDatasource": default,
                "datasources": {one.name: one.for_page() for one in sources},
            }
        )

    async def search(self, request: Request) -> Response:
        asked = request.query_params
        words, tags = asked.get("query", "").lower(), asked.getlist("tag")
        limit, page = _number(request, "limit", 1000, _MOST), _number(request, "page", 1, _LARGEST)
        uids = {*asked.getlist("dashboardUIDs"), *asked.getlist("dashboardUID")}
        folders = set(asked.getlist("folderUIDs"))
        found = [
            dashboard.found()
            for dashboard in self._context.library.all()
            if words in dashboard.title.lower()
            and set(tags) <= set(dashboard.tags)
            and (not uids or dashboard.uid in uids)
            and (not folders or dashboard.provider.folder_uid in folders)
        ]
        if not (tags or uids or folders):
            found = [*self._folders(words), *found]
        kinds = set(asked.getlist("type"))
        shown = [one for one in found if not kinds or one["type"] in kinds]
        if asked.get("sort") == "alpha-desc":
            shown.reverse()
        first = (max(page, 1) - 1) * limit
        return _packed(request, shown[first : first + limit])

    def _folders(self, words: str) -> list[dict[str, object]]:
        named = {one.folder_uid: one.folder for one in self._context.library.providers
                 if one.folder and words in one.folder.lower()}  # fmt: skip
        return [
            {"id": 0, "uid": uid, "orgId": 1, "title": title, "uri": f"db/{uid}",
             "url": f"/dashboards/f/{uid}", "slug": "", "type": "dash-folder", "tags": [],
             "isStarred": False, "sortMeta": 0, "isDeleted": False}
            for uid, title in named.items()
        ]  # fmt: skip

    async def dashboard(self, request: Request) -> Response:
        found = self._context.library.get(request.path_params["uid"])
        if not found:
            raise HTTPException(404, "Dashboard not found")
        return _packed(request, found.whole())

    async def problems(self, request: Request) -> Response:
        found = self._context.library.problems()
        return JSONResponse([{"file": file, "problem": why} for file, why in found.items()])

    async def sources(self, request: Request) -> Response:
        _need_admin(request)
        return JSONResponse([one.as_json() for one in self._context.sources.values()])

    async def source(self, request: Request) -> Response:
        _need_admin(request)
        return JSONResponse(self._source(request).as_json())

    def _source(self, request: Request) -> DataSource:
        found = self._context.sources.get(request.path_params["uid"])
        if not found:
            raise HTTPException(404, "Data source not found")
        return found

    async def ask(self, request: Request) -> Response:
        """Pass a question on to a data source."""
        source = self._source(request)
        # As it came over the wire: what was decoded could hide where it leads.
        raw = request.scope["raw_path"].decode("latin-1")
        begin = f"{_PROXY}{source.uid}/"
        if not raw.startswith(begin):
            raise HTTPException(400, "the path of the data source is not plain")
        path = raw.removeprefix(begin)
        try:
            upstream.check(source.type, request.method, path)
        except upstream.Refused as refused:
            headers = {"Allow": ", ".join(refused.allowed)} if refused.allowed else None
            raise HTTPException(refused.status, str(refused), headers) from None
        query = request.scope["query_string"].decode("latin-1")
        asked = Asked(
            method="GET" if request.method == "HEAD" else request.method,
            url=f"{source.url}/{path}" + (f"?{query}" if query else ""),
            headers=request.headers,
            body=await _body(request) if request.method == "POST" else b"",
        )
        try:
            answer = await self._context.proxy.ask(asked, request.receive)
        except Failed as failed:
            raise HTTPException(failed.status, f"{source.name}: {failed}") from None
        except Left:
            raise ClientDisconnect from None
        return Response(answer.body, answer.status, headers=answer.headers)

    async def annotations(self, request: Request) -> Response:
        if request.method != "POST":
            return _packed(request, self._context.annotations.find(_wanted(request)))
        _need_admin(request)
        sent = await _json(request)
        uid = sent.get("dashboardUID") if isinstance(sent, dict) else None
        if isinstance(uid, str) and uid and not self._context.library.get(uid):
            raise HTTPException(404, "Dashboard not found")
        id = self._context.annotations.add(sent)
        return JSONResponse({"message": "Annotation added", "id": id})

    async def annotation(self, request: Request) -> Response:
        id, kept = request.path_params["id"], self._context.annotations
        if request.method in ("GET", "HEAD"):
            if found := kept.get(id):
                return JSONResponse(found)
            raise HTTPException(404, "Annotation not found")
        _need_admin(request)
        sent = await _json(request) if request.method == "PATCH" else None
        done = kept.change(id, sent) if request.method == "PATCH" else kept.remove(id)
        if not done:
            raise HTTPException(404, "Annotation not found")
        what = "patched" if request.method == "PATCH" else "deleted"
        return JSONResponse({"message": f"Annotation {what}"})

    async def metrics(self, request: Request) -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(self._context.metrics.text(), media_type=kind)

    async def nothing(self, request: Request) -> Response:
        """Whatever else there is below /api: a path that is known, asked by a wrong method, too."""
        for route in self.api:
            if route.matches(request.scope)[0] is Match.PARTIAL:
                allowed = ", ".join(sorted(route.methods or ()))
                raise HTTPException(405, "Method not allowed", {"Allow": allowed})
        raise HTTPException(404, "Not found")

    async def incidents(self, request: Request) -> Response:
        if address := await self._context.incidents.address():
            return RedirectResponse(address)
        return HTMLResponse(NOBODY, 404)

    async def explore(self, request: Request) -> Response:
        """The lines that a query on logs reads."""
        from stack.logql import LogQLError
        from stack.programs.viewer import explore

        query = ""
        try:
            query = explore.expression(request.query_params.get("left", ""))
            asked = await asyncio.to_thread(explore.parts, query)
        except (ValueError, LogQLError) as error:
            return HTMLResponse(explore.page(query, [], f"{error}"), 400)
        found = [await self._lines(one, request) for one in asked[:_PARTS]]
        return HTMLResponse(explore.page(query, found))

    async def _lines(self, query: str, request: Request) -> "Found":
        from stack.programs.viewer.explore import BACK_S, MOST, Found, lines

        sources = [one for one in self._context.sources.values() if one.type == "loki"]
        if not sources:
            return Found(query=query, lines=[], trouble="There is no data source for logs.")
        now = time.time()
        words = urlencode({"query": query, "start": f"{now - BACK_S:.3f}", "end": f"{now:.3f}",
                           "limit": MOST, "direction": "backward"})  # fmt: skip
        asked = Asked(method="GET", url=f"{sources[0].url}/loki/api/v1/query_range?{words}",
                      headers={"accept-encoding": "identity"})  # fmt: skip
        try:
            answer = await self._context.proxy.ask(asked, request.receive)
        except Failed as failed:
            return Found(query=query, lines=[], trouble=f"{sources[0].name}: {failed}")
        except Left:
            raise ClientDisconnect from None
        if answer.status != 200:
            said = answer.body.decode("utf-8", "replace").strip()
            return Found(query=query, lines=[], trouble=f"{sources[0].name}: {said}")
        try:
            return Found(query=query, lines=lines(answer.body))
        except ValueError as error:
            return Found(query=query, lines=[], trouble=f"{sources[0].name}: {error}")

    async def page(self, request: Request) -> Response:
        if not self._context.page:
            return PlainTextResponse(_NO_PAGE, 404)
        # Reading and compressing takes a while, once for each file.
        asset = await asyncio.to_thread(self._context.page.get, request.path_params["path"])
        if not asset:
            raise HTTPException(404, "Not found")
        headers = {"ETag": asset.etag, "Cache-Control": asset.keep, "Vary": "Accept-Encoding"}
        if asset.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        packed = asset.packed and "gzip" in request.headers.get("accept-encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        body = asset.packed if packed else asset.body
        return Response(body, headers=headers, media_type=asset.kind)


def application(context: Context) -> Starlette:
    """The ASGI application; `guard` belongs around it."""
    ids.known()
    web = Web(context)
    web.api = (
        Route("/api/health", web.health),
        Route("/api/org", web.org),
        Route("/api/frontend/settings", web.settings),
        Route("/api/search", web.search),
        Route("/api/dashboards/uid/{uid}", web.dashboard),
        Route("/api/lab/problems", web.problems),
        Route("/api/datasources", web.sources),
        Route("/api/datasources/uid/{uid}", web.source),
        # By any method: which is right depends on the path.
        Route(f"{_PROXY}{{uid}}/{{rest:path}}", web.ask, methods=_ANY),
        Route("/api/annotations", web.annotations, methods=["GET", "POST"]),
        Route("/api/annotations/{id:id}", web.annotation, methods=["GET", "PATCH", "DELETE"]),
    )
    routes = [
        *web.api,
        Route("/api", web.nothing, methods=_ANY),
        Route("/api/{rest:path}", web.nothing, methods=_ANY),
        Route("/metrics", web.metrics),
        Route("/incidents", web.incidents),
        Route("/explore", web.explore),
        Route("/{path:path}", web.page),
    ]
    made = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: _refused,
            BadAnnotation: _bad_annotation,
            ClientDisconnect: _gone,
            sqlite3.Error: _not_kept,
        },
    )
    made.router.redirect_slashes = False
    return made


def _packed(request: Request, content: object) -> Response:
    """The content as JSON, compressed where that is wished and worth it."""
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) > _PACK_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 5), "gzip"
    return Response(body, headers=headers, media_type="application/json")


def _need_admin(request: Request) -> None:
    if not is_admin(request):
        raise HTTPException(401, "Unauthorized")


def _number(request: Request, name: str, default: int, most: int) -> int:
    """A parameter that is a whole number from 0 to `most`. Raises HTTPException 400 otherwise."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or int(text[:20]) > most:
        raise HTTPException(400, f"`{name}` is `{text[:40]}`, not a whole number up to {most}")
    return int(text)


def _wanted(request: Request) -> Wanted:
    asked = request.query_params

    def number(name: str) -> int | None:
        return _number(request, name, 0, _LARGEST) if asked.get(name) else None

    return Wanted(
        since=number("from"),
        until=number("to"),
        tags=tuple(asked.getlist("tags")[:50]),
        any_tag=asked.get("matchAny") == "true",
        dashboard=asked.get("dashboardUID"),
        panel=number("panelId"),
        limit=_number(request, "limit", 100, _MOST),
    )


async def _body(request: Request) -> bytes:
    kept = bytearray()
    async for chunk in request.stream():
        kept += chunk
        if len(kept) > _BODY_BYTES:
            raise HTTPException(413, f"the body is larger than {_BODY_BYTES} bytes")
    return bytes(kept)


async def _json(request: Request) -> Any:
    try:
        return json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from None


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, error.status_code, headers=error.headers)


async def _bad_annotation(request: Request, error: Exception) -> Response:
    return JSONResponse({"message": str(error)}, 400)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)


async def _not_kept(request: Request, error: Exception) -> Response:
    return JSONResponse({"message": f"the viewer cannot keep annotations: {error}"}, 500)
