//! What a command is called: the name of its program, for the experiment of runs that are given none.

use std::ffi::OsString;
use std::path::Path;

/// How the names of scripts end. In `python -u train.py` it is the script that one would name.
const SCRIPTS: [&str; 10] = ["py", "sh", "bash", "r", "R", "jl", "rb", "pl", "js", "lua"];

/// The name of the script in a command, or else of the command itself, without folder and ending.
pub(super) fn name(words: &[OsString]) -> String {
    let script = words.iter().map(Path::new).find(|word| is_script(word) && word.is_file());
    let program = script.or_else(|| words.first().map(Path::new));
    let stem = program.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| "run".to_owned())
}

fn is_script(word: &Path) -> bool {
    word.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| SCRIPTS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_called_by_its_script_or_its_program() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("train.v2.py");
        std::fs::write(&script, "").unwrap();
        let script = script.to_str().unwrap();
        for (words, expected) in [
            (&["python", "-u", script, "--lr", "1"][..], "train.v2"),
            (&[script], "train.v2"),
            (&["python", "no/such/train.py"], "python"),
            (&["/usr/bin/env.exe", "x"], "env"),
            (&["./a.out"], "a"),
            (&[".."], "run"),
            (&[""], "run"),
        ] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(name(&words), expected, "{words:?}");
        }
    }
}
