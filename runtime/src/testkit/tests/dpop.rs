use jsonwebtoken::Algorithm;

use super::*;
use crate::testkit::{ProofBuilder, SigningKey};

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256)
}

fn proof(auth: &RunningAuthorizationServer, key: &SigningKey) -> ProofBuilder {
    key.dpop_proof("POST", &format!("{}/token", auth.issuer()))
}

async fn prove(auth: &RunningAuthorizationServer, form: &Form, proof: &str) -> Reply {
    let url = format!("{}/token", auth.issuer());
    send(form.request(&url).header("dpop", proof)).await
}

async fn code_form(auth: &RunningAuthorizationServer, client: &str) -> Form {
    redemption(client, &code(auth, &authorization(client)).await)
}

fn refresh(client: &str, reply: &Reply) -> Form {
    let token = reply.json()["refresh_token"].as_str().unwrap().to_owned();
    Form::new(&[
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", &token),
    ])
}

fn invalid(error: &str) -> (u16, String) {
    (400, error.to_owned())
}

#[tokio::test]
async fn a_proof_at_the_token_endpoint_binds_the_token_to_its_key() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let key = SigningKey::generate(algorithm);
        let form = code_form(&auth, &client).await;
        let reply = prove(&auth, &form, &proof(&auth, &key).sign()).await;
        let reply = reply.json();
        assert_eq!(reply["token_type"], "DPoP");
        let claims = parts(reply["access_token"].as_str().unwrap()).1;
        assert_eq!(claims["cnf"], json!({"jkt": key.thumbprint()}));
    }
    let plain = token(&auth, &code_form(&auth, &client).await).await.json();
    assert_eq!(plain["token_type"], "Bearer");
    let claims = parts(plain["access_token"].as_str().unwrap()).1;
    assert_eq!(claims.get("cnf"), None);
    let document = get(&format!(
        "{}/.well-known/oauth-authorization-server",
        auth.issuer()
    ))
    .await
    .json();
    assert_eq!(
        document["dpop_signing_alg_values_supported"],
        json!(["ES256", "EdDSA", "RS256", "PS256", "ES384"])
    );
}

#[tokio::test]
async fn a_bad_proof_is_refused_and_leaves_the_code_to_its_owner() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let key = key();
    let form = code_form(&auth, &client).await;
    let used = proof(&auth, &key).sign();
    let other = code_form(&auth, &client).await;
    assert_eq!(prove(&auth, &other, &used).await.status, 200);
    for bad in [
        String::new(),
        "x".to_owned(),
        used,
        proof(&auth, &key).claim("htm", "GET").sign(),
        proof(&auth, &key).claim("htu", auth.issuer()).sign(),
        proof(&auth, &key).issued_at(1).sign(),
        proof(&auth, &key).header("typ", "JWT").sign(),
        proof(&auth, &key).key(self::key()).sign(),
    ] {
        let reply = prove(&auth, &form, &bad).await;
        assert_eq!(reply.refusal(), invalid("invalid_dpop_proof"), "{bad}");
    }
    let good = proof(&auth, &key).sign();
    assert_eq!(prove(&auth, &form, &good).await.status, 200);
}

#[tokio::test]
async fn refresh_tokens_of_public_clients_are_bound_to_the_key() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let (key, thief) = (key(), key());
    let form = code_form(&auth, &client).await;
    let first = prove(&auth, &form, &proof(&auth, &key).sign()).await;
    let again = refresh(&client, &first);
    let plain = token(&auth, &again).await;
    assert_eq!(plain.refusal(), invalid("invalid_grant"));
    let stolen = prove(&auth, &again, &proof(&auth, &thief).sign()).await;
    assert_eq!(stolen.refusal(), invalid("invalid_grant"));
    let reply = prove(&auth, &again, &proof(&auth, &key).sign()).await;
    assert_eq!(reply.json()["token_type"], "DPoP");
    let claims = parts(reply.json()["access_token"].as_str().unwrap()).1;
    assert_eq!(claims["cnf"]["jkt"], key.thumbprint());
    let next = refresh(&client, &reply);
    let stolen = prove(&auth, &next, &proof(&auth, &thief).sign()).await;
    assert_eq!(
        stolen.refusal(),
        invalid("invalid_grant"),
        "the next one too"
    );
}

#[tokio::test]
async fn refresh_tokens_of_confidential_clients_are_bound_to_their_secret() {
    let auth = agreeing().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
    });
    let registered = register(&auth, metadata).await.json();
    let client = registered["client_id"].as_str().unwrap();
    let secret = registered["client_secret"].as_str().unwrap();
    let form = code_form(&auth, client).await.and("client_secret", secret);
    let first = prove(&auth, &form, &proof(&auth, &key()).sign()).await;
    assert_eq!(first.json()["token_type"], "DPoP");
    let again = refresh(client, &first).and("client_secret", secret);
    let other = key();
    let reply = prove(&auth, &again, &proof(&auth, &other).sign()).await;
    let claims = parts(reply.json()["access_token"].as_str().unwrap()).1;
    assert_eq!(claims["cnf"]["jkt"], other.thumbprint());
}

#[tokio::test]
async fn a_code_may_be_bound_to_a_key_beforehand() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let key = key();
    let asked = authorization(&client).and("dpop_jkt", &key.thumbprint());
    let form = redemption(&client, &code(&auth, &asked).await);
    let plain = token(&auth, &form).await;
    assert_eq!(plain.refusal(), invalid("invalid_grant"));
    let thief = prove(&auth, &form, &proof(&auth, &self::key()).sign()).await;
    assert_eq!(thief.refusal(), invalid("invalid_grant"));
    let reply = prove(&auth, &form, &proof(&auth, &key).sign()).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_client_that_registered_for_dpop_needs_a_proof() {
    let auth = agreeing().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "dpop_bound_access_tokens": true,
    });
    let registered = register(&auth, metadata).await.json();
    assert_eq!(registered["dpop_bound_access_tokens"], true);
    let client = registered["client_id"].as_str().unwrap();
    let form = code_form(&auth, client).await;
    let plain = token(&auth, &form).await;
    assert_eq!(plain.refusal(), invalid("invalid_request"));
    let reply = prove(&auth, &form, &proof(&auth, &key()).sign()).await;
    assert_eq!(reply.status, 200);
}
