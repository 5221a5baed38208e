//! The decision about a tool: goal P4, under 20 ns at 32 scopes, without any allocation.
//!
//! ```sh
//! cargo bench --bench decide
//! ```

mod support;

use std::{collections::HashSet, hint::black_box};

use support::{compare, lane};
use toolgate::__private::decision;

fn main() {
    let names: Vec<_> = (0..32).map(|n| format!("area{n}:write")).collect();
    let all: Vec<_> = names.iter().map(String::as_str).collect();
    let strings: HashSet<String> = names.iter().cloned().collect();
    let (one, every, missing) = (
        decision(&all[..1], &all),
        decision(&all, &all),
        decision(&all, &all[1..]),
    );
    assert!(one() && every() && !missing());
    // A thousand at a time, so that the clock is not what is measured: the times below are nanoseconds.
    let thousand = |decide: &dyn Fn() -> bool| {
        for _ in 0..1000 {
            black_box(decide());
        }
    };
    compare(
        "1000 decisions (us here are ns each)",
        vec![
            lane("nothing", || thousand(&|| true)),
            lane("one of 32 scopes needed", || thousand(&one)),
            lane("all of 32 scopes needed", || thousand(&every)),
            lane("all needed, one missing", || thousand(&missing)),
            lane("32 look-ups in a HashSet<String>", || {
                thousand(&|| names.iter().all(|name| strings.contains(black_box(name))));
            }),
        ],
    );
}
