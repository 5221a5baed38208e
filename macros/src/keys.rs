//! The keys of `#[mcp_tool(..)]`, and what people write instead of them.

use proc_macro2::Ident;

/// Each key with an example of it.
const KEYS: [(&str, &str); 11] = [
    ("scopes", "scopes = \"...\""),
    ("authenticated", "authenticated"),
    ("public", "public"),
    ("name", "name = \"...\""),
    ("title", "title = \"...\""),
    ("acr", "acr = \"...\""),
    ("max_age", "max_age = 300"),
    ("policy", "policy = path::to::CONDITION"),
    ("authorize", "authorize = path::to::function"),
    ("list", "list = \"hide\""),
    ("crate", "crate = path::to::toolgate"),
];

/// What other libraries call our keys.
const FOREIGN: [(&str, &[&str]); 10] = [
    ("scopes", &["requires", "required_scopes", "permissions"]),
    ("authenticated", &["auth", "login", "protected"]),
    ("public", &["anonymous", "allow_anonymous", "anyone"]),
    ("name", &["rename", "id"]),
    ("acr", &["acr_values", "assurance"]),
    ("max_age", &["auth_time", "maxage", "max_auth_age"]),
    (
        "policy",
        &["condition", "role", "roles", "claims", "tenant"],
    ),
    ("authorize", &["guard", "check", "authorizer"]),
    ("list", &["hide", "hidden", "conceal", "visibility"]),
    ("crate", &["krate", "crate_path"]),
];

/// How `key` is written.
pub(crate) fn example(key: &Ident) -> &'static str {
    KEYS.iter()
        .find(|(name, _)| key == name)
        .map_or("", |(_, example)| example)
}

/// All keys, for a message.
pub(crate) fn list() -> String {
    KEYS.map(|(key, _)| format!("`{key}`")).join(", ")
}

/// The key that `text` was probably meant to be, with an example of it.
pub(crate) fn meant_by(text: &str) -> Option<(&'static str, &'static str)> {
    let text = text.to_ascii_lowercase();
    let foreign = FOREIGN
        .iter()
        .find(|(_, names)| names.contains(&text.as_str()))
        .map(|&(key, _)| key);
    let misspelt = |key: &str| distance(key, &text) <= key.len() / 3 || swapped(key, &text);
    KEYS.into_iter()
        .find(|(key, _)| Some(*key) == foreign)
        .or_else(|| {
            KEYS.into_iter()
                .filter(|(key, _)| misspelt(key))
                .min_by_key(|(key, _)| distance(key, &text))
        })
}

/// Which of `names` `text` was probably meant to be.
pub(crate) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names
        .into_iter()
        .filter(|name| distance(name, text) <= name.len() / 3 || swapped(name, text))
        .min_by_key(|name| distance(name, text))
}

/// Whether `a` and `b` are the same letters in another order.
fn swapped(a: &str, b: &str) -> bool {
    let [mut a, mut b] = [a, b].map(|text| text.as_bytes().to_vec());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

/// The number of letters to insert, remove or replace to make `a` out of `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
