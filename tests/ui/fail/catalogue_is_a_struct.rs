// Scopes are alternatives: an enum.

use toolgate::prelude::*;

#[derive(Scopes)]
struct Scope;

fn main() {
    let _ = Scope;
}
