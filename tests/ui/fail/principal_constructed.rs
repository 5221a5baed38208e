// A principal exists only for a checked token.

use toolgate::prelude::*;

fn forged() -> Principal {
    Principal { subject: "admin".to_owned() }
}

fn cloned_from_nothing() -> Principal {
    Principal::default()
}

fn main() {}
