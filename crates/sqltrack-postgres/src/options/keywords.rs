//! Which values of the connection parameters the driver can honor. Everything else is an error, since
//! a parameter that is ignored may be the one that kept a connection safe.

use std::net::IpAddr;
use std::time::Duration;

use sqltrack_engines::{Dialect, InvalidSetting, Parameter, Settings};

use super::{schema, session};

/// Checks the value of every parameter of Postgres, without looking at any file.
///
/// # Errors
///
/// [`InvalidSetting`] for the first value that cannot be used.
///
/// ```
/// use sqltrack_engines::Settings;
/// use sqltrack_postgres::options;
///
/// let err = options::check(&Settings::from_iter([("port", "abc")])).unwrap_err();
/// assert_eq!(err.to_string(), "`port` from parameter is `abc`: expected a number from 1 to 65535");
/// ```
pub fn check(settings: &Settings) -> Result<(), InvalidSetting> {
    for (name, setting) in settings.iter() {
        let is_ours = Parameter::named(name).is_some_and(|known| known.is_for(Dialect::Postgres));
        if is_ours && !setting.value().is_empty() {
            check_value(name, setting.value()).map_err(|reason| settings.invalid(name, reason))?;
        }
    }
    Ok(())
}

/// The port of the server.
pub(super) fn port(settings: &Settings) -> Result<u16, InvalidSetting> {
    const DEFAULT: u16 = 5432;
    let Some(value) = settings.value("port") else { return Ok(DEFAULT) };
    parse_port(value).map_err(|reason| settings.invalid("port", reason))
}

