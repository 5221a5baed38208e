"""The whole authorization flow with the official Python SDK, which steps up by itself.

usage: python sdk.py <URL of the server> <legacy|auto>
"""

from __future__ import annotations

import sys
import uuid

import anyio
import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

import flow


async def main(resource: str, mode: str) -> None:
    first = "initialize" if mode == "legacy" else "server/discover"
    note = f"milk {uuid.uuid4()}"
    storage, browser, recorder = flow.Memory(), flow.Browser(), flow.Recorder(resource)
    auth = flow.provider(resource, storage, browser)
    async with httpx2.AsyncClient(auth=auth, transport=recorder) as http:
        transport = streamable_http_client(resource, http_client=http)
        async with Client(transport, mode=mode) as client:
            flow.check_login(recorder.take(), resource, first)
            flow.check_authorization(browser, 1, resource, ["notes:read"])
            flow.check_token(storage.tokens.access_token, resource, ["notes:read"])

            listed = await client.list_tools()
            names = [tool.name for tool in listed.tools]
            flow.check(names, ["add_note", "count_people", "list_notes"])
            flow.step("list", tools=len(names), version=client.protocol_version)

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
            flow.check_authorization(
                browser, 2, resource, ["notes:read", "notes:write"]
            )
            flow.check_token(
                storage.tokens.access_token, resource, ["notes:read", "notes:write"]
            )
            flow.step("call", tool="add_note", version=called["version"])
            flow.check(await notes(), [*before, note])
            flow.check([s["status"] for s in recorder.take()], [200])
            recorder.check_background()
    flow.step(
        "done", client="python-sdk", mode=mode, authorizations=len(browser.requests)
    )


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
