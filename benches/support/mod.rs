//! Comparing costs on a machine that does other things too.
//!
//! The lanes of a comparison run in turns, a millisecond or two each, and what counts is the ratio within one
//! turn: noise hits neighbours alike. Printed are the median, the least and the greatest ratio, the median
//! time, and the exact number of allocations.
//!
//! Instructions repeat better than times. They are counted for one lane by
//!
//! ```sh
//! benches/instructions call 'toolgate, warm'
//! ```

use std::time::{Duration, Instant};

const ROUNDS: usize = 101;
const TURN: Duration = Duration::from_millis(2);

/// One way to do the work.
pub struct Lane<'l> {
    name: &'static str,
    run: Box<dyn FnMut() + 'l>,
}

pub fn lane<'l>(name: &'static str, run: impl FnMut() + 'l) -> Lane<'l> {
    Lane {
        name,
        run: Box::new(run),
    }
}

/// Runs the lanes and prints a table. The first is what the others are compared with.
pub fn compare(title: &str, lanes: Vec<Lane<'_>>) {
    let mut lanes = lanes;
    if let Ok(wanted) = std::env::var("BENCH_LANE") {
        for lane in lanes.iter_mut().filter(|lane| lane.name == wanted) {
            (0..100).for_each(|_| (lane.run)());
            thousand_times(&mut *lane.run);
        }
        return;
    }

    let mut turns = Vec::new();
    let mut allocations = Vec::new();
    for lane in &mut lanes {
        (0..50).for_each(|_| (lane.run)());
        let counted = allocation_counter::measure(|| (0..100).for_each(|_| (lane.run)()));
        allocations.push(counted.count_total as f64 / 100.0);
        let started = Instant::now();
        (0..50).for_each(|_| (lane.run)());
        let once = started.elapsed() / 50;
        turns.push((TURN.as_nanos() / once.as_nanos().max(1)).clamp(1, 100_000));
    }
    let mut times = vec![Vec::with_capacity(ROUNDS); lanes.len()];
    for round in 0..ROUNDS {
        for at in 0..lanes.len() {
            let at = (at + round) % lanes.len();
            let started = Instant::now();
            (0..turns[at]).for_each(|_| (lanes[at].run)());
            times[at].push(started.elapsed().as_nanos() as f64 / turns[at] as f64);
        }
    }

    println!("\n{title}");
    println!(
        "  {:<44} {:>9} {:>8} {:>8} {:>8} {:>8}",
        "", "us", "ratio", "min", "max", "allocs"
    );
    for (at, lane) in lanes.iter().enumerate() {
        let ratios = times[at]
            .iter()
            .zip(&times[0])
            .map(|(own, first)| own / first);
        let ratios = sorted(ratios.collect());
        let own = sorted(times[at].clone());
        println!(
            "  {:<44} {:>9.3} {:>8.3} {:>8.3} {:>8.3} {:>8.1}",
            lane.name,
            own[ROUNDS / 2] / 1000.0,
            ratios[ROUNDS / 2],
            ratios[0],
            ratios[ROUNDS - 1],
            allocations[at]
        );
    }
}

/// What `benches/instructions` counts.
#[inline(never)]
fn thousand_times(run: &mut dyn FnMut()) {
    (0..1000).for_each(|_| run());
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// A runtime as one worker of a server has it.
#[allow(dead_code, reason = "not every bench needs one")]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
