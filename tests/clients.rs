//! Other people's clients against the `notes` example: the TypeScript SDK in both its generations, the
//! Python SDK, FastMCP. Each script does the whole authorization flow without a browser, checks every
//! request itself, and says what it did, one JSON line a step; here it is checked that it did all of it.
//!
//! `.ci/clients` installs them. Without that these tests are skipped, unless `CI` or
//! `TOOLGATE_REQUIRE_CLIENTS` says that they must not be.

mod support;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// The `notes` example, as its own process.
struct Notes {
    process: Child,
    resource: String,
}

impl Notes {
    fn start() -> Self {
        static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| support::example("notes"));
        let mut process = Command::new(&*EXAMPLE)
            .args(["--address", "127.0.0.1:0", "--auto-consent"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (found, resource) = mpsc::channel();
        // Reads on until the end: a server whose standard error is full stands still.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(resource) = line.strip_prefix("Serving ") {
                    let _ = found.send(resource.trim().to_owned());
                }
            }
        });
        let resource = resource.recv_timeout(Duration::from_secs(30)).unwrap();
        Self { process, resource }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that `.ci/clients` installs.
struct Script {
    folder: PathBuf,
    /// Inside of the folder, or on the path.
    program: PathBuf,
    file: &'static str,
    argument: Option<&'static str>,
}

impl Script {
    fn typescript(file: &'static str, argument: Option<&'static str>) -> Option<Self> {
        Self::installed("typescript", "node_modules", "node".into(), file, argument)
    }

    fn python(file: &'static str, argument: &'static str) -> Option<Self> {
        let python = ".venv/bin/python";
        let program = clients().join("python").join(python);
        Self::installed("python", python, program, file, Some(argument))
    }

    /// The script, if the `needed` file is there.
    fn installed(
        folder: &str,
        needed: &str,
        program: PathBuf,
        file: &'static str,
        argument: Option<&'static str>,
    ) -> Option<Self> {
        let folder = clients().join(folder);
        if folder.join(needed).exists() {
            return Some(Self {
                folder,
                program,
                file,
                argument,
            });
        }
        let required =
            |name| std::env::var(name).is_ok_and(|value| value == "true" || value == "1");
        assert!(
            !required("CI") && !required("TOOLGATE_REQUIRE_CLIENTS"),
            "{} is not installed: run .ci/clients",
            folder.display()
        );
        eprintln!(
            "skipped: {} is not installed, run .ci/clients",
            folder.display()
        );
        None
    }

    /// Runs the script against a server of its own and returns the steps it took.
    fn run(&self) -> Vec<Value> {
        let notes = Notes::start();
        let output = Command::new(&self.program)
            .arg(self.file)
            .arg(&notes.resource)
            .args(self.argument)
            .current_dir(&self.folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let steps = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{}: {}\n{steps}\n{}",
            self.file,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        let steps = steps.lines().map(serde_json::from_str);
        steps.collect::<Result<_, _>>().unwrap()
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// The steps in short: what was done, and what was asked, granted, called or refused.
fn in_short(steps: &[Value]) -> Vec<String> {
    let short = |step: &Value| {
        let detail = ["scope", "tool", "version"];
        let detail = detail.iter().find_map(|key| step[key].as_str());
        let name = step["step"].as_str().unwrap();
        [name, detail.unwrap_or_default()]
            .join(" ")
            .trim()
            .to_owned()
    };
    steps.iter().map(short).collect()
}

/// What every client does until it has called its first tool.
const LOGIN: [&str; 6] = [
    "refused",
    "resource metadata",
    "server metadata",
    "register notes:read",
    "authorize notes:read",
    "token notes:read",
];

/// Asserts that the client did what every client does, and then `more`.
fn assert_steps(steps: &[Value], version: &str, more: &[&str]) {
    let expected: Vec<_> = LOGIN.iter().chain(more).copied().collect();
    assert_eq!(in_short(steps), expected);
    let found = |name: &str| steps.iter().find(|step| step["step"] == name).unwrap();
    let first = match version {
        "2026-07-28" => "server/discover",
        _ => "initialize",
    };
    assert_eq!(found("refused")["rpc"], first);
    assert_eq!(found("refused")["status"], 401);
    assert_eq!(found("list")["version"], version);
    assert_eq!(found("list")["tools"], 3);
    assert_eq!(found("token")["subject"], "alice");
    assert_eq!(found("insufficient scope")["status"], 403);
    // The script has compared each challenge as a whole; that there is one is not left to it alone.
    for (name, scope) in [
        ("refused", "scope=\"notes:read\""),
        ("insufficient scope", "scope=\"notes:write\""),
    ] {
        let challenge = found(name)["challenge"].as_str().unwrap();
        assert!(challenge.contains(scope), "{challenge}");
    }
}

#[test]
fn the_typescript_sdk_of_today_logs_in_and_steps_up_in_both_lifecycles() {
    for (era, version) in [("legacy", "2025-11-25"), ("2026-07-28", "2026-07-28")] {
        let Some(script) = Script::typescript("v2.mjs", Some(era)) else {
            return;
        };
        let list = format!("list {version}");
        assert_steps(
            &script.run(),
            version,
            &[
                &list,
                "call list_notes",
                "insufficient scope add_note",
                "authorize notes:read notes:write",
                "token notes:read notes:write",
                "call add_note",
                "done",
            ],
        );
    }
}

#[test]
fn the_typescript_sdk_of_yesterday_steps_up_to_exactly_the_challenged_scope() {
    let Some(script) = Script::typescript("v1.mjs", None) else {
        return;
    };
    assert_steps(
        &script.run(),
        "2025-11-25",
        &[
            "list 2025-11-25",
            "call list_notes",
            "insufficient scope add_note",
            "authorize notes:write",
            "token notes:write",
            "call add_note",
            // It has lost what it had.
            "insufficient scope list_notes",
            "authorize notes:read",
            "token notes:read",
            "done",
        ],
    );
}

#[test]
fn the_typescript_sdk_of_yesterday_steps_up_only_once_its_refresh_token_is_gone() {
    let Some(script) = Script::typescript("v1.mjs", Some("refresh")) else {
        return;
    };
    let steps = script.run();
    assert_steps(
        &steps,
        "2025-11-25",
        &[
            "list 2025-11-25",
            "call list_notes",
            "stuck",
            "insufficient scope add_note",
            "authorize notes:write",
            "token notes:write",
            "call add_note",
            "done",
        ],
    );
    let stuck = steps.iter().find(|step| step["step"] == "stuck").unwrap();
    assert_eq!(stuck["refreshes"], 1);
    assert_eq!(stuck["status"], 403);
}

/// The Python clients step up within the call: the caller sees only its result.
fn python(file: &'static str) {
    for (mode, version) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        let Some(script) = Script::python(file, mode) else {
            return;
        };
        let list = format!("list {version}");
        let steps = script.run();
        assert_steps(
            &steps,
            version,
            &[
                &list,
                "call list_notes",
                "insufficient scope add_note",
                "authorize notes:read notes:write",
                "token notes:read notes:write",
                "call add_note",
                "done",
            ],
        );
        assert_eq!(steps.last().unwrap()["authorizations"], json!(2));
    }
}

#[test]
fn the_python_sdk_logs_in_and_steps_up_by_itself_in_both_lifecycles() {
    python("sdk.py");
}

#[test]
fn fastmcp_logs_in_and_steps_up_by_itself_in_both_lifecycles() {
    python("fast.py");
}
