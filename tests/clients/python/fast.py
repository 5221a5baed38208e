"""The whole authorization flow with FastMCP's client and its own OAuth helper.

usage: python fast.py <URL of the server> <legacy|auto>
"""

from __future__ import annotations

import sys
import uuid
import warnings

import anyio
import httpx2
from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StreamableHttpTransport

import flow


class Headless(OAuth):
    """FastMCP's helper with its browser and its callback server replaced by a fetch."""

    browser: flow.Browser

    async def redirect_handler(self, authorization_url: str) -> None:
        await self.browser.redirect(authorization_url)

    async def callback_handler(self):
        return await self.browser.answer()


async def main(resource: str, mode: str) -> None:
    first = "initialize" if mode == "legacy" else "server/discover"
    note = f"milk {uuid.uuid4()}"
    recorder = flow.Recorder(resource)
    with warnings.catch_warnings():
        # That tokens in memory are lost at the end is what is wanted here.
        warnings.simplefilter("ignore")
        auth = Headless(resource)
    auth.browser = browser = flow.Browser()

    def http(**options) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(**options, transport=recorder)

    transport = StreamableHttpTransport(
        resource, auth=auth, httpx_client_factory=http
    )

    def token() -> str:
        return auth.context.current_tokens.access_token

    async with Client(transport, mode=mode) as client:
        flow.check_login(recorder.take(), resource, first)
        flow.check_authorization(browser, 1, resource, ["notes:read"])
        flow.check_token(token(), resource, ["notes:read"])

        names = [tool.name for tool in await client.list_tools()]
        flow.check(names, ["add_note", "count_people", "list_notes"])
        version = client.session.protocol_version
        flow.step("list", tools=len(names), version=version)

        async def notes() -> list[str]:
            result = await client.call_tool("list_notes", {})
            return result.structured_content["notes"]

        before = await notes()
        flow.check([s for s in recorder.take() if s["status"] in (401, 403)], [])
        flow.step("call", tool="list_notes", status=200, result=before)

        kept = await client.call_tool("add_note", {"text": note})
        flow.check(kept.content[0].text, f"note {len(before) + 1} kept")
        called = flow.check_step_up(
            recorder.take(), resource, "add_note", "notes:write"
        )
        flow.check_authorization(browser, 2, resource, ["notes:read", "notes:write"])
        flow.check_token(token(), resource, ["notes:read", "notes:write"])
        flow.step("call", tool="add_note", version=called["version"])
        flow.check(await notes(), [*before, note])
        flow.check([s["status"] for s in recorder.take()], [200])
        recorder.check_background()
    flow.step(
        "done", client="fastmcp", mode=mode, authorizations=len(browser.requests)
    )


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
