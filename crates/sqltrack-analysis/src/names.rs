//! Names of columns for those who want each name once.

use std::collections::HashSet;

use sqltrack_core::Column;

/// The names of the columns, each once: one that a query uses again gets a number.
///
/// ```
/// use sqltrack_core::Column;
///
/// let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
/// let columns = ["id", "id", "loss"].map(column);
/// assert_eq!(sqltrack_analysis::unique_names(&columns), ["id", "id_2", "loss"]);
/// ```
#[must_use]
pub fn unique_names(columns: &[Column]) -> Vec<String> {
    let mut used: HashSet<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut seen = HashSet::new();
    let name = |column: &Column| {
        if seen.insert(column.name.clone()) {
            return column.name.clone();
        }
        let numbered = (2..).map(|number| format!("{}_{number}", column.name));
        let free = numbered.into_iter().find(|name| used.insert(name.clone()));
        free.unwrap_or_default()
    };
    columns.iter().map(name).collect()
}
