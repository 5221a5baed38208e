// A call exists only when a client made one.

use toolgate::prelude::*;

fn forged() -> toolgate::Call {
    toolgate::Call {}
}

fn main() {}
