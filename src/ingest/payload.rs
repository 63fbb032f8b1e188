//! The journal's column `payload`: the lines of [`super::journal`], compressed, with a checksum, so that
//! damage shows.
//!
//! Two formats, told apart by their first bytes: Zstandard is what is written; zlib is what was
//! written at first, and is read still. Of a batch of 100 events, 16.5 KB, Zstandard makes an eighth
//! in 18 µs, where zlib made a fifth in 44 µs; reading back takes a third of the time.

use std::io::Read;

use flate2::read::ZlibDecoder;
use zstd::bulk::Compressor;

use crate::error::{Error, Result};

/// The fastest level: further ones cost more than they save.
const LEVEL: i32 = 1;
/// What a Zstandard frame begins with (RFC 8878, section 3.1.1).
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Compresses payloads one after the other with the same working memory.
pub struct Packer(Compressor<'static>);

impl Packer {
    /// Ready to pack.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new() -> Result<Self> {
        let mut compressor = Compressor::new(LEVEL).map_err(Error::internal)?;
        compressor.include_checksum(true).map_err(Error::internal)?;
        Ok(Self(compressor))
    }

    /// The lines, compressed.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn pack(&mut self, lines: &[u8]) -> Result<Vec<u8>> {
        self.0.compress(lines).map_err(Error::internal)
    }
}

/// The lines again.
///
/// # Errors
/// [`Error::Internal`] when the bytes were damaged.
pub fn inflate(payload: &[u8]) -> Result<Vec<u8>> {
    if payload.starts_with(&ZSTANDARD) {
        return zstd::decode_all(payload).map_err(Error::internal);
    }
    let mut lines = Vec::with_capacity(payload.len().saturating_mul(6));
    ZlibDecoder::new(payload).read_to_end(&mut lines).map_err(Error::internal)?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines() -> Vec<u8> {
        b"{\"k\":\"track\"}\n".repeat(100)
    }

    #[test]
    fn what_is_packed_is_read_back_and_damage_is_noticed() {
        let mut packer = Packer::new().unwrap();
        for lines in [lines(), lines().repeat(9), Vec::new()] {
            let mut payload = packer.pack(&lines).unwrap();
            assert_eq!(inflate(&payload).unwrap(), lines);
            let last = payload.len() - 1;
            payload[last] ^= 0x55;
            assert!(inflate(&payload).is_err());
        }
        assert!(packer.pack(&lines()).unwrap().len() < lines().len() / 5);
        assert!(inflate(b"xxxx").is_err());
    }

    #[test]
    fn what_the_first_version_wrote_is_read_still() {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&lines()).unwrap();
        assert_eq!(inflate(&encoder.finish().unwrap()).unwrap(), lines());
    }
}
