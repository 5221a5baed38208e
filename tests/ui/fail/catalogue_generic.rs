// There is one catalogue, not one for each type.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope<const N: usize> {
    /// Read notes.
    #[scope("notes:read")]
    Read,
}

fn main() {
    let _ = Scope::<1>::Read;
}
