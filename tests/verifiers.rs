//! One server, several kinds of tokens: each decided by its own verifier, by its own rules.

use std::sync::Arc;

use axum::Router;
use serde_json::json;
use toolgate::{
    AnyOf, ApiKey, ApiKeys, ClaimMapping, Introspection, IntrospectionBuilder, Issuers,
    JwtVerifier, Principal, ScopeClaim, ServeError, Server, SignatureAlgorithm, TokenType, Tool,
    VerifierConfigError, Warning, mcp_tool,
    testkit::{AuthorizationServer, McpRequest, McpResponse, RunningAuthorizationServer},
};

const RESOURCE: &str = "http://127.0.0.1/mcp";

/// Say everything that is known about the caller.
#[mcp_tool(authenticated)]
async fn whoami(caller: Principal) -> String {
    let name = |actor: &toolgate::Actor| actor.subject().unwrap_or("?").to_owned();
    let actors: Vec<String> = caller.actors().iter().map(name).collect();
    json!({
        "issuer": caller.issuer(), "subject": caller.subject(), "client": caller.client_id(),
        "scopes": caller.scopes().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "roles": caller.roles(), "tenant": caller.tenant(), "id": caller.token_id(),
        "actor": caller.actor().map(name), "actors": actors,
        "may_act": caller.may_act().map(name), "workload": caller.is_workload(),
    })
    .to_string()
}

/// Read notes.
#[mcp_tool(scopes = "notes:read")]
async fn read_notes() -> &'static str {
    "milk"
}

async fn start(settings: AuthorizationServer) -> RunningAuthorizationServer {
    settings.start().await.unwrap()
}

fn introspection(auth: &RunningAuthorizationServer) -> IntrospectionBuilder {
    Introspection::new(auth.issuer(), RESOURCE).client_secret_basic("notes", "rs-secret")
}

async fn call(app: &Router, tool: &str, token: &str) -> McpResponse {
    McpRequest::call(tool, json!({}))
        .bearer(token)
        .send(app)
        .await
}

/// What the tool says about the caller of a token that is accepted.
async fn who(app: &Router, token: &str) -> serde_json::Value {
    let response = call(app, "whoami", token).await;
    assert_eq!(response.status(), 200, "{response:?}");
    serde_json::from_str(&response.text()).unwrap()
}

/// A server for JWTs of one issuer, opaque tokens of another and API keys.
struct Fixture {
    jwts: RunningAuthorizationServer,
    opaque: RunningAuthorizationServer,
    keys: Arc<ApiKeys>,
    app: Router,
    server: toolgate::ProtectedServer,
}

async fn fixture() -> Fixture {
    let jwts = start(AuthorizationServer::new().default_resource(RESOURCE)).await;
    let opaque = AuthorizationServer::new()
        .default_resource(RESOURCE)
        .opaque_tokens();
    let opaque = start(opaque.resource_server("notes", "rs-secret")).await;
    let keys = Arc::new(ApiKeys::new("urn:example:keys", "ntk_").unwrap());
    let server = Server::new(RESOURCE)
        .authorization_server(jwts.issuer())
        .accept(introspection(&opaque).build().unwrap())
        .accept(keys.clone())
        .build()
        .unwrap();
    Fixture {
        app: server.router(),
        server,
        jwts,
        opaque,
        keys,
    }
}

