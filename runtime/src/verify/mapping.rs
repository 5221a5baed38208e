//! What issuers call things: where scopes, roles and the tenant are in their tokens, as data.
//!
//! Standard tokens need none of this ([RFC 9068 §2.2.3]: `scope` is a string). Widespread issuers differ,
//! and each difference is switched on by name, for one issuer, so that no token can choose how it is read.
//!
//! What this does not do: turn roles or groups into scopes, unless a [`ScopeClaim::Pointer`] says so
//! ([RFC 9068 §2.2.3.1]).
//!
//! [RFC 9068 §2.2.3]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3
//! [RFC 9068 §2.2.3.1]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3.1

use serde_json::{Map, Value};

use super::{builder::VerifierConfigError, token::InvalidToken};
use crate::declare::scope::ScopeName;

/// The most scopes, and the most roles, a token may carry.
const MAX: usize = 256;
/// The longest role or tenant, in characters.
const MAX_NAME: usize = 255;

/// Where an issuer puts the granted scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeClaim {
    /// `scope`, a string of scopes with spaces between them (RFC 9068 §2.2.3, RFC 7662 §2.2).
    Scope,
    /// `scope`, the string or an array of scopes, as Spring Authorization Server and Duende write it.
    ScopeOrArray,
    /// `scp`, a string (Entra ID) or an array (Okta).
    Scp,
    /// `permissions`, an array (Auth0 with RBAC).
    Permissions,
    /// A string or an array at a JSON Pointer (RFC 6901). With `/roles` an issuer's roles become scopes: only
    /// where roles are meant as permissions for this server, as the app roles of Entra ID are.
    Pointer(String),
}

/// How one issuer's claims are read.
///
/// ```
/// use toolgate::{ClaimMapping, JwtVerifier, ScopeClaim};
///
/// // Keycloak: realm roles are nested.
/// let keycloak = ClaimMapping::new().roles_at("/realm_access/roles");
/// // Entra ID: clients ask for `api://notes/read`, tokens say `read`.
/// let entra = ClaimMapping::new()
///     .scopes_from([ScopeClaim::Scp])
///     .scope_prefix("api://notes/")
///     .roles_at("/roles")
///     .tenant_at("/tid");
///
/// let verifier = JwtVerifier::new("https://login.example.com/t1/v2.0", "https://notes.example.com/mcp")
///     .claims(entra)
///     .build()?;
/// # let _ = keycloak;
/// # Ok::<(), toolgate::VerifierConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ClaimMapping {
    scopes: Vec<ScopeClaim>,
    strip: Option<String>,
    prefix: Option<String>,
    roles: Vec<String>,
    tenant: Option<String>,
}

impl ClaimMapping {
    /// The default: scopes from `scope`, or, when that is absent, from `scp`; no roles, no tenant.
    pub fn new() -> Self {
        Self {
            scopes: vec![ScopeClaim::Scope, ScopeClaim::Scp],
            strip: None,
            prefix: None,
            roles: Vec::new(),
            tenant: None,
        }
    }

    /// Where the scopes are: the first of these that a token has counts. The others must still be of the
    /// right type when they are there.
    pub fn scopes_from(mut self, claims: impl IntoIterator<Item = ScopeClaim>) -> Self {
        self.scopes = claims.into_iter().collect();
        self
    }

