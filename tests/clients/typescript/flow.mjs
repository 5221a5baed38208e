// What both client generations have in common: a provider that keeps everything in memory, a browser that
// is a fetch, and a record of every request that was really made.

import assert from 'node:assert/strict';

// Nothing listens there: the redirect is read instead of followed.
const REDIRECT = 'http://127.0.0.1:9/callback';

/** One JSON line for whoever runs this script. */
export function step(name, details = {}) {
    console.log(JSON.stringify({ step: name, ...details }));
}

export const sorted = scope => (scope ?? '').split(' ').filter(Boolean).sort();

/**
 * A fetch that records what was asked, and with which answer.
 *
 * Notifications and streams are recorded apart: clients send them in the background, whenever they get
 * round to it.
 */
export function recorder(resource) {
    const seen = [];
    const background = [];
    const recorded = async (input, init) => {
        const response = await fetch(input, init);
        const url = new URL(String(input));
        const body = typeof init?.body === 'string' && init.body.startsWith('{') ? JSON.parse(init.body) : undefined;
        const method = init?.method ?? 'GET';
        const stream = method === 'GET' && url.href === new URL(resource).href;
        if (stream || body?.method?.startsWith('notifications/')) {
            background.push({ expected: stream ? 405 : 202, status: response.status });
            return response;
        }
        seen.push({
            method,
            path: url.pathname,
            rpc: body?.method,
            tool: body?.params?.name,
            version: new Headers(init?.headers).get('mcp-protocol-version'),
            token: new Headers(init?.headers).has('authorization'),
            form: init?.body instanceof URLSearchParams ? Object.fromEntries(init.body) : undefined,
            registration: url.pathname === '/register' ? body : undefined,
            status: response.status,
            challenge: response.headers.get('www-authenticate')
        });
        return response;
    };
    /** What was recorded since the last time. */
    const take = () => seen.splice(0);
    /** Notifications are accepted; there are no streams to open, and the server says so. */
    const checkBackground = () => background.forEach(request => assert.equal(request.status, request.expected));
    return { fetch: recorded, take, checkBackground };
}

/** An OAuthClientProvider that forgets everything when the script ends. */
export class MemoryProvider {
    /** The authorization requests that were made, as their query parameters. */
    requests = [];

    constructor(grants) {
        this.grants = grants;
    }

    get redirectUrl() {
        return REDIRECT;
    }

    get clientMetadata() {
        return {
            client_name: 'toolgate client test',
            redirect_uris: [REDIRECT],
            grant_types: this.grants,
            response_types: ['code'],
            token_endpoint_auth_method: 'none'
        };
    }

    state() {
        this.sent = crypto.randomUUID();
        return this.sent;
    }

    clientInformation() {
        return this.client;
    }

    saveClientInformation(client) {
        this.client = client;
    }

    tokens() {
        return this.saved;
    }

    saveTokens(tokens) {
        this.saved = tokens;
    }

    saveDiscoveryState(state) {
        this.discovered = state;
    }

    discoveryState() {
        return this.discovered;
    }

    saveCodeVerifier(verifier) {
        this.verifier = verifier;
    }

    codeVerifier() {
        return this.verifier;
    }

    /** What a browser does, when the user agrees. */
    async redirectToAuthorization(url) {
        const query = Object.fromEntries(url.searchParams);
        this.requests.push(query);
        const response = await fetch(url, { redirect: 'manual' });
        assert.equal(response.status, 303);
        const location = response.headers.get('location');
        assert.ok(location.startsWith(REDIRECT), location);
        this.callback = new URL(location).searchParams;
        assert.equal(this.callback.get('state'), this.sent);
        assert.equal(this.callback.get('iss'), url.origin);
    }
}

/** The challenge of this server, byte for byte. */
export function challenge(resource, scope, insufficient) {
    const { origin, pathname } = new URL(resource);
    const error = insufficient
        ? 'error="insufficient_scope", error_description="this operation needs more scopes", '
        : '';
    return `Bearer ${error}scope="${scope}", resource_metadata="${origin}/.well-known/oauth-protected-resource${pathname}"`;
}

/** Checks what happened between the first request and the first token. */
export function checkLogin(seen, resource, first, grants) {
    const [refused, metadata, server, registration, ...rest] = seen;
    assert.deepEqual(
        { rpc: refused.rpc, token: refused.token, status: refused.status, challenge: refused.challenge },
        { rpc: first, token: false, status: 401, challenge: challenge(resource, 'notes:read', false) }
    );
    step('refused', { status: refused.status, rpc: refused.rpc, challenge: refused.challenge });
    assert.equal(metadata.path, '/.well-known/oauth-protected-resource' + new URL(resource).pathname);
    assert.equal(metadata.status, 200);
    step('resource metadata', { path: metadata.path, status: metadata.status });
    assert.equal(server.path, '/.well-known/oauth-authorization-server');
    assert.equal(server.status, 200);
    step('server metadata', { path: server.path, status: server.status });
    assert.equal(registration.path, '/register');
    assert.equal(registration.status, 201);
    assert.deepEqual(registration.registration.grant_types, grants);
    step('register', { status: registration.status, scope: registration.registration.scope });
    assert.deepEqual(rest, [], 'nothing else is asked before the user agrees');
}

/** Checks an authorization request: PKCE, the resource, the scopes and nothing beyond them. */
export function checkAuthorization(provider, number, resource, scopes) {
    assert.equal(provider.requests.length, number);
    const query = provider.requests[number - 1];
    assert.equal(query.response_type, 'code');
    assert.equal(query.code_challenge_method, 'S256');
    assert.equal(query.code_challenge.length, 43);
    assert.equal(query.redirect_uri, REDIRECT);
    assert.equal(query.resource, resource);
    assert.deepEqual(sorted(query.scope), scopes);
    step('authorize', { scope: query.scope });
}

/** Checks the exchange of a code for a token, and says what the token may. */
export function checkToken(seen, resource, tokens, scopes) {
    const exchange = seen.find(request => request.path === '/token');
    assert.equal(exchange.status, 200);
    assert.equal(exchange.form.grant_type, 'authorization_code');
    assert.equal(exchange.form.resource, resource);
    assert.ok(exchange.form.code_verifier.length >= 43);
    assert.deepEqual(sorted(tokens.scope), scopes);
    const claims = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url'));
    assert.deepEqual(sorted(claims.scope), scopes);
    assert.equal(claims.aud, resource);
    step('token', { status: exchange.status, scope: tokens.scope, subject: claims.sub });
}

/** Checks that `tool` was refused for want of `scope`, and only once. */
export function checkRefusal(seen, resource, tool, scope) {
    const refused = seen.filter(request => request.status === 403);
    assert.equal(refused.length, 1);
    assert.equal(refused[0].tool, tool);
    assert.equal(refused[0].token, true);
    assert.equal(refused[0].challenge, challenge(resource, scope, true));
    step('insufficient scope', { status: 403, tool, challenge: refused[0].challenge });
}

/** Checks the answer to a call and that HTTP said 200 to it. */
export function checkCall(seen, tool, result, expected) {
    const calls = seen.filter(request => request.tool === tool && request.status === 200);
    assert.equal(calls.length, 1);
    assert.ok(!result.isError);
    const answer = result.structuredContent ?? result.content[0].text;
    assert.deepEqual(answer, expected);
    step('call', { tool, status: 200, version: calls[0].version, result: answer });
}

export function arguments_() {
    const [resource, ...rest] = process.argv.slice(2);
    assert.ok(resource, 'usage: node <script> <URL of the server>');
    return [resource, ...rest];
}
