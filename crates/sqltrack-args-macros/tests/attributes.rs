//! What compiles and what does not. The programs in `pass/` also run, with an empty command line.

#[test]
fn programs_compile_or_say_why_not() {
    let programs = trybuild::TestCases::new();
    programs.pass("tests/pass/*.rs");
    programs.compile_fail("tests/fail/*.rs");
}