#[tokio::test]
async fn jwts_opaque_tokens_and_api_keys_make_the_same_kind_of_principal() {
    let Fixture {
        jwts,
        opaque,
        keys,
        app,
        ..
    } = fixture().await;
    let (key, hash) = keys.generate().unwrap();
    let scopes = || ["notes:read".parse().unwrap()];
    keys.replace([ApiKey::new("ci-1", "ci", hash).scopes(scopes())])
        .unwrap();
    for (token, issuer, subject, client, id) in [
        (
            jwts.mint("alice")
                .scopes(["notes:read"])
                .claim("jti", "1")
                .sign(),
            jwts.issuer(),
            "alice",
            json!("testkit"),
            "1",
        ),
        (
            opaque
                .mint("bob")
                .scopes(["notes:read"])
                .claim("jti", "2")
                .opaque(),
            opaque.issuer(),
            "bob",
            json!("testkit"),
            "2",
        ),
        // One that names its issuer is introspected there, not verified here.
        (
            opaque
                .mint("eve")
                .scopes(["notes:read"])
                .claim("jti", "3")
                .sign(),
            opaque.issuer(),
            "eve",
            json!("testkit"),
            "3",
        ),
        (key.clone(), "urn:example:keys", "ci", json!(null), "ci-1"),
    ] {
        let caller = who(&app, &token).await;
        assert_eq!(caller["issuer"], issuer);
        assert_eq!(caller["subject"], subject);
        assert_eq!(caller["client"], client);
        assert_eq!(caller["id"], id);
        assert_eq!(caller["scopes"], json!(["notes:read"]));
        assert_eq!(call(&app, "read_notes", &token).await.text(), "milk");
    }
    assert_eq!(opaque.hits("/introspect"), 2, "one question a token");
    assert_eq!(opaque.hits("/jwks"), 0);

    // Without the scope each of them is challenged for it.
    keys.replace([ApiKey::new("ci-1", "ci", hash)]).unwrap();
    for token in [
        jwts.mint("alice").sign(),
        opaque.mint("bob").opaque(),
        key.clone(),
    ] {
        let response = call(&app, "read_notes", &token).await;
        assert_eq!(response.status(), 403);
        let challenge = response.challenge().unwrap();
        assert_eq!(challenge.error(), Some("insufficient_scope"));
        assert_eq!(challenge.scope(), Some("notes:read"));
    }
    // A key that is gone is gone at once.
    keys.replace([]).unwrap();
    assert_eq!(call(&app, "whoami", &key).await.status(), 401);
}

#[tokio::test]
async fn a_bad_token_of_any_kind_gets_the_same_answer() {
    let Fixture {
        jwts,
        opaque,
        keys,
        app,
        ..
    } = fixture().await;
    let (key, _) = keys.generate().unwrap();
    let gone = opaque.mint("bob").opaque();
    opaque.revoke(&gone);
    let mut bodies = Vec::new();
    for token in [
        jwts.mint("alice").expired().sign(),
        jwts.mint("alice").audience("https://other.example").sign(),
        jwts.mint("alice").claim("iss", opaque.issuer()).sign(),
        jwts.mint("alice")
            .claim("iss", "https://other.example")
            .sign(),
        jwts.mint("alice").header("typ", "oauth-id-jag+jwt").sign(),
        jwts.mint("alice").claim("act", json!("x")).sign(),
        opaque
            .mint("bob")
            .audience("https://other.example")
            .opaque(),
        gone,
        "opaque-and-unknown".into(),
        key,
    ] {
        let response = call(&app, "whoami", &token).await;
        assert_eq!(response.status(), 401, "{token}: {response:?}");
        assert_eq!(response.challenge().unwrap().error(), Some("invalid_token"));
        let mut body = response.message();
        body["error"]["data"] = json!(null);
        bodies.push(body);
    }
    assert!(bodies.windows(2).all(|two| two[0] == two[1]), "{bodies:#?}");
}

#[tokio::test]
async fn an_authorization_server_that_is_down_is_503_for_its_own_tokens_only() {
    let Fixture {
        jwts,
        opaque,
        keys,
        app,
        ..
    } = fixture().await;
    let token = opaque.mint("bob").opaque();
    let remembered = opaque.mint("eve").opaque();
    assert_eq!(call(&app, "whoami", &remembered).await.status(), 200);
    opaque.shutdown().await;
    let response = call(&app, "whoami", &token).await;
    assert_eq!(response.status(), 503, "never 401");
    assert!(response.headers().contains_key("retry-after"));
    assert!(response.challenge().is_none());
    assert_eq!(call(&app, "whoami", &remembered).await.status(), 200);
    assert_eq!(
        call(&app, "whoami", &jwts.mint("alice").sign())
            .await
            .status(),
        200
    );
    let (key, hash) = keys.generate().unwrap();
    keys.replace([ApiKey::new("1", "ci", hash)]).unwrap();
    assert_eq!(call(&app, "whoami", &key).await.status(), 200);
}

