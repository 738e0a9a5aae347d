//! The state of the code, as the program `git` tells it of the working directory.
//!
//! Nothing is written, no lock is taken, no program of the repository's configuration makes the diff, and all of it
//! takes a bounded time.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Map, Value as Json};
use sqltrack_core::Redactor;

use super::text;

/// For all questions together. A repository on a slow disk is no reason to wait longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of a diff is kept, and of other answers.
const DIFF_BYTES: usize = 256 * 1024;
const ANSWER_BYTES: usize = 1024 * 1024;
/// How many names of untracked files are kept.
const UNTRACKED: usize = 200;

const DIFF: [&str; 11] = [
    "diff",
    "HEAD",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--no-relative",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--",
];

/// Commit, branch, changes since the commit and where the repository comes from, if this is one.
pub(super) fn describe(folder: &Path, redact: &Redactor) -> Option<Map<String, Json>> {
    let git = Git { folder, deadline: Instant::now() + PATIENCE };
    git.line(&["rev-parse", "--git-dir"])?;
    let commit = git.line(&["rev-parse", "--quiet", "--verify", "HEAD"]);
    let mut found = Map::new();
    let mut add = |name: &str, value: Option<Json>| found.extend(value.map(|value| (name.to_owned(), value)));
    let remotes = git.answer(&["config", "--get-regexp", r"^remote\..*\.url$"], ANSWER_BYTES);
    add(
        "remote",
        remotes.and_then(|answer| remote(&text(&answer.bytes))).map(|url| redact.text(&url).into()),
    );
    let branch = git.line(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
    add("branch", branch.map(|branch| redact.text(&branch).into()));
    let is_born = commit.is_some();
    add("commit", commit.map(Json::from));
    let status = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal"];
    if let Some(Changes { is_dirty, untracked, is_cut }) = git.answer(&status, ANSWER_BYTES).map(changes) {
        add("dirty", Some(is_dirty.into()));
        let names = untracked.iter().map(|name| redact.text(name).into());
        add("untracked", (!untracked.is_empty()).then(|| names.collect::<Vec<Json>>().into()));
        add("untracked_truncated", is_cut.then_some(true.into()));
        let diff = (is_dirty && is_born).then(|| git.answer(&DIFF, DIFF_BYTES)).flatten();
        add("diff_truncated", diff.as_ref().filter(|diff| diff.is_cut).map(|_| true.into()));
        add("diff", diff.map(|diff| redact.text(&text(whole_lines(&diff))).into()));
    }
    Some(found)
}

/// What was changed since the commit.
struct Changes {
    /// A file that git knows was changed.
    is_dirty: bool,
    untracked: Vec<String>,
    /// There are more untracked ones.
    is_cut: bool,
}

/// Reads `XY NAME`, each ended by NUL, where `??` stands for a file that git does not know.
fn changes(answer: Answer) -> Changes {
    let (untracked, known): (Vec<&[u8]>, Vec<&[u8]>) = answer
        .bytes
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .partition(|entry| entry.starts_with(b"?? "));
    let names = untracked.iter().take(UNTRACKED).map(|entry| text(&entry[3..])).collect();
    Changes {
        is_dirty: !known.is_empty(),
        is_cut: answer.is_cut || untracked.len() > UNTRACKED,
        untracked: names,
    }
}

/// As much of an answer as ends with a line. The piece of a secret would not be known for one.
fn whole_lines(answer: &Answer) -> &[u8] {
    let end = answer.bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if answer.is_cut { &answer.bytes[..end] } else { &answer.bytes }
}

/// The url of `origin`, or else of the first remote, out of lines `remote.NAME.url URL`.
fn remote(lines: &str) -> Option<String> {
    let mut remotes = lines.lines().filter_map(|line| line.split_once(' '));
    let origin = remotes.clone().find(|(name, _)| *name == "remote.origin.url");
    origin.or_else(|| remotes.next()).map(|(_, url)| without_login(url))
}

/// A url without its password, and over HTTP also without the user, which may be a token.
fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((login, host)) = authority.rsplit_once('@') else { return url.to_owned() };
    let user = login.split(':').next().unwrap_or_default();
    if scheme.starts_with("http") || user.is_empty() {
        format!("{scheme}://{host}{path}")
    } else {
        format!("{scheme}://{user}@{host}{path}")
    }
}

