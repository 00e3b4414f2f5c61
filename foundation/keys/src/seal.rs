//! Sealing: AES-256-GCM under a key derived from the master key, bound to the name of what is sealed, so that two sealed
//! values can't be exchanged for each other in the database.

use crate::MasterKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The sealed value does not open: another master key, another name, or damage.
#[derive(Debug)]
pub struct NotOpened;

fn key(master: &MasterKey) -> Result<LessSafeKey, NotOpened> {
    UnboundKey::new(&AES_256_GCM, &master.derive("pando.keys.seal"))
        .map(LessSafeKey::new)
        .map_err(|_| NotOpened)
}

/// Seals `value` under `name`: base64 of a random nonce, the ciphertext and its tag.
pub fn seal(master: &MasterKey, name: &str, value: &[u8]) -> Result<String, NotOpened> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| NotOpened)?;
    let mut sealed = value.to_vec();
    key(master)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(name.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| NotOpened)?;
    Ok(STANDARD.encode([&nonce[..], &sealed].concat()))
}

/// Opens what [`seal`] made.
pub fn open(master: &MasterKey, name: &str, sealed: &str) -> Result<Vec<u8>, NotOpened> {
    let mut bytes = STANDARD.decode(sealed).map_err(|_| NotOpened)?;
    if bytes.len() < NONCE_LEN {
        return Err(NotOpened);
    }
    let mut value = bytes.split_off(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| NotOpened)?;
    let opened = key(master)?
        .open_in_place(nonce, Aad::from(name.as_bytes()), &mut value)
        .map_err(|_| NotOpened)?
        .len();
    value.truncate(opened);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_name_open_what_was_sealed() {
        let (one, other) = (
            MasterKey::generate().expect("random"),
            MasterKey::generate().expect("random"),
        );
        let sealed = seal(&one, "a", b"private").expect("sealed");
        assert_eq!(open(&one, "a", &sealed).expect("opened"), b"private");
        assert!(open(&one, "b", &sealed).is_err());
        assert!(open(&other, "a", &sealed).is_err());
        assert!(
            open(
                &one,
                "a",
                &sealed.replace(|c: char| c.is_ascii_lowercase(), "A")
            )
            .is_err()
        );
        assert!(open(&one, "a", "").is_err());
    }
}