#[tokio::test]
async fn no_token_is_shown_to_somebody_elses_authorization_server() {
    let Fixture {
        jwts,
        opaque,
        app,
        keys,
        ..
    } = fixture().await;
    let (key, _) = keys.generate().unwrap();
    for token in [
        jwts.mint("alice").sign(),
        jwts.mint("alice").expired().sign(),
        jwts.mint("alice")
            .claim("iss", "https://other.example")
            .sign(),
        jwts.mint("alice").without("iss").sign(),
        key,
    ] {
        call(&app, "whoami", &token).await;
    }
    assert_eq!(opaque.hits("/introspect"), 0);
}

#[tokio::test]
async fn a_bound_token_needs_its_proof_however_it_was_verified() {
    let Fixture {
        jwts, opaque, app, ..
    } = fixture().await;
    let cnf = json!({"jkt": "A".repeat(43)});
    for token in [
        jwts.mint("alice").claim("cnf", cnf.clone()).sign(),
        opaque.mint("bob").claim("cnf", cnf.clone()).opaque(),
    ] {
        for _first_and_remembered in 0..2 {
            assert_eq!(call(&app, "whoami", &token).await.status(), 401);
        }
    }
}

#[tokio::test]
async fn each_kind_of_token_is_remembered_by_its_own_rules() {
    let Fixture {
        jwts,
        opaque,
        keys,
        app,
        server,
    } = fixture().await;
    let (key, hash) = keys.generate().unwrap();
    keys.replace([ApiKey::new("1", "ci", hash)]).unwrap();
    let hits = || server.token_cache_stats().hits;
    for (token, expected) in [
        (jwts.mint("alice").sign(), 2),
        (opaque.mint("bob").opaque(), 0),
        (key, 0),
    ] {
        let before = hits();
        for _ in 0..3 {
            assert_eq!(call(&app, "whoami", &token).await.status(), 200);
        }
        assert_eq!(hits() - before, expected);
    }
    // What an authorization server said is remembered by who asked it, and not for longer.
    assert_eq!(opaque.hits("/introspect"), 1);
}

#[tokio::test]
async fn a_key_in_the_query_is_no_credential() {
    let Fixture { keys, app, .. } = fixture().await;
    let (key, hash) = keys.generate().unwrap();
    keys.replace([ApiKey::new("1", "ci", hash)]).unwrap();
    for name in ["access_token", "api_key", "key", "token"] {
        let uri = format!("/mcp?{name}={key}");
        let response = McpRequest::call("whoami", json!({}))
            .uri(uri)
            .send(&app)
            .await;
        assert_eq!(response.status(), 401);
    }
    let header = McpRequest::call("whoami", json!({}))
        .header("x-api-key", &key)
        .send(&app)
        .await;
    assert_eq!(header.status(), 401);
}

#[tokio::test]
async fn all_authorization_servers_are_in_the_metadata_and_no_urn() {
    let Fixture {
        jwts, opaque, app, ..
    } = fixture().await;
    let request = McpRequest::new("x", json!({}))
        .uri("/.well-known/oauth-protected-resource/mcp")
        .http_method(http::Method::GET);
    let document: serde_json::Value =
        serde_json::from_slice(request.send(&app).await.body()).unwrap();
    assert_eq!(
        document["authorization_servers"],
        json!([jwts.issuer(), opaque.issuer()])
    );
}

#[test]
fn api_keys_alone_are_no_authorization_server() {
    let keys = || ApiKeys::new("urn:example:keys", "ntk_").unwrap();
    for server in [
        Server::new(RESOURCE).accept(keys()),
        Server::new(RESOURCE).verifier(keys()),
    ] {
        let error = server.build().unwrap_err();
        assert_eq!(error.problems(), [toolgate::Problem::NoAuthorizationServer]);
    }
}