    /// For issuers whose tokens leave out what clients have to ask with: clients ask for `api://notes/read`,
    /// tokens say `read`. Tools then declare the form that is asked for, because challenges and
    /// `scopes_supported` tell it to clients, and a token's `read` counts as `api://notes/read` and as
    /// nothing else. A scope that begins with `prefix` already is left as it is.
    pub fn scope_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// For issuers whose tokens hold the long form while tools declare the short one: a token's
    /// `api://notes/read` counts as `read`. A scope without `prefix` then counts as nothing: it is a
    /// permission for somebody else.
    pub fn strip_scope_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.strip = Some(prefix.into());
        self
    }

    /// Where roles or groups are: a string or an array of strings at a JSON Pointer (RFC 6901), for example
    /// `/realm_access/roles`. May be given more than once. They end up in
    /// [`Principal::roles`](crate::Principal::roles) and are never scopes.
    pub fn roles_at(mut self, pointer: impl Into<String>) -> Self {
        self.roles.push(pointer.into());
        self
    }

    /// Where the tenant is: a string at a JSON Pointer, for example `/tid`. A token without it is refused.
    /// It ends up in [`Principal::tenant`](crate::Principal::tenant).
    pub fn tenant_at(mut self, pointer: impl Into<String>) -> Self {
        self.tenant = Some(pointer.into());
        self
    }

    pub(crate) fn check(&self) -> Result<(), VerifierConfigError> {
        let scopes = self.scopes.iter().filter_map(|claim| match claim {
            ScopeClaim::Pointer(pointer) => Some(pointer),
            _ => None,
        });
        let pointers = scopes.chain(&self.roles).chain(&self.tenant);
        let bad = |pointer: &&String| {
            let escapes = pointer.split('~').skip(1);
            !pointer.starts_with('/') || !escapes.into_iter().all(|e| e.starts_with(['0', '1']))
        };
        match pointers.into_iter().find(bad) {
            None => Ok(()),
            Some(pointer) => Err(VerifierConfigError::Pointer {
                pointer: pointer.clone(),
            }),
        }
    }

    /// The granted scopes.
    pub(crate) fn scopes(
        &self,
        claims: &Map<String, Value>,
    ) -> Result<Vec<ScopeName>, InvalidToken> {
        let mut granted = None;
        for claim in &self.scopes {
            // Each is read, so that what is there has the right type.
            let found = claim.read(claims)?;
            granted = granted.or(found);
        }
        let granted = granted.unwrap_or_default().into_iter();
        let named = granted.filter_map(|scope| match (&self.strip, &self.prefix) {
            (Some(strip), _) => scope.as_str().strip_prefix(strip.as_str()).map(name),
            (None, Some(prefix)) if !scope.as_str().starts_with(prefix.as_str()) => {
                Some(name(&format!("{prefix}{scope}")))
            }
            (None, _) => Some(Ok(scope)),
        });
        named.collect()
    }

    /// The roles, each once, in the order of the token.
    pub(crate) fn roles(&self, claims: &Map<String, Value>) -> Result<Vec<String>, InvalidToken> {
        const BAD: InvalidToken = InvalidToken::Claim("roles");
        let mut roles = Vec::new();
        for pointer in &self.roles {
            let found = match at(claims, pointer) {
                None => continue,
                Some(Value::Array(list)) => list.iter().map(Value::as_str).collect(),
                Some(value) => value.as_str().map(|role| vec![role]),
            };
            for role in found.ok_or(BAD)? {
                if !is_name(role) || roles.len() >= MAX {
                    return Err(BAD);
                }
                if !roles.iter().any(|known| known == role) {
                    roles.push(role.to_owned());
                }
            }
        }
        Ok(roles)
    }

    /// The tenant. Mandatory where the mapping names a place for it.
    pub(crate) fn tenant(
        &self,
        claims: &Map<String, Value>,
    ) -> Result<Option<String>, InvalidToken> {
        let Some(pointer) = &self.tenant else {
            return Ok(None);
        };
        match at(claims, pointer) {
            Some(Value::String(tenant)) if is_name(tenant) => Ok(Some(tenant.clone())),
            _ => Err(InvalidToken::Claim("tenant")),
        }
    }
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self::new()
    }
}

