//! Pages that need nothing but themselves: no network, no other file.

/// A text as it stands in HTML, XML, and their attributes in double quotes.
///
/// ```
/// assert_eq!(sqltrack_analysis::html::escape("a < \"b\" & 'c'"), "a &lt; &quot;b&quot; &amp; &#39;c&#39;");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no other ones.
            c if c.is_control() && !matches!(c, '\n' | '\t' | '\r') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// JSON as it may stand in a `<script>`: no text in it can end the element.
pub(crate) fn json(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// What a page may load: nothing but what stands in it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// A page with a title, styles, a body and scripts.
pub(crate) fn page(title: &str, styles: &[&str], body: &str, scripts: &[&str]) -> String {
    let styles: String = styles.iter().map(|style| format!("<style>\n{style}</style>\n")).collect();
    let scripts: String = scripts.iter().map(|script| format!("<script>\n{script}</script>\n")).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<link rel=\"icon\" href=\"data:,\">\n{styles}</head>\n<body>\n{body}\n{scripts}</body>\n</html>\n",
        escape(title)
    )
}