#[tokio::test]
async fn settings_belong_to_one_authorization_server() {
    let (plain, special) = (
        start(AuthorizationServer::new().default_resource(RESOURCE)).await,
        start(AuthorizationServer::new().default_resource("api://notes")).await,
    );
    let app = Server::new(RESOURCE)
        .authorization_server(plain.issuer())
        .authorization_server_with(special.issuer(), |tokens| {
            tokens
                .token_type(TokenType::Rfc9068)
                .algorithms([SignatureAlgorithm::ES256])
                .audience_alias("api://notes")
                .claims(
                    ClaimMapping::new()
                        .scopes_from([ScopeClaim::Permissions])
                        .roles_at("/realm_access/roles"),
                )
        })
        .build()
        .unwrap()
        .router();
    let claims = |auth: &RunningAuthorizationServer| {
        auth.mint("alice")
            .scopes(["a"])
            .claim("permissions", json!(["notes:read"]))
            .claim("realm_access", json!({"roles": ["admin"]}))
    };
    let caller = who(&app, &claims(&special).sign()).await;
    assert_eq!(caller["scopes"], json!(["notes:read"]));
    assert_eq!(caller["roles"], json!(["admin"]));
    let caller = who(&app, &claims(&plain).sign()).await;
    assert_eq!(caller["scopes"], json!(["a"]));
    assert_eq!(
        caller["roles"],
        json!([]),
        "roles only where they were asked for"
    );
    assert_eq!(
        call(&app, "read_notes", &claims(&plain).sign())
            .await
            .status(),
        403
    );
    for (token, status) in [
        (plain.mint("a").header("typ", "JWT").sign(), 200),
        (special.mint("a").header("typ", "JWT").sign(), 401),
        (plain.mint("a").audience("api://notes").sign(), 401),
        (plain.mint("a").claim("iss", special.issuer()).sign(), 401),
    ] {
        assert_eq!(call(&app, "whoami", &token).await.status(), status);
    }
}

#[tokio::test]
async fn delegation_and_workloads_are_data_for_the_tool() {
    let auth = start(AuthorizationServer::new().default_resource(RESOURCE)).await;
    let app = Server::new(RESOURCE)
        .authorization_server(auth.issuer())
        .build()
        .unwrap()
        .router();
    let delegated = auth
        .mint("alice")
        .claim("act", json!({"sub": "agent", "act": {"sub": "portal"}}))
        .claim("may_act", json!({"sub": "desk"}))
        .sign();
    let caller = who(&app, &delegated).await;
    assert_eq!(caller["subject"], "alice");
    assert_eq!(caller["actor"], "agent");
    assert_eq!(caller["actors"], json!(["agent", "portal"]));
    assert_eq!(caller["may_act"], "desk");
    assert_eq!(caller["workload"], false);
    // An actor brings no scopes along.
    let scoped = auth
        .mint("alice")
        .claim("act", json!({"sub": "x", "scope": "notes:read"}))
        .sign();
    assert_eq!(call(&app, "read_notes", &scoped).await.status(), 403);

    let machine = auth
        .mint("batch")
        .client_id("batch")
        .scopes(["notes:read"])
        .sign();
    assert_eq!(who(&app, &machine).await["workload"], true);
    assert_eq!(call(&app, "read_notes", &machine).await.status(), 200);
    let unscoped = auth.mint("batch").client_id("batch").sign();
    assert_eq!(call(&app, "read_notes", &unscoped).await.status(), 403);
}

