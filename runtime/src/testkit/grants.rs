//! Codes and refresh tokens: what a user agreed to, until it is an access token.

use std::time::{Duration, Instant};

use super::{
    client::Client,
    expiring::ExpiringMap,
    random,
    refusal::Refusal,
    store::{Authorization, LIMIT},
};
use crate::declare::scope::ScopeName;

/// How long a code can be redeemed.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// How long a code is remembered, so that a second use of it is noticed.
const CODE_MEMORY: Duration = Duration::from_secs(60 * 60);
const REFRESH_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What a user agreed to.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) subject: String,
    pub(super) scopes: Vec<ScopeName>,
    pub(super) resource: String,
}

struct Code {
    authorization: Authorization,
    subject: String,
    issued: Instant,
    spent: bool,
    family: Option<String>,
}

/// The refresh tokens that came from one code. Only the last one is good.
struct Family {
    grant: Grant,
    secret: String,
    /// The DPoP key of a public client (RFC 9449 §5): nothing else tells it from a thief.
    key: Option<String>,
}

/// What the client brings along with a code.
pub(super) struct Redemption<'a> {
    pub(super) code: &'a str,
    pub(super) client: &'a Client,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) verifier: &'a str,
    pub(super) resource: Option<&'a str>,
    /// The thumbprint of the key that the client has proven to hold.
    pub(super) key: Option<&'a str>,
}

/// The codes and refresh tokens that were issued.
pub(super) struct Grants {
    codes: ExpiringMap<Code>,
    families: ExpiringMap<Family>,
}

impl Grants {
    pub(super) fn new() -> Self {
        Self {
            codes: ExpiringMap::new(LIMIT),
            families: ExpiringMap::new(LIMIT),
        }
    }

    pub(super) fn issue_code(
        &mut self,
        authorization: Authorization,
        subject: &str,
        now: Instant,
    ) -> Result<String, Refusal> {
        let name = random::token();
        let code = Code {
            authorization,
            subject: subject.to_owned(),
            issued: now,
            spent: false,
            family: None,
        };
        self.codes.insert(name.clone(), code, CODE_MEMORY, now)?;
        Ok(name)
    }

    /// Turns a code into what was granted, and into a refresh token where the client may have one.
    ///
    /// A second use of a code means that somebody else holds it: the refresh tokens that came from it are
    /// revoked (OAuth 2.1 §4.1.3). A redemption that fails leaves the code as it was.
    pub(super) fn redeem(
        &mut self,
        with: &Redemption<'_>,
        now: Instant,
    ) -> Result<(Grant, Option<String>), Refusal> {
        const UNKNOWN: Refusal = Refusal::invalid_grant("the code is unknown, expired or spent");
        let code = self.codes.get_mut(with.code, now).ok_or(UNKNOWN)?;
        let asked = &code.authorization;
        if asked.client.id != with.client.id {
            return Err(UNKNOWN);
        }
        if code.spent {
            if let Some(family) = code.family.take() {
                self.families.remove(&family, now);
            }
            return Err(UNKNOWN);
        }
        if now.duration_since(code.issued) >= CODE_LIFETIME {
            return Err(UNKNOWN);
        }
        // OAuth 2.1 clients may leave `redirect_uri` out, PKCE does its work; a wrong one is still wrong.
        if with
            .redirect_uri
            .is_some_and(|uri| uri != asked.redirect_uri)
        {
            return Err(Refusal::invalid_grant(
                "`redirect_uri` is not that of the authorization request",
            ));
        }
        if !random::same(&random::s256(with.verifier), &asked.challenge) {
            return Err(Refusal::invalid_grant(
                "`code_verifier` does not belong to the code",
            ));
        }
        if asked.key.is_some() && asked.key.as_deref() != with.key {
            return Err(Refusal::invalid_grant(
                "the code is bound to another DPoP key",
            ));
        }
        refuse_foreign_resource(with.resource, &asked.resource)?;

        let grant = Grant {
            client_id: asked.client.id.clone(),
            subject: code.subject.clone(),
            scopes: asked.scopes.clone(),
            resource: asked.resource.clone(),
        };
        let offline = grant
            .scopes
            .iter()
            .any(|scope| scope.as_str() == "offline_access");
        let mut refresh_token = None;
        if asked.client.wants_refresh() || offline {
            let (family, secret) = (random::token(), random::token());
            refresh_token = Some(format!("{family}.{secret}"));
            let refresh = Family {
                grant: grant.clone(),
                secret,
                key: with
                    .key
                    .filter(|_| with.client.secret.is_none())
                    .map(str::to_owned),
            };
            self.families
                .insert(family.clone(), refresh, REFRESH_LIFETIME, now)?;
            code.family = Some(family);
        }
        code.spent = true;
        Ok((grant, refresh_token))
    }

