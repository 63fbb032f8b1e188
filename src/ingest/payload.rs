//! The journal's column `payload`: the lines of [`super::journal`], deflated (zlib, so that damage shows).

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::error::{Error, Result};

/// The lines, deflated. Fast rather than small: a request waits for it.
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn deflate(lines: &[u8]) -> Result<Vec<u8>> {
    let out = Vec::with_capacity(lines.len() / 4 + 64);
    let mut encoder = ZlibEncoder::new(out, Compression::fast());
    encoder.write_all(lines).and_then(|()| encoder.finish()).map_err(Error::internal)
}

/// The lines again.
///
/// # Errors
/// [`Error::Internal`] when the bytes were damaged.
pub fn inflate(payload: &[u8]) -> Result<Vec<u8>> {
    let mut lines = Vec::with_capacity(payload.len().saturating_mul(6));
    ZlibDecoder::new(payload).read_to_end(&mut lines).map_err(Error::internal)?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deflated_is_inflated_and_damage_is_noticed() {
        let lines = b"{\"k\":\"track\"}\n".repeat(100);
        let mut payload = deflate(&lines).unwrap();
        assert!(payload.len() < lines.len() / 5);
        assert_eq!(inflate(&payload).unwrap(), lines);
        let middle = payload.len() / 2;
        payload[middle] ^= 0x55;
        assert!(inflate(&payload).is_err());
    }
}
