//! Nonces without memory: a MAC over the time, in steps ([RFC 9449 §9]).
//!
//! Everybody gets the same nonce during one step; it is good in that step and the next. What a nonce shows
//! is that a proof was not made before the step began, whatever the client's clock says. That a proof is
//! used once is the replay store's to see.
//!
//! [RFC 9449 §9]: https://www.rfc-editor.org/rfc/rfc9449#section-9

use std::time::Duration;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    error::Unspecified,
    hmac::{self, HMAC_SHA256},
    rand::SystemRandom,
};

use super::digest::encode;

pub(super) struct Nonces {
    key: hmac::Key,
    step: u64,
}

impl Nonces {
    /// With `key`, or a random one that no other process knows.
    pub(super) fn new(key: Option<&[u8; 32]>, step: Duration) -> Result<Self, Unspecified> {
        let key = match key {
            Some(key) => hmac::Key::new(HMAC_SHA256, key),
            None => hmac::Key::generate(HMAC_SHA256, &SystemRandom::new())?,
        };
        Ok(Self {
            key,
            step: step.as_secs().max(1),
        })
    }

    /// The nonce to hand out at `now`, in Unix seconds.
    pub(super) fn current(&self, now: u64) -> String {
        self.of(self.number(now))
    }

    /// Whether `nonce` is that of this step or the one before.
    pub(super) fn accepts(&self, nonce: &str, now: u64) -> bool {
        let number = self.number(now);
        [Some(number), number.checked_sub(1)]
            .into_iter()
            .flatten()
            .any(|number| {
                verify_slices_are_equal(self.of(number).as_bytes(), nonce.as_bytes()).is_ok()
            })
    }

    fn number(&self, now: u64) -> u64 {
        now.checked_div(self.step).unwrap_or_default()
    }

    fn of(&self, number: u64) -> String {
        let message = [&b"toolgate dpop nonce"[..], &number.to_be_bytes()].concat();
        encode(hmac::sign(&self.key, &message).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_in_its_step_and_the_next_and_for_its_key_only() {
        let step = Duration::from_secs(60);
        let nonces = Nonces::new(None, step).unwrap();
        let nonce = nonces.current(6000);
        assert_eq!(nonce, nonces.current(6059));
        assert_ne!(nonce, nonces.current(6060));
        for (now, expected) in [
            (0, false),
            (5999, false),
            (6000, true),
            (6059, true),
            (6119, true),
            (6120, false),
            (u64::MAX, false),
        ] {
            assert_eq!(nonces.accepts(&nonce, now), expected, "{now}");
        }
        for other in ["", "x", &nonce[1..], &nonce.to_lowercase()] {
            assert!(!nonces.accepts(other, 6000), "{other}");
        }
        let (one, two) = (
            Nonces::new(Some(&[7; 32]), step).unwrap(),
            Nonces::new(Some(&[7; 32]), step).unwrap(),
        );
        assert!(two.accepts(&one.current(6000), 6000), "a shared key");
        assert!(!nonces.accepts(&one.current(6000), 6000));
    }
}