/// How long to wait for a connection; `None` is for ever.
pub(super) fn connect_timeout(settings: &Settings) -> Result<Option<Duration>, InvalidSetting> {
    let Some(value) = settings.value("connect_timeout") else { return Ok(None) };
    let seconds = parse_seconds(value).map_err(|reason| settings.invalid("connect_timeout", reason))?;
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

/// The reason why a value cannot be used, or what is expected instead.
fn check_value(name: &str, value: &str) -> Result<(), String> {
    if value.contains('\0') {
        return Err("it contains a NUL character".to_owned());
    }
    match name {
        "host" => check_host(value),
        "hostaddr" => check_address(value),
        "port" => parse_port(value).map(drop),
        "connect_timeout" => parse_seconds(value).map(drop),
        "schema" => schema::parse(value).map(drop),
        "options" => session::parse(value).map(drop),
        "sslmode" if value == "allow" => {
            Err("the driver does not try again with TLS; use `prefer` or `disable`".to_owned())
        }
        _ => match accepted(name) {
            Accepted::Any => Ok(()),
            Accepted::None(why) => Err(format!("{why}; remove it")),
            Accepted::Only(values, why) => check_listed(value, values, why),
        },
    }
}

/// The values that a keyword may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepted {
    Any,
    None(&'static str),
    Only(&'static [&'static str], &'static str),
}

const NO_GSSAPI: &str = "the driver has no GSSAPI";
const NO_CRL: &str = "the driver does not check revocation lists";
const NO_KEEPALIVE: &str = "the driver does not set this on its sockets";

fn accepted(name: &str) -> Accepted {
    use Accepted::{Any, None, Only};
    match name {
        "sslmode" => Only(&["disable", "prefer", "require", "verify-ca", "verify-full"], ""),
        "pooler" => Only(&["none", "transaction"], ""),
        "client_encoding" => Only(&["utf8", "utf-8", "unicode", "auto"], "the driver speaks UTF-8"),
        "sslpassword" => None("the driver reads only keys without a passphrase"),
        "sslcertmode" => Only(&["allow", "disable"], "the driver cannot insist on a client certificate"),
        "sslcrl" | "sslcrldir" => None(NO_CRL),
        "sslsni" => Only(&["1"], "the driver always sends the server's name"),
        "sslcompression" => Only(&["0"], "the driver does not compress"),
        "sslnegotiation" => Only(&["postgres"], "the driver cannot start with TLS"),
        "ssl_min_protocol_version" => {
            Only(&["tlsv1", "tlsv1.1", "tlsv1.2"], "the driver picks TLS 1.2 or 1.3")
        }
        "ssl_max_protocol_version" => Only(&["tlsv1.3"], "the driver picks TLS 1.2 or 1.3"),
        "channel_binding" => Only(&["prefer", "disable"], "the driver cannot bind to the channel"),
        "require_auth" => None("the driver lets the server choose how to authenticate"),
        "requirepeer" => None("the driver does not check who owns a socket"),
        "gssencmode" => Only(&["prefer", "disable"], NO_GSSAPI),
        "gssdelegation" => Only(&["0"], NO_GSSAPI),
        "gsslib" | "krbsrvname" => None(NO_GSSAPI),
        "target_session_attrs" => Only(&["any"], "the driver takes the server it is given"),
        "load_balance_hosts" => Only(&["disable"], "the driver takes one host"),
        "replication" => Only(&["false", "off", "no", "0"], "the driver has no replication protocol"),
        "keepalives"
        | "keepalives_idle"
        | "keepalives_interval"
        | "keepalives_count"
        | "tcp_user_timeout" => Only(&["0"], NO_KEEPALIVE),
        _ => Any,
    }
}

fn check_listed(value: &str, values: &[&str], why: &str) -> Result<(), String> {
    if values.iter().any(|known| known.eq_ignore_ascii_case(value)) {
        return Ok(());
    }
    let values: Vec<_> = values.iter().map(|known| format!("`{known}`")).collect();
    let expected = format!("expected {}", values.join(" or "));
    Err(if why.is_empty() { expected } else { format!("{why}; {expected}") })
}

fn check_host(value: &str) -> Result<(), String> {
    if value.contains(',') {
        return Err("the driver takes one host; choose one".to_owned());
    }
    if value.starts_with('@') {
        return Err("the driver cannot use abstract sockets; expected a name or a directory".to_owned());
    }
    Ok(())
}

fn check_address(value: &str) -> Result<(), String> {
    if value.contains(',') {
        return Err("the driver takes one address; choose one".to_owned());
    }
    let expected = "expected an address like 192.0.2.1 or 2001:db8::1";
    value.parse::<IpAddr>().map(drop).map_err(|_| expected.to_owned())
}

fn parse_port(value: &str) -> Result<u16, String> {
    if value.contains(',') {
        return Err("the driver takes one host and port; choose one".to_owned());
    }
    let number = value.parse::<u16>().ok().filter(|port| *port > 0);
    number.ok_or_else(|| "expected a number from 1 to 65535".to_owned())
}

fn parse_seconds(value: &str) -> Result<i32, String> {
    value.parse().map_err(|_| "expected whole seconds; 0 waits for ever".to_owned())
}

#[cfg(test)]
mod tests {
    use sqltrack_engines::PARAMETERS;

    use super::*;

    #[track_caller]
    fn accepts(name: &str, value: &str) {
        check(&Settings::from_iter([(name, value)])).unwrap();
    }

    #[track_caller]
    fn refuses(name: &str, value: &str, message: &str) {
        let err = check(&Settings::from_iter([(name, value)])).unwrap_err();
        assert_eq!(err.to_string(), message);
    }

    #[test]
    fn what_the_driver_does_anyway_is_accepted() {
        for (name, value) in [
            ("gssencmode", "disable"),
            ("gssencmode", "prefer"),
            ("target_session_attrs", "any"),
            ("channel_binding", "prefer"),
            ("keepalives", "0"),
            ("client_encoding", "UTF8"),
            ("ssl_min_protocol_version", "TLSv1.2"),
            ("hostaddr", "::1"),
            ("connect_timeout", "0"),
            ("connect_timeout", "-1"),
            ("channel_binding", ""),
        ] {
            accepts(name, value);
        }
    }

    #[test]
    fn what_the_driver_cannot_do_is_refused() {
        refuses(
            "channel_binding",
            "require",
            "`channel_binding` from parameter is `require`: the driver cannot bind to the channel; \
             expected `prefer` or `disable`",
        );
        refuses(
            "sslcrl",
            "x",
            "`sslcrl` from parameter is `x`: the driver does not check revocation lists; remove it",
        );
        refuses("host", "a,b", "`host` from parameter is `a,b`: the driver takes one host; choose one");
        refuses(
            "sslmode",
            "on",
            "`sslmode` from parameter is `on`: expected `disable` or `prefer` or `require` or `verify-ca` or `verify-full`",
        );
        refuses(
            "connect_timeout",
            "5s",
            "`connect_timeout` from parameter is `5s`: expected whole seconds; 0 waits for ever",
        );
    }

    #[test]
    fn a_secret_is_not_shown() {
        refuses(
            "sslpassword",
            "hunter2",
            "`sslpassword` from parameter: the driver reads only keys without a passphrase; remove it",
        );
        refuses("password", "hunter2\0", "`password` from parameter: it contains a NUL character");
    }

    #[test]
    fn ports_are_from_1_to_65535() {
        for bad in ["0", "65536", "-1", "5432x", " 5432", "1,2"] {
            assert!(check(&Settings::from_iter([("port", bad)])).is_err(), "{bad}");
        }
        accepts("port", "1");
        accepts("port", "65535");
    }

    #[test]
    fn the_table_says_not_supported_exactly_where_no_value_is() {
        for parameter in PARAMETERS.iter().filter(|parameter| parameter.is_for(Dialect::Postgres)) {
            let none = matches!(accepted(parameter.name), Accepted::None(_));
            assert_eq!(parameter.help.starts_with("not supported"), none, "{}", parameter.name);
        }
    }
}
