//! `pooler`: what stands between here and the server, and what it does not pass on.

use sqltrack_engines::{InvalidSetting, Settings};

/// Whether a pooler in transaction mode is between here and the server.
///
/// Such a pooler gives every transaction another connection of the server, so that settings of the session have no
/// place to be: `PgBouncer` refuses or drops them, and names would resolve elsewhere than they were told to.
pub(super) fn is_between(settings: &Settings) -> Result<bool, InvalidSetting> {
    let is_between = settings.value("pooler").is_some_and(|value| value.eq_ignore_ascii_case("transaction"));
    if !is_between {
        return Ok(false);
    }
    for (name, what) in [("schema", "search_path"), ("options", "…")] {
        if settings.value(name).is_some() {
            let reason = format!(
                "a pooler in transaction mode does not pass it on; remove it, and set it for the role on the \
                 server: `ALTER ROLE … SET {what} = …`"
            );
            return Err(settings.invalid(name, reason));
        }
    }
    Ok(true)
}
