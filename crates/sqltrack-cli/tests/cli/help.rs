//! The help pages, as they are in `tests/help`. `TRYCMD=overwrite` writes them anew.

#[test]
fn help_pages_are_as_kept() {
    trycmd::TestCases::new().env("NO_COLOR", "1").case("tests/help/*.trycmd");
}
