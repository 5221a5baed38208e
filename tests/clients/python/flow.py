"""What both Python clients have in common: a record of every request that was really made, and its checks.

The provider is not a stand-in: it is the SDK's own, driven by handlers that visit the authorization URL
instead of opening a browser.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

# Nothing listens there: the redirect is read instead of followed.
REDIRECT = "http://127.0.0.1:9/callback"
PRM = "/.well-known/oauth-protected-resource"


def step(name: str, **details: object) -> None:
    """One JSON line for whoever runs this script."""
    print(json.dumps({"step": name, **details}), flush=True)


def check(what: object, expected: object) -> None:
    """`assert`, that also holds under `python -O`."""
    if what != expected:
        raise SystemExit(f"expected {expected!r}, got {what!r}")


def scopes(text: str | None) -> list[str]:
    return sorted((text or "").split())


class Memory(TokenStorage):
    """Forgets everything when the script ends."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """What a browser does, when the user agrees."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.callback: dict[str, str] = {}

    async def redirect(self, url: str) -> None:
        self.requests.append(dict(parse_qsl(urlsplit(url).query)))
        async with httpx2.AsyncClient(trust_env=False) as client:
            response = await client.get(url, follow_redirects=False)
        check(response.status_code, 303)
        location = response.headers["location"]
        check(location.split("?")[0], self.requests[-1]["redirect_uri"])
        self.callback = dict(parse_qsl(urlsplit(location).query))

    async def answer(self) -> AuthorizationCodeResult:
        callback = self.callback
        return AuthorizationCodeResult(
            code=callback["code"], state=callback["state"], iss=callback["iss"]
        )


class Recorder(httpx2.AsyncHTTPTransport):
    """Records what was asked, and with which answer. Everything the SDK sends passes here, discovery too.

    Notifications and streams are recorded apart: clients send them in the background, whenever they get
    round to it.
    """

    def __init__(self, resource: str) -> None:
        super().__init__()
        self.resource = resource
        self.seen: list[dict] = []
        self.background: list[tuple[str, int]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        response = await super().handle_async_request(request)
        message = json.loads(body) if body.startswith(b"{") else {}
        stream = request.method == "GET" and str(request.url) == self.resource
        if stream or message.get("method", "").startswith("notifications/"):
            self.background.append((request.method, response.status_code))
            return response
        form = {}
        if request.url.path == "/token":
            form = {key: value[0] for key, value in parse_qs(body.decode()).items()}
        self.seen.append(
            {
                "method": request.method,
                "path": request.url.path,
                "rpc": message.get("method"),
                "tool": message.get("params", {}).get("name"),
                "version": request.headers.get("mcp-protocol-version"),
                "token": "authorization" in request.headers,
                "registration": message if request.url.path == "/register" else None,
                "form": form,
                "status": response.status_code,
                "challenge": response.headers.get("www-authenticate"),
            }
        )
        return response

    def take(self) -> list[dict]:
        """What was recorded since the last time."""
        seen, self.seen = self.seen, []
        return seen

    def check_background(self) -> None:
        """Notifications are accepted; there are no streams to open, and the server says so."""
        check(set(self.background) <= {("POST", 202), ("GET", 405)}, True)


def provider(resource: str, storage: Memory, browser: Browser) -> OAuthClientProvider:
    return OAuthClientProvider(
        server_url=resource,
        client_metadata=OAuthClientMetadata(
            client_name="toolgate client test",
            redirect_uris=[REDIRECT],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        ),
        storage=storage,
        redirect_handler=browser.redirect,
        callback_handler=browser.answer,
    )


def challenge(resource: str, scope: str, *, insufficient: bool) -> str:
    """The challenge of this server, byte for byte."""
    url = urlsplit(resource)
    error = (
        'error="insufficient_scope", error_description="this operation needs more scopes", '
        if insufficient
        else ""
    )
    metadata = f"{url.scheme}://{url.netloc}{PRM}{url.path}"
    return f'Bearer {error}scope="{scope}", resource_metadata="{metadata}"'


def check_login(seen: list[dict], resource: str, first: str) -> None:
    """Checks what happened between the first request and the first answer."""
    refused, metadata, server, registration, exchange, again = seen
    check((refused["rpc"], refused["token"], refused["status"]), (first, False, 401))
    check(refused["challenge"], challenge(resource, "notes:read", insufficient=False))
    step("refused", status=401, rpc=first, challenge=refused["challenge"])
    check((metadata["path"], metadata["status"]), (PRM + urlsplit(resource).path, 200))
    step("resource metadata", path=metadata["path"], status=200)
    check(
        (server["path"], server["status"]),
        ("/.well-known/oauth-authorization-server", 200),
    )
    step("server metadata", path=server["path"], status=200)
    check((registration["path"], registration["status"]), ("/register", 201))
    step("register", status=201, scope=registration["registration"].get("scope"))
    check_exchange(exchange, resource)
    check((again["rpc"], again["token"], again["status"]), (first, True, 200))


def check_exchange(exchange: dict, resource: str) -> None:
    check((exchange["path"], exchange["status"]), ("/token", 200))
    check(exchange["form"]["grant_type"], "authorization_code")
    check(exchange["form"]["resource"], resource)
    check(len(exchange["form"]["code_verifier"]) >= 43, True)


def check_authorization(
    browser: Browser, number: int, resource: str, expected: list[str]
) -> None:
    """Checks an authorization request: PKCE, the resource, the scopes and nothing beyond them."""
    check(len(browser.requests), number)
    query = browser.requests[-1]
    check(query["response_type"], "code")
    check(query["code_challenge_method"], "S256")
    check(len(query["code_challenge"]), 43)
    check(query["resource"], resource)
    check(scopes(query["scope"]), expected)
    step("authorize", scope=query["scope"])


def check_token(access_token: str, resource: str, expected: list[str]) -> None:
    payload = access_token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    check(scopes(claims["scope"]), expected)
    check(claims["aud"], resource)
    step("token", scope=claims["scope"], subject=claims["sub"])


def check_step_up(seen: list[dict], resource: str, tool: str, scope: str) -> dict:
    """Checks that the client stepped up by itself: refused, a new token, and the same call again.

    Returns that call.
    """
    refused, exchange, again = seen
    check((refused["tool"], refused["token"], refused["status"]), (tool, True, 403))
    check(refused["challenge"], challenge(resource, scope, insufficient=True))
    step("insufficient scope", status=403, tool=tool, challenge=refused["challenge"])
    check_exchange(exchange, resource)
    check((again["tool"], again["token"], again["status"]), (tool, True, 200))
    return again
