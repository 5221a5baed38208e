// A principal exists only for a checked token: nobody is not a principal.

use toolgate::prelude::*;

fn forged() -> Principal {
    Principal::default()
}

fn main() {}
