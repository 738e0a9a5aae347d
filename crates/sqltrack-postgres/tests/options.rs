//! Settings become what the driver takes, whatever `PG*` variables the driver reads by itself.
#![expect(clippy::result_large_err, reason = "what a Jail's closure returns is not ours to shrink")]

use std::time::Duration;

use figment::Jail;
use sqltrack_engines::{Environment, Settings};
use sqltrack_postgres::{OptionsError, PostgresOptions};

/// Resolves `alice`'s settings in a folder of its own, which is also the home directory, with these
/// variables set for the process.
fn with(
    variables: &[(&str, &str)],
    files: &[&str],
    settings: &[(&str, &str)],
    check: impl Fn(Result<PostgresOptions, OptionsError>),
) {
    Jail::expect_with(|jail| {
        jail.clear_env();
        variables.iter().for_each(|(name, value)| jail.set_env(name, value));
        for path in files {
            if let Some((folder, _)) = path.rsplit_once('/') {
                jail.create_dir(folder)?;
            }
            jail.create_file(path, "")?;
        }
        let base = [("user", "alice"), ("dbname", "runs"), ("host", "db")];
        let settings = Settings::from_iter(base.into_iter().chain(settings.iter().copied()));
        let home = Environment::from_iter([("HOME", jail.directory())]);
        check(PostgresOptions::new(&settings, &home));
        Ok(())
    });
}

fn accept(variables: &[(&str, &str)], settings: &[(&str, &str)], check: impl Fn(PostgresOptions)) {
    with(variables, &[], settings, |options| check(options.unwrap()));
}

fn refuse(variables: &[(&str, &str)], settings: &[(&str, &str)], message: &str) {
    with(variables, &[], settings, |options| assert_eq!(options.unwrap_err().to_string(), message));
}

