//! The page of the book that shows the figures.

use anyhow::{Context as _, Result};

/// Where the figures begin on the page.
const START: &str = "<!-- figures -->";
const END: &str = "<!-- end of figures -->";

/// The page with other figures between the markers.
pub(crate) fn insert(page: &str, figures: &str) -> Result<String> {
    let (before, rest) = page.split_once(START).with_context(|| format!("the page lacks `{START}`"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("the page lacks `{END}`"))?;
    Ok(format!("{before}{START}\n\n{}\n\n{END}{after}", figures.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_take_the_place_of_older_ones() {
        let page = format!("# Speed\n\n{START}\nold\n{END}\n\nend\n");
        let new = insert(&page, "one\n").unwrap();
        assert_eq!(new, format!("# Speed\n\n{START}\n\none\n\n{END}\n\nend\n"));
        assert_eq!(insert(&new, "one\n").unwrap(), new);
    }

    #[test]
    fn a_page_without_markers_is_left_alone() {
        assert!(insert("# Speed", "one").is_err());
        assert!(insert(START, "one").is_err());
    }
}
