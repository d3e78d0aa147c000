//! The last line of a test run names the tests that cannot run here, even though libtest captures the output of tests.

use std::env;
use std::process::Command;

use terraform_cli::not_run;

#[test]
#[ignore = "only run by the test below"]
fn cannot_run() {
    not_run("because this machine has no moon");
}

#[test]
fn tests_that_cannot_run_are_named_on_the_last_line() {
    let mut command = Command::new(env::current_exe().expect("a test's executable"));
    let output = command.args(["--exact", "cannot_run", "--ignored"]).output().expect("the test ran");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        said.lines().last(),
        Some("1 test not run here, because this machine has no moon: cannot_run"),
        "{said}"
    );
}