#[tokio::test]
async fn tenants_are_those_that_were_named_and_no_others() {
    let template = "https://login.example/{tenant}/v2.0";
    let same = |jwt| jwt;
    let of = |template: &str, tenants: &[&str]| {
        Issuers::for_tenants(template, RESOURCE, tenants.iter().copied(), same)
    };
    assert!(
        of(
            template,
            &["t1", "t2.example", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"]
        )
        .is_ok()
    );
    for bad in [
        "https://login.example/v2.0",
        "https://login.example/{tenant}/{tenant}",
        "{tenant}{",
        "https://login.example/{tid}",
    ] {
        let error = of(bad, &["t1"]).err();
        assert!(
            matches!(error, Some(VerifierConfigError::Template { .. })),
            "{bad}"
        );
    }
    for bad in [
        "", ".", "..", "a/b", "../x", "a?b", "a#b", "*", "{tenant}", "a b", "ü", "a%2fb", "a@b",
        "a:b",
    ] {
        let error = of(template, &["t1", bad]).err();
        assert!(
            matches!(error, Some(VerifierConfigError::Tenant { .. })),
            "{bad}"
        );
    }
    assert_eq!(
        of(template, &[]).err(),
        Some(VerifierConfigError::NoIssuers)
    );
    let twice = of(template, &["t1", "t1"]).err();
    assert!(matches!(
        twice,
        Some(VerifierConfigError::DuplicateIssuer { .. })
    ));

    // The issuer of the embedded server ends in its port: that is the tenant here.
    let (ours, other) = (
        start(AuthorizationServer::new().default_resource(RESOURCE)).await,
        start(AuthorizationServer::new().default_resource(RESOURCE)).await,
    );
    let (before, port) = ours.issuer().rsplit_once(':').unwrap();
    let template = format!("{before}:{{tenant}}");
    let issuers = Issuers::for_tenants(&template, RESOURCE, [port], |tenant| {
        tenant.claims(ClaimMapping::new().tenant_at("/tid"))
    });
    let app = Server::new(RESOURCE)
        .verifier(issuers.unwrap())
        .build()
        .unwrap()
        .router();
    let mint =
        |auth: &RunningAuthorizationServer, tid: &str| auth.mint("alice").claim("tid", tid).sign();
    assert_eq!(who(&app, &mint(&ours, port)).await["tenant"], port);
    assert_eq!(
        call(&app, "whoami", &mint(&ours, "t2")).await.status(),
        401,
        "another tenant's"
    );
    assert_eq!(
        call(&app, "whoami", &ours.mint("alice").sign())
            .await
            .status(),
        401
    );
    let foreign = mint(&other, other.issuer().rsplit_once(':').unwrap().1);
    assert_eq!(call(&app, "whoami", &foreign).await.status(), 401);
    assert_eq!(
        other.hits("/jwks"),
        0,
        "no fetch for a tenant that was not named"
    );
}

async fn nothing() {}

#[tokio::test]
async fn what_an_authorization_server_lacks_is_found_before_the_first_request() {
    let auth = start(AuthorizationServer::new().scope("a", "A")).await;
    let server = |issuer: &str| {
        Server::new(RESOURCE)
            .authorization_server(issuer)
            .without_registered_tools()
            .tool(Tool::new("tool", "Do nothing.", nothing).scopes(["a", "b"]))
    };
    let issuer = auth.issuer().to_owned();
    let missing = Warning::UnknownScope {
        issuer: issuer.clone(),
        scope: "b".parse().unwrap(),
    };
    let protected = server(&issuer).build().unwrap();
    assert_eq!(protected.check().await, std::slice::from_ref(&missing));
    let refused = server(&issuer).strict().serve("127.0.0.1:0").await;
    assert!(matches!(&refused, Err(ServeError::Check(found)) if *found == [missing]));
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("does not list the scope `b`"), "{text}");

    let keys = server(&issuer).authorization_server_with(format!("{issuer}/"), |jwt| jwt);
    let found = keys.build().unwrap().check().await;
    assert!(
        found.contains(&Warning::IssuerMismatch {
            issuer: format!("{issuer}/")
        }),
        "{found:?}"
    );

    let rsa = server(&issuer).verifier(
        JwtVerifier::new(&issuer, RESOURCE)
            .algorithms([SignatureAlgorithm::RS256])
            .build()
            .unwrap(),
    );
    let found = rsa.build().unwrap().check().await;
    assert!(
        found
            .iter()
            .any(|f| matches!(f, Warning::NoUsableKey { .. })),
        "{found:?}"
    );

    let no_endpoint = AnyOf::new(introspection(&auth).build().unwrap());
    let found = server(&issuer)
        .verifier(no_endpoint)
        .build()
        .unwrap()
        .check()
        .await;
    assert!(
        matches!(found[..], [Warning::Unavailable { .. }]),
        "{found:?}"
    );

    auth.shutdown().await;
    let found = server(&issuer).build().unwrap().check().await;
    assert!(
        matches!(found[..], [Warning::Unavailable { .. }]),
        "{found:?}"
    );
}
