use super::*;

async fn asking() -> RunningAuthorizationServer {
    AuthorizationServer::new()
        .scope("notes:read", "Read <your> notes")
        .start()
        .await
        .unwrap()
}

fn transaction(page: &Reply) -> String {
    let (_, rest) = page
        .body
        .split_once("name=\"transaction\" value=\"")
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn answer(transaction: &str, decision: &str, user: &str) -> Form {
    Form::new(&[
        ("transaction", transaction),
        ("decision", decision),
        ("user", user),
    ])
}

async fn consent(auth: &RunningAuthorizationServer, form: &Form) -> Reply {
    form.post(&format!("{}/consent", auth.issuer())).await
}

#[tokio::test]
async fn the_page_shows_what_is_asked_and_cannot_be_framed_scripted_or_kept() {
    let auth = asking().await;
    let client = public_client(&auth).await;
    let page = authorize(&auth, &authorization(&client)).await;
    assert_eq!(page.status, 200);
    for shown in [
        "A client",
        "notes:read",
        "notes:write",
        RESOURCE,
        "127.0.0.1:7000",
        "alice",
        "bob",
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
    assert!(
        page.header(header::CONTENT_SECURITY_POLICY)
            .starts_with("default-src 'none'; style-src 'unsafe-inline'")
    );
    assert!(
        page.header(header::CONTENT_SECURITY_POLICY)
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(page.header(header::X_FRAME_OPTIONS), "DENY");
    assert_eq!(page.header(header::REFERRER_POLICY), "no-referrer");
    assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
    assert!(
        !page
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    );
}

#[tokio::test]
async fn whoever_is_picked_and_allows_is_the_subject_of_the_token() {
    let auth = asking().await;
    let client = public_client(&auth).await;
    let page = authorize(&auth, &authorization(&client)).await;
    let (to, query) = consent(&auth, &answer(&transaction(&page), "allow", "bob"))
        .await
        .redirect();
    assert_eq!(to, REDIRECT);
    assert_eq!(
        (query["state"].as_str(), query["iss"].as_str()),
        ("s&1", auth.issuer())
    );
    let reply = token(&auth, &redemption(&client, &query["code"]))
        .await
        .json();
    assert_eq!(
        parts(reply["access_token"].as_str().unwrap()).1["sub"],
        "bob"
    );
}

#[tokio::test]
async fn a_no_is_access_denied_with_state_and_issuer() {
    let auth = asking().await;
    let client = public_client(&auth).await;
    let page = authorize(&auth, &authorization(&client)).await;
    let (to, query) = consent(&auth, &answer(&transaction(&page), "deny", "alice"))
        .await
        .redirect();
    assert_eq!(to, REDIRECT);
    assert_eq!(query["error"], "access_denied");
    assert_eq!(
        (query["state"].as_str(), query["iss"].as_str()),
        ("s&1", auth.issuer())
    );
}

#[tokio::test]
async fn text_from_the_client_stays_text() {
    let auth = asking().await;
    let evil = "<script>alert(1)</script>\"><img src=x>";
    let metadata = json!({"client_name": evil, "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    let registered = register(&auth, metadata).await.json();
    let form = authorization(registered["client_id"].as_str().unwrap())
        .set("scope", "notes:read <b>bold</b>")
        .set("resource", "https://a.example/<i>'x'</i>");
    let page = authorize(&auth, &form).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for raw in ["<script", "<img", "<b>", "<i>", "'x'", "<your>"] {
        assert!(!page.body.contains(raw), "{raw}");
    }
    assert!(page.body.contains("&#60;script&#62;alert(1)"));
}

#[tokio::test]
async fn an_answer_needs_the_transaction_of_a_page_and_counts_once() {
    let auth = asking().await;
    let client = public_client(&auth).await;
    let page = authorize(&auth, &authorization(&client)).await;
    let transaction = transaction(&page);
    let url = format!("{}/consent", auth.issuer());

    assert_eq!(
        consent(&auth, &answer("forged", "allow", "alice"))
            .await
            .status,
        400
    );
    assert_eq!(
        consent(&auth, &answer("", "allow", "alice")).await.status,
        400
    );
    assert_eq!(
        get(&format!(
            "{url}?transaction={transaction}&decision=allow&user=alice"
        ))
        .await
        .status,
        405
    );
    let good = answer(&transaction, "allow", "alice");
    let cross_site = send(good.request(&url).header("sec-fetch-site", "cross-site")).await;
    assert_eq!(cross_site.status, 403);

    let same_site = send(good.request(&url).header("sec-fetch-site", "same-origin")).await;
    assert!(same_site.redirect().1.contains_key("code"));
    assert_eq!(consent(&auth, &good).await.status, 400);
}

#[tokio::test]
async fn only_an_offered_user_and_a_clear_answer_count() {
    let auth = asking().await;
    let client = public_client(&auth).await;
    for (decision, user) in [
        ("allow", "mallory"),
        ("allow", ""),
        ("maybe", "alice"),
        ("", "alice"),
    ] {
        let page = authorize(&auth, &authorization(&client)).await;
        let reply = consent(&auth, &answer(&transaction(&page), decision, user)).await;
        assert_eq!(reply.status, 400, "{decision} {user}");
    }
}
