//! SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677), as Postgres keeps them in place of passwords.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::CreateError;

/// What Postgres uses itself.
const ITERATIONS: u32 = 4096;
const SALT_BYTES: usize = 16;

pub(super) const EMPTY: CreateError =
    CreateError::Password("is empty, and nobody could log in with it; give another");

type Key = [u8; 32];

/// What the server keeps to check `password`, under a salt of its own.
pub(super) fn verifier(password: &str) -> Result<String, CreateError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|err| CreateError::NoRandomness(err.to_string()))?;
    verifier_with(password, &salt, ITERATIONS)
}

fn verifier_with(password: &str, salt: &[u8], iterations: u32) -> Result<String, CreateError> {
    // The driver refuses to log in with what SASLprep refuses, so there is no point in taking it raw.
    let password = stringprep::saslprep(password).map_err(|_| {
        CreateError::Password(
            "contains characters that no password may have (control characters, for one); choose another",
        )
    })?;
    if password.is_empty() {
        return Err(EMPTY);
    }
    let salted = salted_password(password.as_bytes(), salt, iterations);
    let stored_key = Sha256::digest(hmac(&salted, &[b"Client Key"]));
    let server_key = hmac(&salted, &[b"Server Key"]);
    Ok(format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        BASE64_STANDARD.encode(salt),
        BASE64_STANDARD.encode(stored_key),
        BASE64_STANDARD.encode(server_key),
    ))
}

/// PBKDF2 with HMAC-SHA-256, of which SCRAM needs the first block only.
fn salted_password(password: &[u8], salt: &[u8], iterations: u32) -> Key {
    let mut round = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = round;
    for _ in 1..iterations {
        round = hmac(password, &[&round]);
        for (byte, other) in sum.iter_mut().zip(round) {
            *byte ^= other;
        }
    }
    sum
}

fn hmac(key: &[u8], message: &[&[u8]]) -> Key {
    // Keys of any length are taken, so there is always a machine; the default one is never used.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
    for part in message {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3: its proof and signature follow from the keys of the verifier.
    #[test]
    fn the_keys_fit_the_example_of_the_rfc() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = verifier_with("pencil", &salt, 4096).unwrap();
        let (head, keys) = verifier.rsplit_once('$').unwrap();
        assert_eq!(head, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==");
        let (stored, server) = keys.split_once(':').unwrap();
        let exchange = b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = hmac(&BASE64_STANDARD.decode(server).unwrap(), &[exchange]);
        assert_eq!(BASE64_STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let stored = BASE64_STANDARD.decode(stored).unwrap();
        let proof = BASE64_STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let of_client = hmac(&stored, &[exchange]);
        let client_key: Vec<u8> = proof.iter().zip(of_client).map(|(proof, other)| proof ^ other).collect();
        assert_eq!(Sha256::digest(client_key).to_vec(), stored);
    }

    #[test]
    fn passwords_are_prepared_as_the_driver_prepares_them() {
        let verifier = |password| verifier_with(password, b"salt", 2).unwrap();
        assert_eq!(verifier("\u{2168}"), verifier("IX"));
        assert_eq!(verifier("I\u{AD}X"), verifier("IX"));
        assert_ne!(verifier("ix"), verifier("IX"));
        for bad in ["", "\u{AD}", "a\u{7}", "\u{627}1"] {
            assert!(matches!(verifier_with(bad, b"salt", 2), Err(CreateError::Password(_))), "{bad:?}");
        }
    }

    #[test]
    fn every_verifier_has_a_salt_of_its_own() {
        assert_ne!(verifier("pencil").unwrap(), verifier("pencil").unwrap());
    }
}
