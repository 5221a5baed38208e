// A permit exists only when the guard has decided.

use toolgate::prelude::*;

fn forged() -> toolgate::Permit {
    toolgate::Permit {}
}

fn main() {}
