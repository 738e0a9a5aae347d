//! The terminal sessions of the README and the book, one test for each page. With `SQLTRACK_DOCS=rewrite`, pages are
//! made to say what their commands print.

use libtest_mimic::{Arguments, Failed, Trial};
use sqltrack_docs::{Page, check, pages};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = Arguments::from_args();
    // The pages with a server make and drop the same role.
    arguments.test_threads = Some(1);
    let trials = pages()?.into_iter().map(|page| Trial::test(page.path.clone(), move || test(&page)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn test(page: &Page) -> Result<(), Failed> {
    let mut rewritten = String::new();
    let checked = check(page, &mut rewritten);
    if checked.is_err() && std::env::var_os("SQLTRACK_DOCS").is_some_and(|wish| wish == "rewrite") {
        page.replace(&rewritten)?;
    }
    Ok(checked?)
}
