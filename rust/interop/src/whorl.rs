//! The `whorl` program as a child process, with a limit on its time.

use std::{
    fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The small cases here take well under a second; more is a hang.
const TIME_LIMIT: Duration = Duration::from_secs(300);

pub struct Whorl<'a> {
    pub program: &'a Path,
    /// 0: as many as whorl likes.
    pub threads: usize,
}

/// How a child ended, and what it wrote to standard error.
pub struct Outcome {
    pub code: Option<i32>,
    pub text: String,
}

/// Runs `command` to its end. Err: it did not start, or it took too long.
pub fn run_to_end(command: &mut Command) -> Result<Outcome, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?} does not start: {error}"))?;
    let mut stderr = child.stderr.take().expect("standard error is a pipe");
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).ok();
        String::from_utf8_lossy(&text).trim().to_string()
    });
    let started = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if started.elapsed() > TIME_LIMIT => {
                child.kill().ok();
                child.wait().ok();
                return Err(format!("{command:?} did not end within {} s", TIME_LIMIT.as_secs()));
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = reader.join().unwrap_or_default();
    Ok(Outcome { code: status.code(), text })
}

impl Whorl<'_> {
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program);
        command.arg(name).arg("--quiet");
        command
    }

    pub fn try_prove(&self, task: &Path, out: &Path, device: &str) -> Result<Outcome, String> {
        let mut command = self.command("prove");
        if self.threads > 0 {
            command.args(["--threads", &self.threads.to_string()]);
        }
        run_to_end(command.args(["--device", device]).arg("--task").arg(task).arg("--out").arg(out))
    }

    pub fn prove(&self, task: &Path, out: &Path, device: &str) -> Result<Vec<u8>, String> {
        let outcome = self.try_prove(task, out, device)?;
        if outcome.code != Some(0) {
            return Err(format!("whorl prove --device {device}: exit {:?}: {}", outcome.code, outcome.text));
        }
        fs::read(out).map_err(|error| format!("whorl prove wrote no proof: {error}"))
    }

    pub fn try_verify(&self, key: &Path, proof: &Path) -> Result<Outcome, String> {
        let mut command = self.command("verify");
        // The drawn keys are weak.
        command.args(["--min-security", "0"]);
        run_to_end(command.arg("--vk").arg(key).arg("--proof").arg(proof))
    }

    /// Whether whorl accepts; every exit other than accepted, rejected and malformed input is an error.
    pub fn verify(&self, key: &Path, proof: &Path) -> Result<bool, String> {
        let outcome = self.try_verify(key, proof)?;
        match outcome.code {
            Some(0) => Ok(true),
            Some(2) if outcome.text.contains("--help") => Err(format!("whorl verify: {}", outcome.text)),
            Some(1 | 2) => Ok(false),
            code => Err(format!("whorl verify: exit {code:?}: {}", outcome.text)),
        }
    }
}
