//! What compiles and what does not, and what the compiler says then.
//!
//! The messages depend on the compiler, so the toolchain is pinned. After a change of either, run with
//! `TRYBUILD=overwrite` and read the difference.

#[test]
fn compile_fail() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn compile_pass() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
