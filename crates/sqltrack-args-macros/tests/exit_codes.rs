//! What programs with `#[docopt_main]` print, and how they end.

use std::env;
use std::path::PathBuf;
use std::process::Command;

#[track_caller]
fn check(argv: &[&str], code: i32, stdout: &str, stderr: &str) {
    let output = Command::new(program()).args(argv).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), (stdout, stderr));
    assert_eq!(output.status.code(), Some(code));
}

/// The example, which cargo builds beside the tests.
fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    folder.join("examples").join(format!("greet{}", env::consts::EXE_SUFFIX))
}

#[test]
fn a_command_line_that_fits_is_passed_on() {
    let options = "{'NAME': 'Ada',\n 'help': False,\n 'timesint': 3,\n 'version': False}\n";
    check(&["--timesint=3", "Ada"], 0, options, "");
}

#[test]
fn help_goes_to_standard_output() {
    let help = "Greets.\n\n\nusage: greet [options] NAME\n\noptions:\n    -h --help     This text\n    \
                --version     The version\n    --timesint=N  How often [default: 1]\n";
    check(&["-h"], 0, help, "");
    check(&["--help", "--nothing-else-matters"], 0, help, "");
    check(&["--version"], 0, "greet 1.0\n", "");
}

#[test]
fn what_does_not_fit_goes_to_standard_error() {
    check(&[], 2, "", "missing `NAME`\nusage: greet [options] NAME\n");
    check(&["--loud", "Ada"], 2, "", "unexpected `--loud`\nusage: greet [options] NAME\n");
    let wrong = "`--timesint`: cannot convert `x` with `int`: not a whole number; give another value, or rename the \
                 option\nusage: greet [options] NAME\n";
    check(&["--timesint=x", "Ada"], 2, "", wrong);
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_unicode_do_not_crash() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let output = Command::new(program()).arg(OsStr::from_bytes(b"\xff")).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("'NAME': '\u{fffd}'"));
}
