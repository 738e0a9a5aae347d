//! What the kernel tells of this process in `/proc/self/status`.

/// The signals that this process was told to ignore by who started it, as `nohup` does, or a shell for `command &`.
/// They stay ignored, for the command too: a handler of ours would undo it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ignored(u64);

impl Ignored {
    /// The signals that are ignored now. Where the system does not tell, there are none.
    pub(super) fn now() -> Self {
        std::fs::read_to_string("/proc/self/status").map_or(Self::default(), |status| Self::parse(&status))
    }

    /// Out of the text of `/proc/self/status`.
    fn parse(status: &str) -> Self {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        Self(mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default())
    }

    pub(super) fn contains(self, signal: i32) -> bool {
        (1..=64).contains(&signal) && self.0 >> (signal - 1) & 1 == 1
    }
}

/// Whether this process leads its session. Where the system does not tell, it does not.
///
/// In a container the leader may be out of sight, as a process that is `0` here, for which `rustix::process::getsid` has
/// no answer (it panics).
pub(super) fn leads_session() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| leads(&status))
}

/// Out of the text of `/proc/self/status`: a process has an id in each of the namespaces that it is in.
fn leads(status: &str) -> bool {
    let ids = |name| status.lines().find_map(|line| line.strip_prefix(name));
    ids("NStgid:").is_some_and(|own| ids("NSsid:") == Some(own))
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};

    use super::*;

    fn ignored(status: &str) -> Vec<i32> {
        let ignored = Ignored::parse(status);
        (-1..=70).filter(|signal| ignored.contains(*signal)).collect()
    }

    #[test]
    fn the_mask_is_read_bit_by_bit() {
        let nohup = "Name:\tsleep\nShdPnd:\t0000000000000000\nSigBlk:\t0000000000000000\n\
                     SigIgn:\t0000000000001001\nSigCgt:\t0000000000000440\n";
        assert_eq!(ignored(nohup), [SIGHUP, SIGPIPE]);
        assert_eq!(ignored("SigIgn:\t0000000000000006\n"), [SIGINT, SIGQUIT]);
        assert_eq!(ignored("SigIgn:\t8000000000004000\n"), [SIGTERM, 64]);
        for status in ["", "SigIgn:\t0000000000000000\n", "SigIgn: x\n", "SigCgt:\tffffffffffffffff\n"] {
            assert_eq!(ignored(status), [0; 0], "{status}");
        }
    }

    #[test]
    fn a_session_is_led_by_the_process_of_its_id() {
        let status = |process: &str, session: &str| {
            format!("Name:\tsh\nNStgid:\t{process}\nNSpid:\t{process}\nNSpgid:\t1\nNSsid:\t{session}\n")
        };
        assert!(leads(&status("7", "7")));
        assert!(leads(&status("4711\t1", "4711\t1")));
        assert!(!leads(&status("7", "6")));
        assert!(!leads(&status("4711\t1", "4710\t0")));
        assert!(!leads(""));
    }
}
