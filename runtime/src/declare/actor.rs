//! Delegation as a token tells it ([RFC 8693 §4.1, §4.4]): data, never a permission.
//!
//! [RFC 8693 §4.1, §4.4]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1

#[cfg(any(feature = "verify", test))]
use serde_json::{Map, Value};

/// The longest chain of actors that is read.
#[cfg(any(feature = "verify", test))]
const MAX_DEPTH: usize = 8;
/// The longest name, in characters.
#[cfg(any(feature = "verify", test))]
const MAX_NAME: usize = 255;

/// A party that acts, acted or may act for the subject of a token, as the issuer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    subject: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
}

impl Actor {
    /// The actor's `sub`. Unique within its issuer only.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Who names the actor (`iss`), where that is not the issuer of the token.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The OAuth client that the actor is (`client_id`).
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    #[cfg(any(feature = "verify", test))]
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let name = |claim: &str| match members.get(claim) {
            None => Some(None),
            Some(Value::String(text))
                if !text.is_empty()
                    && text.chars().nth(MAX_NAME).is_none()
                    && !text.chars().any(char::is_control) =>
            {
                Some(Some(text.clone()))
            }
            Some(_) => None,
        };
        let actor = Self {
            subject: name("sub")?,
            issuer: name("iss")?,
            client_id: name("client_id")?,
        };
        // Somebody who has no name cannot be told from anybody else.
        (actor.subject.is_some() || actor.client_id.is_some()).then_some(actor)
    }
}

/// The actors in `act`, outermost first; empty without `act`. `None` when it cannot be read.
#[cfg(any(feature = "verify", test))]
pub(crate) fn chain(claims: &Map<String, Value>) -> Option<Vec<Actor>> {
    let mut actors = Vec::new();
    let mut next = claims.get("act");
    while let Some(act) = next {
        if actors.len() >= MAX_DEPTH {
            return None;
        }
        let members = act.as_object()?;
        actors.push(Actor::read(members)?);
        next = members.get("act");
    }
    Some(actors)
}

/// The actor in `may_act`, if there is one. `None` when it cannot be read.
#[cfg(any(feature = "verify", test))]
#[allow(clippy::option_option, reason = "absent is not unreadable")]
pub(crate) fn may_act(claims: &Map<String, Value>) -> Option<Option<Actor>> {
    match claims.get("may_act") {
        None => Some(None),
        Some(value) => Actor::read(value.as_object()?).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: &Value) -> Option<Vec<Actor>> {
        chain(claims.as_object().unwrap())
    }

    #[test]
    fn the_current_actor_comes_first_and_earlier_ones_after_it() {
        let claims = json!({"sub": "alice", "act": {
            "sub": "https://service77.example.com",
            "act": {"sub": "service16", "iss": "https://as.example", "client_id": "c"},
        }});
        let actors = read(&claims).unwrap();
        assert_eq!(actors.len(), 2);
        assert_eq!(actors[0].subject(), Some("https://service77.example.com"));
        assert_eq!(actors[0].issuer(), None);
        assert_eq!(actors[1].subject(), Some("service16"));
        assert_eq!(actors[1].issuer(), Some("https://as.example"));
        assert_eq!(actors[1].client_id(), Some("c"));
        assert_eq!(read(&json!({})), Some(vec![]));
    }

    #[test]
    fn a_chain_that_cannot_be_read_is_not_taken_for_none() {
        let deep = |n: usize| {
            (1..n).fold(
                json!({"sub": "a"}),
                |act, _| json!({"sub": "a", "act": act}),
            )
        };
        assert_eq!(read(&json!({"act": deep(8)})).unwrap().len(), 8);
        for bad in [
            deep(9),
            json!("alice"),
            json!(null),
            json!([]),
            json!({}),
            json!({"sub": 1}),
            json!({"sub": ""}),
            json!({"sub": "a\nb"}),
            json!({"sub": "a".repeat(256)}),
            json!({"iss": "https://as.example"}),
            json!({"sub": "a", "client_id": []}),
            json!({"sub": "a", "act": {}}),
            json!({"sub": "a", "act": null}),
        ] {
            assert_eq!(read(&json!({ "act": bad })), None, "{bad}");
        }
    }

    #[test]
    fn may_act_names_one_party_and_is_no_actor() {
        let claims = json!({"may_act": {"sub": "admin@example.com"}});
        let claims = claims.as_object().unwrap();
        let may = may_act(claims).unwrap().unwrap();
        assert_eq!(may.subject(), Some("admin@example.com"));
        assert_eq!(chain(claims), Some(vec![]));
        assert_eq!(may_act(&Map::new()), Some(None));
        assert_eq!(may_act(json!({"may_act": "x"}).as_object().unwrap()), None);
    }
}
