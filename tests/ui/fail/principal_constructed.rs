// A principal exists only for a checked token.

use toolgate::prelude::*;

fn forged() -> Principal {
    Principal(std::sync::Arc::default())
}

fn main() {}
