"""Nobody gets in who should not, and nobody reads what lies outside."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from a6hub_jupyter.api import handlers

from .conftest import Api, request_for, write_script

ID = "20261123-121314-counter-abcdef"


def urls() -> list[str]:
    """Every route, with its parameters filled in."""
    filled = [p.replace("([^/]+)", ID).replace("(.+)", "final/x") for p, _ in handlers]
    return [p.removesuffix("/?").replace(r"\.", ".") for p in filled]


async def answer_of(url: str, **options: Any) -> int:
    try:
        return (await AsyncHTTPClient().fetch(HTTPRequest(url, **options))).code
    except HTTPClientError as error:
        return error.code


@pytest.mark.parametrize("url", urls())
@pytest.mark.parametrize("token", ["", "token wrong"])
async def test_no_route_answers_without_the_right_token(
    api: Api, jp_serverapp: ServerApp, jp_base_url: str, http_server_port: tuple[Any, int], url: str, token: str
) -> None:
    whole = f"http://127.0.0.1:{http_server_port[1]}{jp_base_url.rstrip('/')}{url}"
    headers = {"Authorization": token} if token else {}
    for method in ("GET", "POST"):
        options = {"body": "{}"} if method == "POST" else {}
        assert await answer_of(whole, method=method, headers=headers, **options) in {403, 405}


async def cookies_of_a_browser(base: str, serverapp: ServerApp) -> str:
    """Log in as a browser does, and return what it sends from then on."""
    url = f"{base}login?token={serverapp.identity_provider.token}"
    page = await AsyncHTTPClient().fetch(url, follow_redirects=False, raise_error=False)
    cookies = [c.split(";")[0] for c in page.headers.get_list("Set-Cookie")]
    assert cookies
    return "; ".join(cookies)


async def test_a_browser_must_echo_the_xsrf_cookie(
    api: Api, jp_serverapp: ServerApp, jp_base_url: str, http_server_port: tuple[Any, int], design_dir: Path
) -> None:
    base = f"http://127.0.0.1:{http_server_port[1]}{jp_base_url}"
    headers = {"Cookie": await cookies_of_a_browser(base, jp_serverapp)}
    body = json.dumps(request_for(design_dir))
    assert await answer_of(f"{base}api/a6hub/builds", method="POST", headers=headers, body=body) == 403


async def test_the_stream_wants_a_user(
    api: Api, jp_serverapp: ServerApp, jp_base_url: str, http_server_port: tuple[Any, int]
) -> None:
    url = f"ws://127.0.0.1:{http_server_port[1]}{jp_base_url}api/a6hub/builds/{ID}/stream"
    with pytest.raises(HTTPClientError) as refused:
        await websocket_connect(url)
    assert refused.value.code == 403


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        ("http://HOST", True),
        ("http://evil.example", False),
        ("http://HOST.evil.example", False),
        ("http://127.0.0.1:1", False),
        ("null", False),
    ],
)
async def test_a_page_of_another_origin_does_not_get_the_stream(
    api: Api,
    jp_serverapp: ServerApp,
    jp_base_url: str,
    http_server_port: tuple[Any, int],
    design_dir: Path,
    origin: str,
    opens: bool,
) -> None:
    """The browser of a user who is logged in sends the cookie for any page."""
    host = f"127.0.0.1:{http_server_port[1]}"
    cookies = await cookies_of_a_browser(f"http://{host}{jp_base_url}", jp_serverapp)
    write_script(design_dir, steps=["Verilator.Lint"], seconds=0.01)
    build = await api.build(design_dir)
    request = HTTPRequest(
        f"ws://{host}{jp_base_url}api/a6hub/builds/{build['id']}/stream",
        headers={"Cookie": cookies, "Origin": origin.replace("HOST", host)},
    )
    if not opens:
        with pytest.raises(HTTPClientError) as refused:
            await websocket_connect(request)
        assert refused.value.code == 403
        return
    stream = await websocket_connect(request)
    assert json.loads(str(await stream.read_message()))["data"]["id"] == build["id"]
    stream.close()
    await asyncio.sleep(0.1)


class TestAuthorizer:
    """An administrator's authorizer sees our actions on our resources, and its answer counts."""

    class Reader(Authorizer):
        seen: list[tuple[str, str]] = []  # noqa: RUF012

        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            self.seen.append((action, resource))
            return action == "read"

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["ServerApp"]["authorizer_class"] = self.Reader
        return jp_server_config

    async def test_who_may_only_read_starts_and_ends_nothing(self, api: Api, design_dir: Path) -> None:
        self.Reader.seen.clear()
        status, _ = await api.get("builds")
        assert status == 200
        for path in (("builds",), ("builds", ID, "cancel"), ("lint",)):
            status, _ = await api.post(*path, body=request_for(design_dir))
            assert status == 403
        assert ("read", "a6hub:builds") in self.Reader.seen
        assert ("execute", "a6hub:builds") in self.Reader.seen
        await api.get("layouts", "scene", params={"path": "x.gds"})
        assert ("read", "a6hub:layouts") in self.Reader.seen


@pytest.mark.parametrize(
    "path",
    ["../../request.json", "%2e%2e/%2e%2e/x", "..%2f..%2fx", "/etc/passwd", "//etc/passwd", "link", "final/../../../x"],
)
async def test_no_path_leads_out_of_the_run_directory(api: Api, design_dir: Path, jp_root_dir: Path, path: str) -> None:
    (jp_root_dir / "x").write_text("secret")
    build = await api.build(design_dir)
    await api.until(build["id"])
    (design_dir / "runs" / build["id"] / "link").symlink_to("/etc/passwd")
    response = await api.raw("builds", build["id"], "artifacts", *path.split("/"))
    assert response.code in {403, 404}
    assert b"secret" not in response.body
    assert b"root:" not in response.body


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../x.gds", "/tmp/x.gds", "link.gds", "x\0.gds", "a" * 9000 + ".gds", ""]
)
async def test_no_layout_is_read_from_outside(api: Api, jp_root_dir: Path, path: str) -> None:
    (jp_root_dir / "link.gds").symlink_to("/etc/passwd")
    for what in ("scene", "layers"):
        status, answer = await api.get("layouts", what, params={"path": path})
        assert status in {404, 422}, answer
        assert answer["field"] == "path"
        assert "root:" not in str(answer)


async def test_reading_is_no_activity(api: Api, jp_serverapp: ServerApp, design_dir: Path) -> None:
    settings = jp_serverapp.web_app.settings
    settings.pop("api_last_activity", None)
    await api.get("builds")
    assert "api_last_activity" not in settings
    write_script(design_dir, steps=["Verilator.Lint"], seconds=1)
    build = await api.build(design_dir)
    assert "api_last_activity" in settings
    await api.until(build["id"], "running")
    extension = next(iter(jp_serverapp.extension_manager.extension_apps["a6hub_jupyter"]))
    assert extension.current_activity() == [build["id"]]
    await api.until(build["id"])
    assert extension.current_activity() is None
    assert "a6hub_last_activity" in settings
