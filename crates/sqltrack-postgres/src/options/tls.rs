//! TLS as libpq understands `sslmode` and the files around it, in terms of what the driver does.

use std::path::{Path, PathBuf};

use sqltrack_engines::{Environment, Settings};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::OptionsError;

/// Sets up TLS for a connection to `server`.
///
/// # Errors
///
/// [`OptionsError`] if a file is missing or the mode makes no sense with the rest.
pub(super) fn apply(
    connect: PgConnectOptions,
    settings: &Settings,
    env: &Environment,
) -> Result<PgConnectOptions, OptionsError> {
    let root = Root::find(settings, env)?;
    let mode = mode(settings, &root)?;
    if matches!(mode, PgSslMode::Disable) {
        return Ok(connect.ssl_mode(mode));
    }
    let connect = match root {
        Root::File(path) => {
            warn_of_system_authorities(settings, &path, env);
            connect.ssl_root_cert(path)
        }
        // Without a file of its own, no certificates: the driver may have taken one from PGSSLROOTCERT.
        Root::System | Root::None => connect.ssl_root_cert_from_pem(Vec::new()),
    };
    apply_client_certificate(connect.ssl_mode(mode), settings, env)
}

/// Whose certificates are trusted.
#[derive(Debug)]
enum Root {
    None,
    System,
    File(PathBuf),
}

impl Root {
    fn find(settings: &Settings, env: &Environment) -> Result<Self, OptionsError> {
        match settings.value("sslrootcert") {
            Some("system") => Ok(Self::System),
            Some(path) => Ok(Self::File(existing(settings, "sslrootcert", path)?)),
            None => Ok(default_file(env, "root.crt").map_or(Self::None, Self::File)),
        }
    }
}

fn mode(settings: &Settings, root: &Root) -> Result<PgSslMode, OptionsError> {
    let invalid = |reason: &str| Err(settings.invalid("sslmode", reason).into());
    const NO_ROOT: &str =
        "there is no certificate to verify with; set `sslrootcert` to the authority's file or to `system`";
    match (settings.value("sslmode"), root) {
        (Some("disable"), _) => Ok(PgSslMode::Disable),
        (None | Some("verify-full"), Root::System) => Ok(PgSslMode::VerifyFull),
        (Some(_), Root::System) => invalid("`sslrootcert` is `system`; expected `verify-full`"),
        (None | Some("prefer"), _) => Ok(PgSslMode::Prefer),
        (Some("require"), Root::None) => Ok(PgSslMode::Require),
        // libpq verifies as soon as it has something to verify with.
        (Some("require" | "verify-ca"), Root::File(_)) => Ok(PgSslMode::VerifyCa),
        (Some("verify-full"), Root::File(_)) => Ok(PgSslMode::VerifyFull),
        (Some("verify-ca" | "verify-full"), Root::None) => invalid(NO_ROOT),
        (Some(_), _) => invalid("expected `disable`, `prefer`, `require`, `verify-ca` or `verify-full`"),
    }
}

fn apply_client_certificate(
    connect: PgConnectOptions,
    settings: &Settings,
    env: &Environment,
) -> Result<PgConnectOptions, OptionsError> {
    let file = |name: &str, default: &str| match settings.value(name) {
        Some(path) => existing(settings, name, path).map(Some),
        None => Ok(default_file(env, default)),
    };
    let refused = settings.value("sslcertmode") == Some("disable");
    let certificate = if refused { None } else { file("sslcert", "postgresql.crt")? };
    let Some(certificate) = certificate else {
        return refuse_inherited(connect);
    };
    let Some(key) = file("sslkey", "postgresql.key")? else {
        return Err(settings.invalid("sslcert", "it needs its private key; set `sslkey`").into());
    };
    warn_of_open_key(&key);
    Ok(connect.ssl_client_cert(certificate).ssl_client_key(key))
}

/// The driver reads these variables by itself and has no way to forget a client certificate.
fn refuse_inherited(connect: PgConnectOptions) -> Result<PgConnectOptions, OptionsError> {
    match ["PGSSLCERT", "PGSSLKEY"].into_iter().find(|variable| std::env::var(variable).is_ok()) {
        Some(variable) => Err(OptionsError::Inherited {
            variable,
            reason: "the configuration has no client certificate".to_owned(),
        }),
        None => Ok(connect),
    }
}

fn existing(settings: &Settings, name: &str, path: &str) -> Result<PathBuf, OptionsError> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(PathBuf::from(path)),
        Ok(_) => Err(settings.invalid(name, "it is not a file; correct the path").into()),
        Err(err) => Err(settings.invalid(name, format!("{err}; correct the path")).into()),
    }
}

/// One of the files that libpq looks for if nobody says.
fn default_file(env: &Environment, name: &str) -> Option<PathBuf> {
    let folder =
        if cfg!(windows) { env.path("APPDATA")?.join("postgresql") } else { env.home()?.join(".postgresql") };
    Some(folder.join(name)).filter(|path| path.is_file())
}

/// Unlike libpq, the driver adds the file to the system's authorities. With `verify-full` these still
/// have to vouch for the server's name; with `verify-ca` any certificate of theirs would do.
fn warn_of_system_authorities(settings: &Settings, file: &Path, env: &Environment) {
    if settings.value("sslmode") == Some("verify-ca") && env.path("SSL_CERT_FILE").is_none() {
        let file = file.display();
        tracing::warn!(
            "`verify-ca` also accepts the system's authorities; use `verify-full`, or set SSL_CERT_FILE={file}"
        );
    }
}

fn warn_of_open_key(key: &Path) {
    if std::fs::metadata(key).is_ok_and(|found| !super::is_private(&found)) {
        tracing::warn!(path = %key.display(), "others may read the private key; run chmod 600 on it");
    }
}
