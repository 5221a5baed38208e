// An answer that nobody reads allows nothing.
#![deny(warnings)]

use toolgate::Authorization;

fn main() {
    may();
}

fn may() -> Authorization {
    Authorization::Deny
}
