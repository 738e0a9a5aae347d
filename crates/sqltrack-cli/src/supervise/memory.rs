//! Whether the kernel killed for memory: its counters of such kills in the memory cgroup of this process.
//!
//! A process that is killed for memory sees SIGKILL, as one that somebody kills by hand; the counter is what tells
//! them apart. Where there is no cgroup, or none that can be read, nothing is claimed.

use std::fs;
use std::path::{Path, PathBuf};

/// The counter as it was at some time.
#[derive(Debug)]
pub(super) struct MemoryKills {
    file: PathBuf,
    before: u64,
}

impl MemoryKills {
    /// The counter as it is now, if there is one.
    pub(super) fn now() -> Option<Self> {
        let cgroups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        files(&cgroups, &mounts).into_iter().find_map(|file| Some(Self { before: count(&file)?, file }))
    }

    /// Whether the kernel has killed since.
    pub(super) fn rose(&self) -> bool {
        count(&self.file).is_some_and(|now| now > self.before)
    }
}

fn count(file: &Path) -> Option<u64> {
    kills(&fs::read_to_string(file).ok()?)
}

/// The count in a `memory.events` of version 2, or in a `memory.oom_control` of version 1.
fn kills(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// The files that may have the counter, out of `/proc/self/cgroup` and `/proc/self/mountinfo`.
fn files(cgroups: &str, mounts: &str) -> Vec<PathBuf> {
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::parse).collect();
    let mut files = Vec::new();
    for line in cgroups.lines() {
        // The path may have colons, too.
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (kind, name) = match controllers {
            "" => (Kind::Unified, "memory.events"),
            controllers if controllers.split(',').any(|name| name == "memory") => {
                (Kind::Memory, "memory.oom_control")
            }
            _ => continue,
        };
        let folders =
            mounts.iter().filter(|mount| mount.kind == kind).filter_map(|mount| mount.folder_of(path));
        files.extend(folders.map(|folder| folder.join(name)));
    }
    files
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Version 2, for all controllers.
    Unified,
    /// Version 1, with the memory controller.
    Memory,
}

/// A mount of cgroups.
#[derive(Debug)]
struct Mount {
    kind: Kind,
    /// Which cgroup is mounted.
    root: String,
    point: PathBuf,
}

impl Mount {
    /// `35 31 0:32 ROOT POINT rw,relatime [optional…] - TYPE SOURCE OPTIONS`, as proc(5) describes it.
    fn parse(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let kind = match (after.next()?, after.nth(1)) {
            ("cgroup2", _) => Kind::Unified,
            ("cgroup", Some(options)) if options.split(',').any(|option| option == "memory") => Kind::Memory,
            _ => return None,
        };
        let mut before = before.split(' ').skip(3);
        Some(Self { kind, root: unescape(before.next()?), point: unescape(before.next()?).into() })
    }

    /// Where the cgroup is found; a container may see its own alone, under the name that it has outside.
    fn folder_of(&self, cgroup: &str) -> Option<PathBuf> {
        let below = cgroup.strip_prefix(self.root.trim_end_matches('/'))?;
        let is_inside = below.is_empty() || below.starts_with('/');
        let has_parent = below.split('/').any(|part| part == "..");
        (is_inside && !has_parent).then(|| self.point.join(below.trim_start_matches('/')))
    }
}

/// The kernel writes white space and backslashes as octal numbers.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// systemd on a current distribution.
    const UNIFIED: (&str, &str) = (
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run:1.scope\n",
        "24 31 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n\
         30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
    );
    /// Both versions side by side; memory belongs to the first.
    const HYBRID: (&str, &str) = (
        "9:name=systemd:/\n8:pids:/\n4:memory:/process_api/585d\n2:cpuacct:/\n0::/\n",
        "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
         33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n\
         35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
         41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
    );
    /// A container of Docker on version 1, with several controllers on one mount.
    const CONTAINER: (&str, &str) = (
        "11:cpuset,memory:/docker/8f1c\n1:name=systemd:/docker/8f1c\n",
        "1290 1285 0:33 /docker/8f1c /sys/fs/cgroup/my\\040memory ro,nosuid master:16 - cgroup cgroup rw,cpuset,memory\n",
    );

    #[track_caller]
    fn check((cgroups, mounts): (&str, &str), expected: &[&str]) {
        let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
        assert_eq!(files(cgroups, mounts), expected);
    }

    #[test]
    fn the_counter_is_where_the_cgroup_is_mounted() {
        let below = "user.slice/user-1000.slice/user@1000.service/app.slice/run:1.scope/memory.events";
        check(UNIFIED, &[&format!("/sys/fs/cgroup/{below}")]);
        check(
            HYBRID,
            &[
                "/sys/fs/cgroup/memory/process_api/585d/memory.oom_control",
                "/sys/fs/cgroup/unified/memory.events",
            ],
        );
        check(CONTAINER, &["/sys/fs/cgroup/my memory/memory.oom_control"]);
    }

    #[test]
    fn nothing_is_claimed_without_a_counter() {
        check(("", UNIFIED.1), &[]);
        check((UNIFIED.0, ""), &[]);
        check((UNIFIED.0, CONTAINER.1), &[]);
        check(("0::/../other\n", UNIFIED.1), &[]);
        check(("11:memory:/docker/8f1cc\n", CONTAINER.1), &[]);
        check(("garbage\n1:memory\n", "garbage\n1 2 - cgroup2\n"), &[]);
    }

    #[test]
    fn the_counter_is_read_from_both_versions() {
        let events = "low 0\nhigh 0\nmax 1372\noom 3\noom_kill 2\noom_group_kill 1\n";
        assert_eq!(kills(events), Some(2));
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 17\n"), Some(17));
        // Before Linux 4.13.
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\n"), None);
        assert_eq!(kills(""), None);
    }

    #[test]
    fn the_counter_rises_with_the_next_kill() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.events");
        let kills = MemoryKills { file: file.clone(), before: 1 };
        assert!(!kills.rose());
        for (text, expected) in [("oom_kill 1\n", false), ("oom_kill 2\n", true)] {
            fs::write(&file, text).unwrap();
            assert_eq!(kills.rose(), expected, "{text}");
        }
    }
}