struct Git<'a> {
    folder: &'a Path,
    deadline: Instant,
}

/// What git has printed, or the beginning of it.
struct Answer {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Git<'_> {
    /// The only line of an answer.
    fn line(&self, arguments: &[&str]) -> Option<String> {
        let answer = self.answer(arguments, ANSWER_BYTES)?;
        Some(text(answer.bytes.trim_ascii_end())).filter(|line| !line.is_empty())
    }

    /// What git answers; nothing if it fails, if there is no git, or if it takes too long.
    fn answer(&self, arguments: &[&str], most: usize) -> Option<Answer> {
        let mut child = self.command(arguments).spawn().ok()?;
        let group = Pid::from_child(&child);
        let stdout = child.stdout.take()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(most as u64 + 1).read_to_end(&mut bytes);
            let _ = sender.send(read.map(|_| bytes));
        });
        let left = self.deadline.saturating_duration_since(Instant::now());
        let bytes = receiver.recv_timeout(left).ok().and_then(Result::ok);
        let is_cut = bytes.as_ref().is_some_and(|bytes| bytes.len() > most);
        if bytes.is_none() || is_cut {
            // With the programs that it has started, such as filters.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let is_good = child.wait().is_ok_and(|status| status.success());
        let mut bytes = bytes.filter(|_| is_good || is_cut)?;
        bytes.truncate(most);
        Some(Answer { bytes, is_cut })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(["--no-pager", "-c", "core.fsmonitor=false"]).args(arguments).current_dir(self.folder);
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
        command.env("LC_ALL", "C").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8], is_cut: bool) -> Answer {
        Answer { bytes: bytes.to_owned(), is_cut }
    }

    #[test]
    fn untracked_files_are_no_changes() {
        let found = changes(answer(b"?? a b\0?? new/\0", false));
        assert_eq!(
            (found.is_dirty, found.untracked, found.is_cut),
            (false, vec!["a b".into(), "new/".into()], false)
        );
        let found = changes(answer(b" M a\0?? b\0D  c\0", false));
        assert_eq!((found.is_dirty, found.untracked), (true, vec!["b".to_owned()]));
        let found = changes(answer(b"", false));
        assert_eq!((found.is_dirty, found.untracked), (false, vec![]));
    }

    #[test]
    fn there_is_an_end_to_untracked_files() {
        let many: String = (0..=UNTRACKED).map(|number| format!("?? {number}\0")).collect();
        let found = changes(answer(many.as_bytes(), false));
        assert_eq!((found.untracked.len(), found.is_cut), (UNTRACKED, true));
    }

    #[test]
    fn a_cut_diff_ends_with_a_line() {
        assert_eq!(whole_lines(&answer(b"one\ntwo", true)), b"one\n");
        assert_eq!(whole_lines(&answer(b"one\ntwo", false)), b"one\ntwo");
        assert_eq!(whole_lines(&answer(b"one", true)), b"");
    }

    #[test]
    fn the_remote_is_origin_or_the_first() {
        let lines = "remote.fork.url git@host:fork.git\nremote.origin.url https://host/a.git\n";
        assert_eq!(remote(lines).as_deref(), Some("https://host/a.git"));
        assert_eq!(remote("remote.fork.url git@host:fork.git\n").as_deref(), Some("git@host:fork.git"));
        assert_eq!(remote(""), None);
    }

    #[test]
    fn a_remote_has_no_login() {
        for (url, expected) in [
            ("https://alice:canary@host/a.git", "https://host/a.git"),
            ("https://canary@host:8443/a@b.git", "https://host:8443/a@b.git"),
            ("ssh://git:canary@host:22/a.git", "ssh://git@host:22/a.git"),
            ("ssh://git@host/a.git", "ssh://git@host/a.git"),
            ("git@host:a.git", "git@host:a.git"),
            ("https://host/a.git", "https://host/a.git"),
            ("/srv/a.git", "/srv/a.git"),
        ] {
            assert_eq!(without_login(url), expected);
        }
    }
}