#[test]
fn what_is_configured_wins_over_what_the_driver_reads_by_itself() {
    let variables = [
        ("PGHOST", "other"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPORT", "1"),
        ("PGUSER", "bob"),
        ("PGDATABASE", "x"),
        ("PGPASSWORD", "hunter2"),
        ("PGSSLMODE", "disable"),
        ("PGAPPNAME", "app"),
    ];
    accept(&variables, &[("sslmode", "require")], |options| {
        let connect = &options.connect;
        assert_eq!((connect.get_host(), connect.get_port()), ("db", 5432));
        assert_eq!((connect.get_username(), connect.get_database()), ("alice", Some("runs")));
        assert_eq!(connect.get_application_name(), Some("sqltrack"));
        assert_eq!(format!("{:?}", connect.get_ssl_mode()), "Require");
        assert!(!format!("{connect:?}").contains("hunter2"));
        assert_eq!(options.password_source(), None);
        assert_eq!(options.description, "database `runs` on db:5432 as `alice`");
    });
}

#[test]
fn what_the_driver_reads_by_itself_and_cannot_forget_is_an_error() {
    refuse(
        &[("PGOPTIONS", "-c geqo=off")],
        &[],
        "the driver would use PGOPTIONS although its `geqo` is not part of the configured `options`; \
         unset PGOPTIONS",
    );
    refuse(
        &[("PGSSLCERT", "x")],
        &[],
        "the driver would use PGSSLCERT although the configuration has no client certificate; \
         unset PGSSLCERT",
    );
    accept(
        &[("PGSSLCERT", "x"), ("PGOPTIONS", "-c a=1")],
        &[("sslmode", "disable"), ("options", "-c a=2")],
        |_| (),
    );
}

#[test]
fn schemas_and_options_are_one_text_for_the_server() {
    let schema = r#"a b,"c""d\e",$user"#;
    accept(&[], &[("schema", schema), ("options", "-c geqo=off --statement-timeout=5s")], |options| {
        assert_eq!(options.schemas, ["a b", "c\"d\\e", "$user"]);
        assert_eq!(
            options.connect.get_options(),
            Some(r#"-c geqo=off -c statement_timeout=5s -c search_path="a\ b","c""d\\e","$user""#)
        );
    });
    accept(&[], &[], |options| assert_eq!(options.connect.get_options(), None));
}

#[test]
fn a_directory_as_host_is_a_socket_without_tls() {
    accept(&[], &[("host", "/run/pg"), ("sslmode", "verify-full")], |options| {
        assert_eq!(options.connect.get_socket().unwrap().to_str(), Some("/run/pg"));
        assert_eq!(format!("{:?}", options.connect.get_ssl_mode()), "Disable");
        assert_eq!(options.description, "database `runs` on the socket in /run/pg (port 5432) as `alice`");
    });
}

#[test]
fn an_address_is_connected_to_in_place_of_the_host() {
    accept(&[], &[("hostaddr", "::1")], |options| {
        assert_eq!(options.connect.get_host(), "::1");
        assert_eq!(options.description, "database `runs` on [::1]:5432 as `alice`");
    });
    refuse(
        &[],
        &[("hostaddr", "::1"), ("sslmode", "verify-full"), ("sslrootcert", "system")],
        "`hostaddr` from parameter is `::1`: the driver cannot verify the name in `host` while connecting \
         to an address; remove one of the two",
    );
}

#[test]
fn a_mode_without_something_to_verify_with_is_refused() {
    for mode in ["verify-ca", "verify-full"] {
        let message = format!(
            "`sslmode` from parameter is `{mode}`: there is no certificate to verify with; set \
             `sslrootcert` to the authority's file or to `system`"
        );
        refuse(&[], &[("sslmode", mode)], &message);
    }
    refuse(
        &[],
        &[("sslrootcert", "system"), ("sslmode", "require")],
        "`sslmode` from parameter is `require`: `sslrootcert` is `system`; expected `verify-full`",
    );
    refuse(
        &[],
        &[("sslrootcert", "none.crt")],
        "`sslrootcert` from parameter is `none.crt`: No such file or directory (os error 2); correct the path",
    );
}

#[test]
fn what_a_pooler_does_not_pass_on_is_refused() {
    accept(&[], &[], |options| assert!(!options.is_pooled));
    accept(&[], &[("pooler", "none"), ("schema", "track")], |options| assert!(!options.is_pooled));
    accept(&[], &[("pooler", "transaction"), ("schema", "")], |options| assert!(options.is_pooled));
    refuse(
        &[],
        &[("pooler", "session")],
        "`pooler` from parameter is `session`: expected `none` or `transaction`",
    );
    refuse(
        &[],
        &[("pooler", "transaction"), ("schema", "track")],
        "`schema` from parameter is `track`: a pooler in transaction mode does not pass it on; remove it, and set it \
         for the role on the server: `ALTER ROLE … SET search_path = …`",
    );
    refuse(
        &[],
        &[("pooler", "transaction"), ("options", "-c geqo=off")],
        "`options` from parameter is `-c geqo=off`: a pooler in transaction mode does not pass it on; remove it, and \
         set it for the role on the server: `ALTER ROLE … SET … = …`",
    );
    refuse(
        &[("PGOPTIONS", "-c geqo=off")],
        &[("pooler", "transaction")],
        "the driver would use PGOPTIONS although its `geqo` is not part of the configured `options`; \
         unset PGOPTIONS",
    );
}

#[test]
fn a_certificate_at_hand_makes_the_mode_stricter() {
    let check = |files: &[&str], settings: &[(&str, &str)], mode: &str| {
        with(&[], files, settings, |options| {
            assert_eq!(format!("{:?}", options.unwrap().connect.get_ssl_mode()), mode, "{settings:?}");
        });
    };
    check(&[], &[], "Prefer");
    check(&[], &[("sslrootcert", "system")], "VerifyFull");
    check(&["ca.crt"], &[("sslrootcert", "ca.crt")], "Prefer");
    check(&["ca.crt"], &[("sslrootcert", "ca.crt"), ("sslmode", "require")], "VerifyCa");
    check(&["ca.crt"], &[("sslrootcert", "ca.crt"), ("sslmode", "verify-full")], "VerifyFull");
    check(&[".postgresql/root.crt"], &[("sslmode", "require")], "VerifyCa");
    check(&[".postgresql/root.crt"], &[("sslmode", "disable")], "Disable");
}

#[test]
fn a_client_certificate_needs_its_key() {
    let settings = [("sslcert", "a.crt")];
    with(&[], &["a.crt"], &settings, |options| {
        assert_eq!(
            options.unwrap_err().to_string(),
            "`sslcert` from parameter is `a.crt`: it needs its private key; set `sslkey`"
        );
    });
    with(&[], &["a.crt", ".postgresql/postgresql.key"], &settings, |options| {
        assert!(format!("{:?}", options.unwrap().connect).contains("postgresql.key"));
    });
}

#[test]
fn the_password_file_is_asked_for_the_effective_target() {
    let check = |settings: &[(&str, &str)], expected: Option<&str>| {
        Jail::expect_with(|jail| {
            jail.clear_env();
            jail.create_file(".pgpass", "db:5432:runs:alice:hunter2\ndb:7:*:bob:hunter3\n")?;
            private(".pgpass");
            let base = [("user", "alice"), ("dbname", "runs"), ("host", "db")];
            let settings = Settings::from_iter(base.into_iter().chain(settings.iter().copied()));
            let env = Environment::from_iter([("HOME", ".")]);
            let options = PostgresOptions::new(&settings, &env).unwrap();
            assert_eq!(options.settings.value("password"), expected);
            assert!(!format!("{options:?}").contains("hunter"), "{options:?}");
            Ok(())
        });
    };
    check(&[], Some("hunter2"));
    check(&[("user", "bob"), ("port", "7")], Some("hunter3"));
    check(&[("password", "own")], Some("own"));
    check(&[("host", "other")], None);
    check(&[("passfile", "no/such/file")], None);
}

#[cfg(unix)]
fn private(path: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &str) {}

#[test]
fn the_timeout_is_in_seconds_and_0_is_for_ever() {
    let check = |value: &str, expected: Option<u64>| {
        accept(&[], &[("connect_timeout", value)], |options| {
            assert_eq!(options.connect_timeout, expected.map(Duration::from_secs), "{value}");
        });
    };
    check("3", Some(3));
    check("0", None);
    check("-1", None);
    check("", None);
}

#[test]
fn a_database_is_named_as_its_user_if_nobody_says() {
    accept(&[], &[("dbname", "")], |options| {
        assert_eq!(options.connect.get_database(), Some("alice"));
        assert_eq!(options.settings.get("dbname").unwrap().source().to_string(), "default (same as user)");
    });
}
