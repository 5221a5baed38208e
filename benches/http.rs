//! One `tools/call` over loopback HTTP: what the process of the server spends, in CPU time (goal P1).
//!
//! Each server is a process of its own with one thread, so nothing of the client is counted. Linux only: the
//! kernel's own account is read from `/proc`.
//!
//! ```sh
//! cargo bench --bench http
//! ```

#[path = "call/tool.rs"]
mod tool;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

const ROUNDS: usize = 41;
const REQUESTS: usize = 300;

/// A server in a process of its own.
struct Server {
    name: &'static str,
    child: Child,
    url: String,
    token: String,
}

impl Server {
    fn start(name: &'static str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env("BENCH_SERVE", name)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (url, token) = (line(), line());
        Self {
            name,
            child,
            url,
            token,
        }
    }

    /// Nanoseconds its thread has been running.
    fn cpu(&self) -> u64 {
        let path = format!("/proc/{0}/task/{0}/schedstat", self.child.id());
        let account = std::fs::read_to_string(path).unwrap();
        account.split(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if let Ok(name) = std::env::var("BENCH_SERVE") {
        return serve(&name).await;
    }
    let servers = [
        "rmcp, unprotected",
        "toolgate, known token",
        "toolgate, cache off",
    ]
    .map(Server::start);
    let client = reqwest::Client::new();
    let mut spent = vec![Vec::new(); servers.len()];
    for round in 0..=ROUNDS {
        for at in 0..servers.len() {
            let at = (at + round) % servers.len();
            let server = &servers[at];
            let before = server.cpu();
            for _ in 0..REQUESTS {
                let response = client
                    .post(&server.url)
                    .headers(tool::request(&server.token).headers().clone())
                    .body(tool::body())
                    .send()
                    .await
                    .unwrap();
                assert_eq!(response.status(), 200);
                response.bytes().await.unwrap();
            }
            if round > 0 {
                spent[at].push((server.cpu() - before) as f64 / REQUESTS as f64);
            }
        }
    }
    println!(
        "\nCPU time of the server for one tools/call over HTTP, {ROUNDS} rounds of {REQUESTS}"
    );
    println!(
        "  {:<32} {:>9} {:>8} {:>8} {:>8}",
        "", "us", "ratio", "min", "max"
    );
    for (at, server) in servers.iter().enumerate() {
        let ratios = spent[at]
            .iter()
            .zip(&spent[0])
            .map(|(own, first)| own / first);
        let ratios = sorted(ratios.collect());
        let own = sorted(spent[at].clone());
        println!(
            "  {:<32} {:>9.2} {:>8.3} {:>8.3} {:>8.3}",
            server.name,
            own[ROUNDS / 2] / 1000.0,
            ratios[ROUNDS / 2],
            ratios[0],
            ratios[ROUNDS - 1],
        );
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

async fn serve(name: &str) {
    let (router, token) = tool::router(name);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}/mcp\n{token}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}
