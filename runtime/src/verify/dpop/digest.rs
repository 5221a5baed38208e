//! SHA-256 as confirmations and proofs spell it: in base64url.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

pub(crate) fn encode(digest: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest)
}
