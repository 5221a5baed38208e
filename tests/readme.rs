//! The README's `console` blocks, typed into a shell: they must give what the README shows.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// The example server, stopped when the test is over.
struct Notes {
    process: Child,
    address: String,
    read: String,
    write: String,
}

impl Notes {
    fn start() -> Self {
        let mut process = Command::new(example("notes"))
            .args(["--address", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("`cargo build --examples` was run");
        let mut lines = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut after = |prefix: &str| {
            let line = lines
                .find(|line| line.starts_with(prefix))
                .expect("a line of the banner");
            line[prefix.len()..].to_owned()
        };
        let url = after("Serving http://");
        let (read, write) = (after("READ="), after("WRITE="));
        // The rest is read too, so that the server never waits for somebody to read its log.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url.trim_end_matches("/mcp").to_owned();
        Self {
            process,
            address,
            read,
            write,
        }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The path of a compiled example: cargo builds them before it runs tests.
fn example(name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples").join(name)
}

/// The commands of the README's `console` blocks, each with the lines that it shows.
fn console_blocks(readme: &str) -> Vec<(String, Vec<&str>)> {
    let blocks = readme.split("```console\n").skip(1);
    let parse = |rest| -> Option<_> {
        let (block, _) = str::split_once(rest, "\n```")?;
        let mut lines = block.lines();
        let mut command = lines.next()?.strip_prefix("$ ")?.to_owned();
        while command.ends_with('\\') {
            command.push('\n');
            command.push_str(lines.next()?);
        }
        Some((command, lines.filter(|line| !line.is_empty()).collect()))
    };
    blocks
        .map(|rest| parse(rest).expect("a command and what it prints"))
        .collect()
}

#[test]
fn the_curl_lines_of_the_readme_give_what_it_shows() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "curl is missing");
        println!("skipped: curl is not installed");
        return;
    }
    let notes = Notes::start();
    let blocks = console_blocks(include_str!("../README.md"));
    assert_eq!(blocks.len(), 3);
    for (command, expected) in blocks {
        let output = Command::new("sh")
            .args(["-c", &command.replace("127.0.0.1:3000", &notes.address)])
            .env("READ", &notes.read)
            .env("WRITE", &notes.write)
            .output()
            .unwrap();
        let output = String::from_utf8(output.stdout)
            .unwrap()
            .replace(&notes.address, "127.0.0.1:3000");
        let mut lines = output.lines();
        for line in expected {
            assert!(
                lines.any(|shown| shown == line),
                "{line}\nis not in\n{output}"
            );
        }
    }
}
