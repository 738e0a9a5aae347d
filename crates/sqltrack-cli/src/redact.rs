//! Keeping secrets out of what a run records of its command.

/// What stands in the place of a secret.
const MASK: &str = "****";
/// Parts of the names of variables and options that hold secrets, and ends of such names, in upper case.
const SECRET_PARTS: [&str; 5] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"];
const SECRET_ENDS: [&str; 3] = ["_KEY", "_PASS", "_PWD"];
/// A shorter value would be found in the middle of words.
const SHORTEST: usize = 6;

/// Takes secrets out of texts.
pub(crate) trait Redact {
    /// The text with every secret in it masked.
    fn text(&self, text: &str) -> String;

    /// The words of a command line with every secret in them masked, those behind an option like `--token` too.
    fn arguments(&self, words: &[String]) -> Vec<String>;
}

/// Masks the values of this process' secret variables wherever they stand, and the passwords in URLs.
pub(crate) struct KnownSecrets {
    values: Vec<String>,
}

impl KnownSecrets {
    /// The secrets of this process.
    pub(crate) fn of_process() -> Self {
        Self::new(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let secret = variables.into_iter().filter(|(name, value)| is_secret(name) && value.len() >= SHORTEST);
        let mut values: Vec<String> = secret.map(|(_, value)| value).collect();
        // One may be part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { values }
    }
}

impl Redact for KnownSecrets {
    fn text(&self, text: &str) -> String {
        let text = self.values.iter().fold(text.to_owned(), |text, value| text.replace(value, MASK));
        without_passwords(&text)
    }

    fn arguments(&self, words: &[String]) -> Vec<String> {
        let mut is_value = false;
        let mut masked = Vec::with_capacity(words.len());
        for word in words {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(n, v)| (n, Some(v)));
            let is_option = is_secret(&name.trim_start_matches('-').replace('-', "_"));
            masked.push(match value {
                _ if std::mem::take(&mut is_value) => MASK.to_owned(),
                Some(_) if is_option => format!("{name}={MASK}"),
                _ => self.text(word),
            });
            is_value = is_option && value.is_none() && word.starts_with('-');
        }
        masked
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_PARTS.iter().any(|part| name.contains(part)) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// The text with the password of every URL in it masked: `postgres://user:****@host`.
fn without_passwords(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + 3);
        masked.push_str(before);
        let word = after.find(char::is_whitespace).unwrap_or(after.len());
        let authority = after[..word].find(['/', '?', '#']).unwrap_or(word);
        // A password may hold the characters that should end it, so the last `@` before white space counts.
        let end = after[..authority].rfind('@').or_else(|| after[..word].rfind('@'));
        match end.map(|end| (end, after[..end].find(':'))) {
            Some((end, Some(colon))) => {
                masked.push_str(&after[..=colon]);
                masked.push_str(MASK);
                rest = &after[end..];
            }
            _ => rest = after,
        }
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> KnownSecrets {
        let variables =
            [("API_TOKEN", "canary"), ("PGPASSWORD", "canary-two"), ("HOME", "/home/a"), ("A_KEY", "x")];
        KnownSecrets::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn secret_values_are_masked_wherever_they_stand() {
        let text = "a canary in canary-two of /home/a x postgres://u:hunter2@db/x";
        assert_eq!(secrets().text(text), "a **** in **** of /home/a x postgres://u:****@db/x");
    }

    #[test]
    fn secret_options_lose_their_values() {
        let words = [
            "train",
            "--token",
            "abc",
            "--api-key=def",
            "--lr",
            "0.1",
            "url=http://u:p@h",
            "WANDB_API_KEY=x",
        ];
        let masked = secrets().arguments(&words.map(str::to_owned));
        let expected = [
            "train",
            "--token",
            "****",
            "--api-key=****",
            "--lr",
            "0.1",
            "url=http://u:****@h",
            "WANDB_API_KEY=****",
        ];
        assert_eq!(masked, expected);
    }
}
