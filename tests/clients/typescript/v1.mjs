// The whole authorization flow with the first generation of the TypeScript SDK, which most clients still use.
// usage: node v1.mjs <URL of the server> [refresh]
//
// Two things are particular to it, and pinned here because servers have to live with them. At a step-up it
// asks for exactly what the challenge names, so the new token has lost the scopes of the old one. And with
// a refresh token it never asks the user again: it refreshes, which cannot widen a grant, and gives up.

import assert from 'node:assert/strict';

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { MemoryProvider, arguments_, checkAuthorization, checkCall, checkLogin, checkRefusal, checkToken, recorder, sorted, step } from './flow.mjs';

const [resource, refresh] = arguments_();
const note = `milk ${crypto.randomUUID()}`;
const grants = refresh ? ['authorization_code', 'refresh_token'] : ['authorization_code'];
const provider = new MemoryProvider(grants);
const { fetch, take, checkBackground } = recorder(resource);
const transport = () => new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider, fetch });
const client = () => new Client({ name: 'v1', version: '0' });

// Logging in.
const before = transport();
await assert.rejects(client().connect(before), UnauthorizedError);
checkLogin(take(), resource, 'initialize', grants);
checkAuthorization(provider, 1, resource, ['notes:read']);
await before.finishAuth(provider.callback.get('code'));
checkToken(take(), resource, provider.saved, ['notes:read']);

// Calling what may be called.
const connection = transport();
const mcp = client();
await mcp.connect(connection);
const { tools } = await mcp.listTools();
assert.deepEqual(tools.map(tool => tool.name), ['add_note', 'count_people', 'list_notes']);
step('list', { tools: tools.length, version: connection.protocolVersion });
take();
const held = await mcp.callTool({ name: 'list_notes', arguments: {} });
checkCall(take(), 'list_notes', held, { notes: held.structuredContent.notes });

const add = () => mcp.callTool({ name: 'add_note', arguments: { text: note } });
if (refresh) {
    await assert.rejects(add(), /403/);
    const seen = take();
    assert.deepEqual(
        seen.filter(request => request.path === '/token').map(request => request.form.grant_type),
        ['refresh_token']
    );
    assert.deepEqual(seen.filter(request => request.tool).map(request => request.status), [403, 403]);
    assert.deepEqual(sorted(provider.saved.scope), ['notes:read']);
    assert.equal(provider.requests.length, 1);
    step('stuck', { status: 403, refreshes: 1, authorizations: 1 });
    // The way out that an application has: forget the tokens, and the next 403 asks the user.
    provider.saved = { access_token: provider.saved.access_token, token_type: 'Bearer' };
    const again = transport();
    const fresh = client();
    await fresh.connect(again);
    take();
    await assert.rejects(fresh.callTool({ name: 'add_note', arguments: { text: note } }), UnauthorizedError);
    checkRefusal(take(), resource, 'add_note', 'notes:write');
    checkAuthorization(provider, 2, resource, ['notes:write']);
    await again.finishAuth(provider.callback.get('code'));
    checkToken(take(), resource, provider.saved, ['notes:write']);
    const kept = await fresh.callTool({ name: 'add_note', arguments: { text: note } });
    checkCall(take(), 'add_note', kept, `note ${held.structuredContent.notes.length + 1} kept`);
    await fresh.close();
} else {
    // One scope short.
    await assert.rejects(add(), UnauthorizedError);
    checkRefusal(take(), resource, 'add_note', 'notes:write');
    checkAuthorization(provider, 2, resource, ['notes:write']);
    await connection.finishAuth(provider.callback.get('code'));
    checkToken(take(), resource, provider.saved, ['notes:write']);
    const kept = await add();
    checkCall(take(), 'add_note', kept, `note ${held.structuredContent.notes.length + 1} kept`);

    // And now reading needs a step-up of its own.
    const read = () => mcp.callTool({ name: 'list_notes', arguments: {} });
    await assert.rejects(read(), UnauthorizedError);
    checkRefusal(take(), resource, 'list_notes', 'notes:read');
    checkAuthorization(provider, 3, resource, ['notes:read']);
    await connection.finishAuth(provider.callback.get('code'));
    checkToken(take(), resource, provider.saved, ['notes:read']);
    assert.ok((await read()).structuredContent.notes.includes(note));
}
checkBackground();
await mcp.close();
step('done', { client: 'typescript-v1', refresh: Boolean(refresh), authorizations: provider.requests.length });
