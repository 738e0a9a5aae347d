//! `url`: one parameter that stands for several others.

use super::{ConfigError, Dialect, Parameter, Source, names};

/// A parameter out of a url: its name, value and source.
type Part = (String, String, Source);

/// Takes a url apart. Its source is part of the source of each parameter; the url itself is never
/// shown, since pieces of a password that was not percent-encoded may be anywhere in it.
pub(super) fn expand(url: &str, origin: &Source) -> Result<Vec<Part>, ConfigError> {
    let parts = pieces(url).map_err(|reason| ConfigError::Url { origin: origin.clone(), reason })?;
    let source = Source::Url(Box::new(origin.clone()));
    let mut known: Vec<Part> = Vec::with_capacity(parts.len());
    for (name, value) in parts {
        names::check(&name, &source)?;
        if known.iter().any(|(first, ..)| *first == name) {
            let reason = format!("it sets `{name}` twice; remove one");
            return Err(ConfigError::Url { origin: origin.clone(), reason });
        }
        known.push((name, value, source.clone()));
    }
    Ok(known)
}

fn pieces(url: &str) -> Result<Vec<(String, String)>, String> {
    let (scheme, rest) = url.split_once(':').ok_or(EXPECTED)?;
    let engine: Dialect = match scheme.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" => Dialect::Postgres,
        "sqlite" => Dialect::Sqlite,
        _ => return Err(EXPECTED.to_owned()),
    };
    let mut parts = vec![("engine".to_owned(), engine.name().to_owned())];
    if engine == Dialect::Sqlite {
        parts.push(("dbpath".to_owned(), sqlite_path(rest)?));
    } else {
        postgres_parts(rest.strip_prefix("//").ok_or(EXPECTED)?, &mut parts)?;
    }
    Ok(parts)
}

const EXPECTED: &str = "expected postgres://user@host:port/dbname or sqlite:path";

fn sqlite_path(rest: &str) -> Result<String, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains('?') {
        return Err("a sqlite url has no parameters; a `?` in the path is written %3F".to_owned());
    }
    if path.is_empty() {
        return Err("there is no path in it; expected sqlite:path".to_owned());
    }
    decode(path)
}

fn postgres_parts(rest: &str, parts: &mut Vec<(String, String)>) -> Result<(), String> {
    let (location, query) = rest.split_once('?').map_or((rest, ""), |(location, query)| (location, query));
    let (authority, path) = location.split_once('/').unwrap_or((location, ""));
    // Else the piece of a password before a slash would be taken, and shown, for a host.
    if path.contains('@') {
        return Err("`/` in a user or password is written %2F, and `@` in a dbname %40".to_owned());
    }
    let (userinfo, server) =
        authority.rsplit_once('@').map_or(("", authority), |(userinfo, server)| (userinfo, server));
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let (host, port) = host_and_port(server)?;
    for (name, value) in
        [("user", user), ("password", password), ("host", host), ("port", port), ("dbname", path)]
    {
        if !value.is_empty() {
            parts.push((name.to_owned(), decode(value)?));
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        parts.push(query_part(pair)?);
    }
    Ok(())
}

fn host_and_port(server: &str) -> Result<(&str, &str), String> {
    if server.contains(',') {
        return Err("it names several hosts, and the driver takes one; choose one".to_owned());
    }
    let (host, port) = match server.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or("a `[` in it is not closed")?;
            match after.strip_prefix(':') {
                Some(port) => (host, port),
                None if after.is_empty() => (host, ""),
                None => return Err("expected a port after `]`".to_owned()),
            }
        }
        None => server.rsplit_once(':').unwrap_or((server, "")),
    };
    if !port.is_empty() && !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err("its port is not a number from 1 to 65535".to_owned());
    }
    Ok((host, port))
}

fn query_part(pair: &str) -> Result<(String, String), String> {
    let (name, value) = pair.split_once('=').ok_or("expected name=value between `?` and `&`")?;
    let (name, value) = (decode(name)?, decode(value)?);
    if name == "ssl" && value == "true" {
        return Ok(("sslmode".to_owned(), "require".to_owned()));
    }
    // Unknown names are reported elsewhere, with the nearest known one.
    let is_apart = Parameter::named(&name).is_some_and(|known| known.engines != [Dialect::Postgres]);
    if is_apart {
        return Err(format!("`{name}` cannot be part of it; set it by itself"));
    }
    Ok((name, value))
}

fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.extend(u8::try_from(high * 16 + low)),
            _ => return Err("a `%` in it is not followed by two hexadecimal digits; write it %25".to_owned()),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 after decoding `%`".to_owned())?;
    if text.contains('\0') { Err("it contains %00".to_owned()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin() -> Source {
        Source::Env("SQLTRACK_DSN_URL".to_owned())
    }

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let parts = expand(url, &origin()).unwrap();
        let shown: Vec<_> = parts.iter().map(|(name, value, _)| format!("{name}={value}")).collect();
        assert_eq!(shown.join(" "), expected, "{url}");
    }

    #[track_caller]
    fn refuse(url: &str, reason: &str) {
        let message = expand(url, &origin()).unwrap_err().to_string();
        assert_eq!(message, format!("`url` from SQLTRACK_DSN_URL: {reason}"), "{url}");
    }

    #[test]
    fn postgres_urls() {
        check("postgres://", "engine=postgres");
        check("postgresql:///runs", "engine=postgres dbname=runs");
        check("POSTGRES://db", "engine=postgres host=db");
        check(
            "postgres://al%20ice:p%40%3A%25w@db:5433/r%2Fs",
            "engine=postgres user=al ice password=p@:%w host=db port=5433 dbname=r/s",
        );
        check("postgres://a@b@db", "engine=postgres user=a@b host=db");
        check("postgres://[::1]:5433/x", "engine=postgres host=::1 port=5433 dbname=x");
        check("postgres://[::1]", "engine=postgres host=::1");
        check("postgres://%2Frun%2Fpg/x", "engine=postgres host=/run/pg dbname=x");
        check(
            "postgres:///db?host=/dir&user=u&schema=a,b&connect_timeout=3",
            "engine=postgres dbname=db host=/dir user=u schema=a,b connect_timeout=3",
        );
        check("postgres://db?ssl=true&", "engine=postgres host=db sslmode=require");
    }

    #[test]
    fn sqlite_urls() {
        check("sqlite:runs.db", "engine=sqlite dbpath=runs.db");
        check("sqlite://runs.db", "engine=sqlite dbpath=runs.db");
        check("sqlite:///data/my%20runs.db", "engine=sqlite dbpath=/data/my runs.db");
    }

    #[test]
    fn urls_that_make_no_sense_are_refused() {
        for bad in ["", "mysql://x", "postgres:x", "runs.db"] {
            refuse(bad, EXPECTED);
        }
        refuse("sqlite://", "there is no path in it; expected sqlite:path");
        refuse("sqlite:a?mode=ro", "a sqlite url has no parameters; a `?` in the path is written %3F");
        refuse("postgres://a,b/x", "it names several hosts, and the driver takes one; choose one");
        refuse("postgres://h:0", "its port is not a number from 1 to 65535");
        refuse("postgres://h/x?port", "expected name=value between `?` and `&`");
        refuse("postgres://h/x?host=y", "it sets `host` twice; remove one");
        refuse("postgres://h/x?dbpath=y", "`dbpath` cannot be part of it; set it by itself");
        refuse("postgres://h/%zz", "a `%` in it is not followed by two hexadecimal digits; write it %25");
        refuse("postgres://h/%00", "it contains %00");
        let unknown = expand("postgres://h/x?usr=y", &origin()).unwrap_err().to_string();
        assert_eq!(unknown, "unknown parameter `usr` from the url in SQLTRACK_DSN_URL; did you mean `user`?");
    }

    #[test]
    fn no_piece_of_an_unencoded_password_is_shown() {
        for url in [
            "postgres://u:hunter/2@h/x",
            "postgres://u:hunter?2@h/x",
            "postgres://u:hunter?a=2@h/x",
            "postgres://u:hunter?2@h=x",
            "postgres://u:hunter%2@h/x",
            "mysql://u:hunter@h",
        ] {
            let err = expand(url, &origin());
            let shown = match &err {
                Err(err) => format!("{err} {err:?}"),
                Ok(_) => panic!("{url} was accepted"),
            };
            assert!(!shown.contains("hunter") && !shown.contains("2@"), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read(parts in prop::array::uniform4("[ -~é😀]{1,8}"), port in 1u16..) {
            let encode = |part: &String| part.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let [user, password, host, dbname] = parts.each_ref().map(encode);
            let url = format!("postgres://{user}:{password}@{host}:{port}/{dbname}");
            let values: Vec<_> =
                expand(&url, &origin()).unwrap().into_iter().map(|(_, value, _)| value).collect();
            let [user, password, host, dbname] = parts;
            prop_assert_eq!(values, ["postgres".to_owned(), user, password, host, port.to_string(), dbname]);
        }

        #[test]
        fn no_url_is_a_panic(rest in "[a:/@?&=%\\[\\]é,0-9]{0,30}") {
            drop(expand(&format!("postgres://{rest}"), &origin()));
            drop(expand(&format!("sqlite:{rest}"), &origin()));
        }
    }
}
