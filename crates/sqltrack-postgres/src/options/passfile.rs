//! Passwords out of libpq's password file: lines of `host:port:database:user:password`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sqltrack_engines::{Environment, Secret, Source};

/// The connection that a password is looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Server name, address or socket directory, as configured.
    pub host: &'a str,
    /// Port of the server.
    pub port: u16,
    /// Name of the database.
    pub dbname: &'a str,
    /// The role.
    pub user: &'a str,
}

/// A password and the line it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The password.
    pub password: Secret,
    /// The file and line.
    pub source: Source,
}

/// The directories where Postgres puts its socket by default, on Debian, macOS and elsewhere.
pub(super) const SOCKET_DIRECTORIES: [&str; 3] = ["/var/run/postgresql", "/private/tmp", "/tmp"];

/// Looks up a password in `path`, or else in `PGPASSFILE`, or else in `~/.pgpass`.
///
/// As with libpq, a file that does not exist has no passwords, and one that others may read is ignored
/// with a warning. `localhost` in the file also means the socket in a default directory.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use sqltrack_engines::Environment;
/// use sqltrack_postgres::options::passfile::{Target, lookup};
///
/// let target = Target { host: "db", port: 5432, dbname: "runs", user: "alice" };
/// assert_eq!(lookup(Some("no/such/file".as_ref()), &target, &Environment::empty()), None);
/// # Ok(())
/// # }
/// ```
pub fn lookup(path: Option<&Path>, target: &Target<'_>, env: &Environment) -> Option<Found> {
    let path = path.map(Path::to_owned).or_else(|| default_path(env))?;
    let content = match read(&path) {
        Ok(content) => content,
        Err(err) => {
            let path = path.display();
            if err.kind() == io::ErrorKind::NotFound {
                tracing::debug!(%path, "there is no password file");
            } else {
                tracing::warn!(%path, "the password file is ignored: {err}");
            }
            return None;
        }
    };
    let (line, password) = find(&content, target)?;
    Some(Found { password: password.into(), source: Source::File { path, line } })
}

/// Where the password file is if nobody says.
fn default_path(env: &Environment) -> Option<PathBuf> {
    env.path("PGPASSFILE").or_else(|| {
        if cfg!(windows) {
            Some(env.path("APPDATA")?.join("postgresql").join("pgpass.conf"))
        } else {
            Some(env.home()?.join(".pgpass"))
        }
    })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A fifo or device would block or never end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut file = File::open(path)?;
    if !super::is_private(&file.metadata()?) {
        return Err(io::Error::other("others may read it; run chmod 600 on it"));
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(content)
}

/// The first line for the target, counted from 1, and its password.
fn find(content: &[u8], target: &Target<'_>) -> Option<(usize, String)> {
    let is_default_socket = SOCKET_DIRECTORIES.contains(&target.host);
    let host = if target.host.is_empty() || is_default_socket { "localhost" } else { target.host };
    let port = target.port.to_string();
    let lines = content.split(|byte| *byte == b'\n').enumerate();
    lines.map(|(index, line)| (index + 1, line)).find_map(|(number, line)| {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
        if line.starts_with('#') {
            return None;
        }
        let mut rest = line;
        for wanted in [host, &port, target.dbname, target.user] {
            let (field, after) = split_field(rest)?;
            if field != "*" && unescape(field) != wanted {
                return None;
            }
            rest = after;
        }
        // libpq ends the password at a further colon.
        let password = split_field(rest).map_or(rest, |(field, _)| field);
        Some((number, unescape(password)))
    })
}

/// The text up to the first colon that has no backslash before it, and what follows the colon.
fn split_field(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b':' if !escaped => return Some((&text[..index], &text[index + 1..])),
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    None
}

fn unescape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(char) = chars.next() {
        // A backslash at the very end stands for itself.
        text.push(if char == '\\' { chars.next().unwrap_or(char) } else { char });
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TARGET: Target<'_> = Target { host: "db", port: 5432, dbname: "runs", user: "alice" };

    #[track_caller]
    fn check(content: &str, target: Target<'_>, expected: Option<(usize, &str)>) {
        let found = find(content.as_bytes(), &target);
        assert_eq!(found.as_ref().map(|(line, password)| (*line, password.as_str())), expected, "{content}");
    }

    #[test]
    fn the_first_matching_line_wins() {
        let content = "# db:5432:runs:alice:comment\n\ndb:5433:*:*:port\nother:*:*:*:host\r\n\
                       db:5432:runs:alice:right\r\n*:*:*:*:later\n";
        check(content, TARGET, Some((5, "right")));
        check(content, Target { user: "bob", ..TARGET }, Some((6, "later")));
        check("db:5432:runs:alice", TARGET, None);
        check("db:5432:runs:alice:", TARGET, Some((1, "")));
        check(" db:5432:runs:alice:x", TARGET, None);
    }

    #[test]
    fn backslashes_escape_colons_and_themselves() {
        let target = Target { host: "::1", dbname: r"a\b", ..TARGET };
        check(r"\:\:1:5432:a\\b:alice:p\:w\\d\x", target, Some((1, r"p:w\dx")));
        check(r"*:*:*:*:one:two", TARGET, Some((1, "one")));
        check(r"*:*:*:*:one\", TARGET, Some((1, r"one\")));
        check(r"\*:*:*:*:star", Target { host: "*", ..TARGET }, Some((1, "star")));
        check(r"\*:*:*:*:star", TARGET, None);
    }

    #[test]
    fn localhost_means_the_default_sockets_too() {
        let content = "localhost:*:*:*:local\n/run/own:*:*:*:own\n";
        check(content, Target { host: "/var/run/postgresql", ..TARGET }, Some((1, "local")));
        check(content, Target { host: "localhost", ..TARGET }, Some((1, "local")));
        check(content, Target { host: "/run/own", ..TARGET }, Some((2, "own")));
        check(content, Target { host: "/run/other", ..TARGET }, None);
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_passed_over() {
        assert_eq!(find(b"\xff:*:*:*:x\n*:*:*:*:y", &TARGET), Some((2, "y".to_owned())));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_others_may_read_is_ignored() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".pgpass");
        std::fs::write(&path, "*:*:*:*:hunter2").unwrap();
        let env = Environment::from_iter([("HOME", folder.path())]);
        for (mode, readable) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(lookup(None, &TARGET, &env).is_some(), readable, "{mode:o}");
        }
        assert_eq!(lookup(Some(folder.path()), &TARGET, &env), None);
    }

    fn escape(text: &str) -> String {
        text.replace('\\', r"\\").replace(':', r"\:")
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_found(fields in prop::array::uniform4("[a-z:\\\\*é#]{2,6}"), noise in ".{0,20}") {
            let [host, dbname, user, password] = &fields;
            let target = Target { host, port: 1, dbname, user };
            let line = [host, "1", dbname, user, password].map(escape).join(":");
            prop_assume!(!line.starts_with('#') && !noise.contains('\n'));
            let found = find(format!("#{noise}\n{line}\n").as_bytes(), &target);
            prop_assert_eq!(found, Some((2, password.clone())));
        }

        #[test]
        fn no_content_is_a_panic(content in prop::collection::vec(any::<u8>(), 0..80)) {
            find(&content, &TARGET);
        }
    }
}
