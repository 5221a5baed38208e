// A call exists only when a server has decided that it may run.

use toolgate::Call;

fn forged() -> Call {
    Call {}
}

fn main() {}
