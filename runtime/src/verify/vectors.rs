//! The public Wycheproof vectors for JSON Web Signatures, Keys and Encryption, through our own header,
//! admission and look-up code. Every exclusion has its reason and must stay necessary: a vector that gets
//! the verdict it asks for may not be listed.
//!
//! The files are read from the folder that `TOOLGATE_VECTORS` names, else from `shared/vectors` beside the
//! checkout, and the test says so when they are absent.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{jose::Signed, keys::KeySet};

const FILES: [&str; 3] = [
    "json_web_signature_test.json",
    "json_web_key_test.json",
    "json_web_crypto_test.json",
];

/// Vectors on which we differ on purpose: file, number, reason.
const EXCLUDED: [(&str, u64, &str); 4] = [
    (FILES[0], 346, "the key says PS256, the token PS384"),
    (FILES[0], 347, "P-521 is not supported"),
    (FILES[0], 350, "the key says PS256, the token PS384"),
    (FILES[0], 351, "P-521 is not supported"),
];

#[test]
fn wycheproof_vectors_get_the_verdict_they_ask_for() {
    let folder = std::env::var_os("TOOLGATE_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    for file in FILES {
        let Ok(text) = std::fs::read(folder.join(file)) else {
            assert!(std::env::var_os("CI").is_none(), "{file} is missing");
            println!("skipped: {file} is not in {}", folder.display());
            continue;
        };
        let vectors: Value = serde_json::from_slice(&text).unwrap();
        let (mut run, mut accepted, mut differing) = (0, 0, Vec::new());
        for group in vectors["testGroups"].as_array().unwrap() {
            let given = group.get("public").unwrap_or(&group["private"]);
            let keys = key_set(given);
            for test in group["tests"].as_array().unwrap() {
                let verdict = keys
                    .as_ref()
                    .is_some_and(|keys| accepts(keys, &text_of(test)));
                if verdict != asks_for_acceptance(test, given) {
                    differing.push(test["tcId"].as_u64().unwrap());
                }
                run += 1;
                accepted += usize::from(verdict);
            }
        }
        let excluded: Vec<u64> = EXCLUDED
            .iter()
            .filter(|(name, ..)| *name == file)
            .map(|(_, id, _)| *id)
            .collect();
        assert_eq!(differing, excluded, "{file}");
        assert_eq!(run, vectors["numberOfTests"].as_u64().unwrap());
        println!(
            "{file}: {run} vectors, {accepted} accepted, {} excluded",
            excluded.len()
        );
    }
}

/// Tokens that are signed with a shared secret, or encrypted, are refused whatever else they are.
fn asks_for_acceptance(test: &Value, keys: &Value) -> bool {
    let symmetric = |key: &Value| key["kty"] == "oct";
    let secret = keys["keys"]
        .as_array()
        .map_or_else(|| symmetric(keys), |keys| keys.iter().all(symmetric));
    test["result"] == "valid" && test["jws"].is_string() && !secret
}

/// The token as received; JSON serialization as text.
fn text_of(test: &Value) -> String {
    let token = test.get("jws").unwrap_or(&test["jwe"]);
    token
        .as_str()
        .map_or_else(|| token.to_string(), str::to_owned)
}

fn key_set(keys: &Value) -> Option<KeySet> {
    let set = if keys.get("keys").is_some() {
        keys.clone()
    } else {
        json!({ "keys": [keys] })
    };
    KeySet::from_members(set.as_object()?).ok()
}

fn accepts(keys: &KeySet, token: &str) -> bool {
    let Ok(signed) = Signed::split(token) else {
        return false;
    };
    let key = keys.key(signed.kid.as_deref(), signed.algorithm);
    key.is_some_and(|key| key.verify(&signed).is_ok())
}