impl ScopeClaim {
    /// `None` when the claim is absent.
    fn read(&self, claims: &Map<String, Value>) -> Result<Option<Vec<ScopeName>>, InvalidToken> {
        let (label, value, string, array) = match self {
            Self::Scope => ("scope", claims.get("scope"), true, false),
            Self::ScopeOrArray => ("scope", claims.get("scope"), true, true),
            Self::Scp => ("scp", claims.get("scp"), true, true),
            Self::Permissions => ("permissions", claims.get("permissions"), false, true),
            Self::Pointer(pointer) => ("scopes", at(claims, pointer), true, true),
        };
        let bad = InvalidToken::Claim(label);
        match value {
            None => Ok(None),
            Some(Value::String(text)) if string => list(label, text.split(' ')).map(Some),
            Some(Value::Array(elements)) if array => {
                let elements: Option<Vec<&str>> = elements.iter().map(Value::as_str).collect();
                list(label, elements.ok_or(bad)?).map(Some)
            }
            Some(_) => Err(bad),
        }
    }
}

/// Only a space separates (RFC 6749 §3.3); any other white space is no scope character.
fn list<'a>(
    claim: &'static str,
    scopes: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<ScopeName>, InvalidToken> {
    let mut list = Vec::new();
    for scope in scopes.into_iter().filter(|scope| !scope.is_empty()) {
        if list.len() >= MAX {
            return Err(InvalidToken::Claim(claim));
        }
        list.push(ScopeName::new(scope.to_owned()).map_err(|_| InvalidToken::Claim(claim))?);
    }
    Ok(list)
}

fn name(scope: &str) -> Result<ScopeName, InvalidToken> {
    ScopeName::new(scope.to_owned()).map_err(|_| InvalidToken::Claim("scope"))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().nth(MAX_NAME).is_none() && !text.chars().any(char::is_control)
}

