//! Conditions beyond scopes: roles, groups, tenants, any claim of the token.
//!
//! No scope helps against a condition, so a denial says nothing about scopes and invites nobody to ask for
//! more: a plain 403.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::principal::VerifiedToken;

/// A condition on the claims of the caller's token, beyond scopes.
///
/// ```
/// use toolgate::{Condition, VerifiedToken};
///
/// const ADMIN: Condition = Condition::claim("/realm_access/roles").contains("admin");
///
/// fn staff_of_contoso() -> Condition {
///     Condition::claim("/tid").is("contoso").and(Condition::claim("/guest").is_true().not())
/// }
///
/// let claims = serde_json::json!({"realm_access": {"roles": ["user", "admin"]}, "tid": "fabrikam"});
/// let token = VerifiedToken::new("https://auth.example.com", "alice")
///     .claims(claims.as_object().unwrap().clone());
/// assert!(ADMIN.holds(&token));
/// assert!(!staff_of_contoso().holds(&token));
/// ```
///
/// A tool names one with `#[mcp_tool(.., policy = ADMIN)]`.
#[derive(Debug, Clone)]
pub struct Condition(Node);

#[derive(Debug, Clone)]
enum Node {
    Claim(&'static str, Test),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

#[derive(Debug, Clone, Copy)]
enum Test {
    Exists,
    IsTrue,
    Is(&'static str),
    Contains(&'static str),
}

/// A claim that a [`Condition`] is about to be stated of.
#[derive(Debug, Clone, Copy)]
#[must_use = "say what is to be true of the claim"]
pub struct Claim(&'static str);

impl Condition {
    /// The claim at `pointer`, a JSON pointer ([RFC 6901]): `/roles`, `/realm_access/roles`,
    /// `/https:~1~1example.com~1roles`. Dots mean nothing.
    ///
    /// [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901
    pub const fn claim(pointer: &'static str) -> Claim {
        Claim(pointer)
    }

    /// Both this and `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Node::All(vec![self, other]))
    }

    /// This, `other`, or both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(Node::Any(vec![self, other]))
    }

    /// The contrary. A claim that is absent satisfies the contrary of anything said about it.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "the third of `and` and `or`")]
    pub fn not(self) -> Self {
        Self(Node::Not(Box::new(self)))
    }

    /// Whether it holds of the claims of `token`.
    #[must_use]
    pub fn holds(&self, token: &VerifiedToken) -> bool {
        match &self.0 {
            Node::Claim(pointer, test) => {
                let value = find(token.all_claims(), pointer);
                match test {
                    Test::Exists => value.is_some_and(|value| !value.is_null()),
                    Test::IsTrue => value == Some(&Value::Bool(true)),
                    Test::Is(text) => value.and_then(Value::as_str) == Some(text),
                    Test::Contains(text) => value
                        .and_then(Value::as_array)
                        .is_some_and(|list| list.iter().any(|item| item.as_str() == Some(text))),
                }
            }
            Node::All(conditions) => conditions.iter().all(|condition| condition.holds(token)),
            Node::Any(conditions) => conditions.iter().any(|condition| condition.holds(token)),
            Node::Not(condition) => !condition.holds(token),
        }
    }

    /// What keeps it from being decided on, if anything does.
    pub(crate) fn mistake(&self) -> Option<String> {
        match &self.0 {
            Node::Claim(pointer, _) if !is_pointer(pointer) => Some(format!(
                "`{}` is not a JSON pointer: write `/`, the name of the claim, and so on; `~1` is `/`, `~0` is `~`",
                pointer.escape_debug()
            )),
            // More scopes must never refuse more, and scopes have a hierarchy.
            Node::Claim(pointer, _)
                if matches!(segments(pointer).next().as_deref(), Some("scope" | "scp")) =>
            {
                Some("scopes are not for conditions: name them in `scopes`".to_owned())
            }
            Node::Claim(..) => None,
            Node::All(conditions) | Node::Any(conditions) => {
                conditions.iter().find_map(Self::mistake)
            }
            Node::Not(condition) => condition.mistake(),
        }
    }
}

impl Claim {
    /// It is there, and is not null.
    #[must_use]
    pub const fn exists(self) -> Condition {
        Condition(Node::Claim(self.0, Test::Exists))
    }

    /// It is `true`.
    #[must_use]
    pub const fn is_true(self) -> Condition {
        Condition(Node::Claim(self.0, Test::IsTrue))
    }

    /// It is exactly this text.
    #[must_use]
    pub const fn is(self, text: &'static str) -> Condition {
        Condition(Node::Claim(self.0, Test::Is(text)))
    }

    /// It is a list, and this text is in it.
    #[must_use]
    pub const fn contains(self, text: &'static str) -> Condition {
        Condition(Node::Claim(self.0, Test::Contains(text)))
    }
}

/// What `policy = ..` may name: a [`Condition`], or a function that makes one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the policy of a tool",
    label = "not a policy",
    note = "name a `const` of type `Condition`, or a `fn() -> Condition`"
)]
pub trait IntoCondition {
    /// The condition.
    fn into_condition(self) -> Condition;
}

impl IntoCondition for Condition {
    fn into_condition(self) -> Condition {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<F: FnOnce() -> Condition> IntoCondition for F {
    fn into_condition(self) -> Condition {
        self()
    }
}

fn is_pointer(pointer: &str) -> bool {
    let escapes = pointer.split('~').skip(1);
    pointer.starts_with('/') && { escapes }.all(|after| after.starts_with(['0', '1']))
}

fn segments(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|segment| {
        if segment.contains('~') {
            segment.replace("~1", "/").replace("~0", "~").into()
        } else {
            segment.into()
        }
    })
}

/// The value at `pointer`: `Value::pointer` from a map on, and without allocating.
fn find<'c>(claims: &'c Map<String, Value>, pointer: &str) -> Option<&'c Value> {
    let mut segments = segments(pointer);
    let first = claims.get(&*segments.next()?)?;
    segments.try_fold(first, |value, segment| match value {
        Value::Object(map) => map.get(&*segment),
        Value::Array(list) => list.get(segment.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(condition: &Condition) -> bool {
        let claims = json!({
            "roles": ["admin", 7], "tid": "contoso", "guest": false, "staff": true, "none": null,
            "realm.access": {"a/b": {"m~n": "x"}}, "list": [{"name": "first"}],
        });
        let token = VerifiedToken::new("i", "s").claims(claims.as_object().unwrap().clone());
        condition.holds(&token)
    }

    #[test]
    fn every_test_of_a_claim() {
        let rows = [
            (Condition::claim("/roles").contains("admin"), true),
            (Condition::claim("/roles").contains("admi"), false),
            (Condition::claim("/roles").contains("Admin"), false),
            (Condition::claim("/tid").contains("contoso"), false),
            (Condition::claim("/tid").is("contoso"), true),
            (Condition::claim("/tid").is("Contoso"), false),
            (Condition::claim("/roles").is("admin"), false),
            (Condition::claim("/roles/0").is("admin"), true),
            (Condition::claim("/roles/2").exists(), false),
            (Condition::claim("/staff").is_true(), true),
            (Condition::claim("/guest").is_true(), false),
            (Condition::claim("/tid").is_true(), false),
            (Condition::claim("/guest").exists(), true),
            (Condition::claim("/none").exists(), false),
            (Condition::claim("/nothing").exists(), false),
            (Condition::claim("/realm.access/a~1b/m~0n").is("x"), true),
            (Condition::claim("/realm/access").exists(), false),
            (Condition::claim("/list/0/name").is("first"), true),
            (Condition::claim("/tid/0").exists(), false),
        ];
        for (condition, expected) in rows {
            assert_eq!(holds(&condition), expected, "{condition:?}");
            assert_eq!(holds(&condition.clone().not()), !expected, "{condition:?}");
        }
    }

    #[test]
    fn conditions_are_combined_as_words_say() {
        let (yes, no) = (
            Condition::claim("/tid").exists(),
            Condition::claim("/nothing").exists(),
        );
        for (a, b, and, or) in [
            (&yes, &yes, true, true),
            (&yes, &no, false, true),
            (&no, &yes, false, true),
            (&no, &no, false, false),
        ] {
            assert_eq!(holds(&a.clone().and(b.clone())), and);
            assert_eq!(holds(&a.clone().or(b.clone())), or);
        }
    }

    #[test]
    fn pointers_are_pointers_and_scopes_are_not_claims() {
        for pointer in [
            "",
            "roles",
            "realm.roles",
            "/a~",
            "/a~2",
            "/scope",
            "/scp/0",
        ] {
            let condition = Condition::claim(pointer).exists();
            assert!(condition.mistake().is_some(), "{pointer}");
            let nested = Condition::claim("/a").exists().and(condition.not());
            assert!(nested.mistake().is_some(), "{pointer}");
        }
        for pointer in ["/", "/roles", "/a~0~1/0", "/scopes"] {
            assert_eq!(Condition::claim(pointer).exists().mistake(), None);
        }
    }
}
