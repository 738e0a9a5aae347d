//! What the example `argument_parsing` prints.

use std::env;
use std::process::Command;

const PRINTED: &str = "\
{'amp': False,
 'batch_size': None,
 'epochs': 180,
 'help': False,
 'learning_rate': [0.1],
 'model': 'resnet18'}
180
{'amp': True,
 'batch_size': None,
 'epochs': 360,
 'help': False,
 'learning_rate': [0.1],
 'model': 'resnet18'}
360
";

#[test]
fn arguments_are_typed_and_can_be_forced() {
    let test = env::current_exe().unwrap();
    let examples = test.parent().unwrap().parent().unwrap().join("examples");
    let program = examples.join(format!("argument_parsing{}", env::consts::EXE_SUFFIX));
    let output = Command::new(program).args(["-e", "180"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n"), PRINTED);
    assert!(output.status.success());
}