/// The value at a JSON Pointer (RFC 6901 §4), through objects and arrays.
fn at<'a>(claims: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let pointer = pointer.strip_prefix('/')?;
    let (first, rest) = match pointer.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (pointer, None),
    };
    let first = first.replace("~1", "/").replace("~0", "~");
    let value = claims.get(&first)?;
    match rest {
        None => Some(value),
        Some(rest) => value.pointer(&format!("/{rest}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scopes(mapping: &ClaimMapping, claims: &Value) -> Result<Vec<String>, InvalidToken> {
        let scopes = mapping.scopes(claims.as_object().unwrap())?;
        Ok(scopes.iter().map(ToString::to_string).collect())
    }

    fn from(claims: impl IntoIterator<Item = ScopeClaim>) -> ClaimMapping {
        ClaimMapping::new().scopes_from(claims)
    }

    #[test]
    fn scopes_are_read_from_where_the_mapping_says_and_from_nowhere_else() {
        use ScopeClaim::{Permissions, Pointer, Scope, ScopeOrArray, Scp};
        let standard = ClaimMapping::new();
        let both = json!({"scope": "a b", "scp": ["c"], "permissions": ["d"], "x": {"y": ["e"]}});
        for (mapping, expected) in [
            (&standard, vec!["a", "b"]),
            (&from([Scope]), vec!["a", "b"]),
            (&from([Scp]), vec!["c"]),
            (&from([Scp, Scope]), vec!["c"]),
            (&from([Permissions]), vec!["d"]),
            (&from([Pointer("/x/y".into())]), vec!["e"]),
            (&from([Pointer("/x/z".into()), Scope]), vec!["a", "b"]),
            (&from([]), vec![]),
        ] {
            assert_eq!(scopes(mapping, &both).unwrap(), expected, "{mapping:?}");
        }
        let array = json!({"scope": ["a", "b"]});
        assert_eq!(
            scopes(&standard, &array),
            Err(InvalidToken::Claim("scope")),
            "an array only when asked for"
        );
        assert_eq!(scopes(&from([ScopeOrArray]), &array).unwrap(), ["a", "b"]);
        assert_eq!(
            scopes(&from([Scope]), &json!({"scp": "a", "permissions": ["b"]})).unwrap(),
            [""; 0]
        );
        for (mapping, claims, label) in [
            (
                from([Permissions]),
                json!({"permissions": "a"}),
                "permissions",
            ),
            (from([ScopeOrArray]), json!({"scope": [1]}), "scope"),
            (from([ScopeOrArray]), json!({"scope": ["a b"]}), "scope"),
            (from([Scope, Scp]), json!({"scope": "a", "scp": {}}), "scp"),
            (from([Pointer("/x".into())]), json!({"x": 1}), "scopes"),
        ] {
            let refused = scopes(&mapping, &claims);
            assert_eq!(refused, Err(InvalidToken::Claim(label)), "{claims}");
        }
    }

    #[test]
    fn a_prefix_belongs_to_the_form_that_is_asked_for() {
        let claims = json!({"scope": "read api://notes/write api://other/read"});
        let long = ClaimMapping::new().scope_prefix("api://notes/");
        assert_eq!(
            scopes(&long, &claims).unwrap(),
            [
                "api://notes/read",
                "api://notes/write",
                "api://notes/api://other/read"
            ],
            "nothing counts under its bare name"
        );
        let short = ClaimMapping::new().strip_scope_prefix("api://notes/");
        assert_eq!(
            scopes(&short, &claims).unwrap(),
            ["write"],
            "a bare name and another server's are nobody's here"
        );
        assert!(scopes(&short, &json!({"scope": "api://notes/"})).is_err());
    }

    #[test]
    fn roles_come_from_pointers_and_are_never_scopes() {
        let claims = json!({
            "realm_access": {"roles": ["admin", "user", "admin"]}, "groups": "staff",
            "roles": ["x"], "a/b": {"c~d": ["deep"]},
        });
        let of = |pointers: &[&str]| {
            let mapping = ClaimMapping::new();
            let mapping = pointers.iter().fold(mapping, |m, p| m.roles_at(*p));
            mapping.check().unwrap();
            assert_eq!(scopes(&mapping, &claims).unwrap(), [""; 0]);
            mapping.roles(claims.as_object().unwrap())
        };
        assert_eq!(of(&[]).unwrap(), [""; 0]);
        assert_eq!(
            of(&["/realm_access/roles", "/groups", "/absent/x"]).unwrap(),
            ["admin", "user", "staff"]
        );
        assert_eq!(of(&["/a~1b/c~0d"]).unwrap(), ["deep"]);
        assert_eq!(of(&["/realm_access"]), Err(InvalidToken::Claim("roles")));
        let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
        for bad in [
            json!([1]),
            json!([""]),
            json!("a\nb"),
            json!(null),
            json!(many),
        ] {
            let claims = json!({ "roles": bad });
            let mapping = ClaimMapping::new().roles_at("/roles");
            let refused = mapping.roles(claims.as_object().unwrap());
            assert_eq!(refused, Err(InvalidToken::Claim("roles")), "{claims}");
        }
    }

    #[test]
    fn a_tenant_is_a_string_where_one_is_demanded() {
        let mapping = ClaimMapping::new().tenant_at("/tid");
        let tenant = |claims: Value| mapping.tenant(claims.as_object().unwrap());
        assert_eq!(tenant(json!({"tid": "t1"})), Ok(Some("t1".into())));
        for bad in [
            json!({}),
            json!({"tid": 1}),
            json!({"tid": ""}),
            json!({"tid": "a\u{0}"}),
        ] {
            assert_eq!(tenant(bad), Err(InvalidToken::Claim("tenant")));
        }
        let none = ClaimMapping::new().tenant(json!({"tid": 1}).as_object().unwrap());
        assert_eq!(none, Ok(None));
    }

    #[test]
    fn what_is_no_pointer_is_a_mistake_of_configuration() {
        for bad in ["", "roles", "$.roles", "/a~2b", "/a~"] {
            let mistakes = [
                ClaimMapping::new().roles_at(bad),
                ClaimMapping::new().tenant_at(bad),
                from([ScopeClaim::Pointer(bad.into())]),
            ];
            for mapping in mistakes {
                assert!(matches!(
                    mapping.check(),
                    Err(VerifierConfigError::Pointer { pointer }) if pointer == bad
                ));
            }
        }
    }
}