    /// Turns a refresh token into what was granted, narrowed to `scopes`, and into the next refresh token.
    ///
    /// A token that was already used means that two parties hold it: the whole family is revoked
    /// (OAuth 2.1 §4.3.1).
    pub(super) fn refresh(
        &mut self,
        token: &str,
        client: &Client,
        scopes: Option<Vec<ScopeName>>,
        resource: Option<&str>,
        key: Option<&str>,
        now: Instant,
    ) -> Result<(Grant, String), Refusal> {
        const UNKNOWN: Refusal =
            Refusal::invalid_grant("the refresh token is unknown, expired or revoked");
        let (name, secret) = token.split_once('.').ok_or(UNKNOWN)?;
        let family = self
            .families
            .get_mut(name, now)
            .filter(|family| family.grant.client_id == client.id)
            .ok_or(UNKNOWN)?;
        if !random::same(secret, &family.secret) {
            self.families.remove(name, now);
            return Err(UNKNOWN);
        }
        if family.key.is_some() && family.key.as_deref() != key {
            return Err(Refusal::invalid_grant(
                "the refresh token is bound to another DPoP key",
            ));
        }
        refuse_foreign_resource(resource, &family.grant.resource)?;
        let mut grant = family.grant.clone();
        if let Some(scopes) = scopes {
            if !scopes.iter().all(|scope| grant.scopes.contains(scope)) {
                return Err(Refusal::invalid_scope(
                    "a refresh cannot widen what the user agreed to",
                ));
            }
            grant.scopes = scopes;
        }
        // The next refresh token stands for all that was granted, also after a narrow one (RFC 6749 §6).
        family.secret = random::token();
        Ok((grant, format!("{name}.{}", family.secret)))
    }

    /// Ends the refresh tokens that came from one code, if `token` is the last of them and `client`'s own.
    pub(super) fn revoke(&mut self, token: &str, client: &str, now: Instant) {
        let Some((name, secret)) = token.split_once('.') else {
            return;
        };
        let theirs = self.families.get_mut(name, now).is_some_and(|family| {
            family.grant.client_id == client && random::same(secret, &family.secret)
        });
        if theirs {
            self.families.remove(name, now);
        }
    }
}

fn refuse_foreign_resource(asked: Option<&str>, granted: &str) -> Result<(), Refusal> {
    match asked {
        Some(resource) if resource != granted => Err(Refusal::invalid_target(
            "`resource` is not that of the authorization request",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use std::sync::Arc;

    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn grants() -> (Grants, Arc<Client>) {
        let metadata = json!({
            "redirect_uris": ["http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let client = Client {
            id: "c".to_owned(),
            metadata: serde_json::from_value(metadata).unwrap(),
            secret: None,
            from_document: false,
        };
        (Grants::new(), Arc::new(client))
    }

    fn code(grants: &mut Grants, client: &Arc<Client>, now: Instant) -> String {
        let authorization = Authorization {
            client: Arc::clone(client),
            redirect_uri: "http://127.0.0.1/cb".to_owned(),
            state: None,
            scopes: vec![
                ScopeName::new("read").unwrap(),
                ScopeName::new("write").unwrap(),
            ],
            resource: "http://127.0.0.1:3000/mcp".to_owned(),
            challenge: random::s256(VERIFIER),
            key: None,
        };
        grants.issue_code(authorization, "alice", now).unwrap()
    }

    fn redemption<'a>(code: &'a str, client: &'a Client) -> Redemption<'a> {
        Redemption {
            code,
            client,
            redirect_uri: None,
            verifier: VERIFIER,
            resource: None,
            key: None,
        }
    }

    #[test]
    fn a_code_ends_after_a_minute() {
        let (mut grants, client) = grants();
        let now = Instant::now();
        let code = code(&mut grants, &client, now);
        let refused = grants
            .redeem(&redemption(&code, &client), now + CODE_LIFETIME)
            .err()
            .unwrap();
        assert_eq!(refused.error, "invalid_grant");
        let almost = now + CODE_LIFETIME - Duration::from_millis(1);
        assert!(grants.redeem(&redemption(&code, &client), almost).is_ok());
    }

    #[test]
    fn a_second_use_of_a_code_is_noticed_long_after_it_expired_and_revokes_its_refresh_token() {
        let (mut grants, client) = grants();
        let now = Instant::now();
        let code = code(&mut grants, &client, now);
        let (_, refresh) = grants.redeem(&redemption(&code, &client), now).unwrap();
        let later = now + CODE_LIFETIME * 30;
        assert!(grants.redeem(&redemption(&code, &client), later).is_err());
        assert!(
            grants
                .refresh(&refresh.unwrap(), &client, None, None, None, later)
                .is_err()
        );
    }

    #[test]
    fn a_failed_redemption_leaves_the_code_to_its_owner() {
        let (mut grants, client) = grants();
        let now = Instant::now();
        let code = code(&mut grants, &client, now);
        let wrong = Redemption {
            verifier: "wrong",
            ..redemption(&code, &client)
        };
        assert!(grants.redeem(&wrong, now).is_err());
        assert!(grants.redeem(&redemption(&code, &client), now).is_ok());
    }

    #[test]
    fn a_refresh_token_ends_after_a_day_and_a_narrow_refresh_keeps_the_whole_grant() {
        let (mut grants, client) = grants();
        let now = Instant::now();
        let code = code(&mut grants, &client, now);
        let (_, refresh) = grants.redeem(&redemption(&code, &client), now).unwrap();
        let narrow = Some(vec![ScopeName::new("read").unwrap()]);
        let (grant, next) = grants
            .refresh(&refresh.unwrap(), &client, narrow, None, None, now)
            .unwrap();
        assert_eq!(grant.scopes.len(), 1);
        let (grant, last) = grants
            .refresh(&next, &client, None, None, None, now)
            .unwrap();
        assert_eq!(grant.scopes.len(), 2);
        assert!(
            grants
                .refresh(&last, &client, None, None, None, now + REFRESH_LIFETIME)
                .is_err()
        );
    }
}
