// A catalogue of nothing would refuse every literal.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {}

fn main() {}
