// The whole authorization flow with the second generation of the TypeScript SDK.
// usage: node v2.mjs <URL of the server> <legacy|2026-07-28>

import assert from 'node:assert/strict';

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { MemoryProvider, arguments_, checkAuthorization, checkCall, checkLogin, checkRefusal, checkToken, recorder, step } from './flow.mjs';

const [resource, era = 'legacy'] = arguments_();
const first = era === 'legacy' ? 'initialize' : 'server/discover';
const mode = era === 'legacy' ? 'legacy' : { pin: era };
const note = `milk ${crypto.randomUUID()}`;

// With refresh tokens, because that is what applications register for.
const grants = ['authorization_code', 'refresh_token'];
const provider = new MemoryProvider(grants);
const { fetch, take, checkBackground } = recorder(resource);
const transport = () => new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider, fetch });
const client = () => new Client({ name: 'v2', version: '0' }, { versionNegotiation: { mode } });

// Logging in.
const before = transport();
await assert.rejects(client().connect(before), UnauthorizedError);
checkLogin(take(), resource, first, grants);
checkAuthorization(provider, 1, resource, ['notes:read']);
await before.finishAuth(provider.callback);
checkToken(take(), resource, provider.saved, ['notes:read']);

// Calling what may be called.
const connection = transport();
const mcp = client();
await mcp.connect(connection);
const { tools } = await mcp.listTools();
assert.deepEqual(tools.map(tool => tool.name), ['add_note', 'count_people', 'list_notes']);
step('list', { tools: tools.length, version: mcp.getNegotiatedProtocolVersion?.() });
const notes = async () => (await mcp.callTool({ name: 'list_notes', arguments: {} })).structuredContent.notes;
take();
const held = await mcp.callTool({ name: 'list_notes', arguments: {} });
checkCall(take(), 'list_notes', held, { notes: held.structuredContent.notes });
assert.ok(!held.structuredContent.notes.includes(note));

// One scope short: the transport asks for the union, and leaves finishing to its caller.
const add = () => mcp.callTool({ name: 'add_note', arguments: { text: note } });
await assert.rejects(add(), UnauthorizedError);
checkRefusal(take(), resource, 'add_note', 'notes:write');
checkAuthorization(provider, 2, resource, ['notes:read', 'notes:write']);
await connection.finishAuth(provider.callback);
checkToken(take(), resource, provider.saved, ['notes:read', 'notes:write']);

// The same connection goes on with the better token.
const kept = await add();
checkCall(take(), 'add_note', kept, `note ${held.structuredContent.notes.length + 1} kept`);
assert.ok((await notes()).includes(note));
assert.deepEqual(take().map(request => request.status), [200]);
checkBackground();
await mcp.close();
step('done', { client: 'typescript-v2', era, authorizations: provider.requests.length });
