//! A body as it came off the wire, inflated under a hard cap.
//!
//! gzip and identity only (`spec/ingest.md`). The cap is held *while* inflating, so a bomb costs at
//! most [`BODY_LIMIT`] bytes of memory and the time to fill them.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::failure::BodyError;

/// The most bytes a body may have, decompressed: 5 MB.
pub const BODY_LIMIT: usize = 5 * 1024 * 1024;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The body as plain bytes.
///
/// What the bytes are is decided by their first two: JSON never starts with gzip's magic. So a gzip
/// body is inflated although a proxy has lost the header, and a plain body passes although a proxy
/// has inflated it and left the header behind. Several gzip members in a row are one body.
///
/// # Errors
/// [`BodyError::Encoding`] for any encoding but gzip and identity, [`BodyError::TooLarge`] above
/// [`BODY_LIMIT`], [`BodyError::Gzip`] when the gzip is cut off or damaged.
pub fn decode<'a>(encoding: Option<&str>, body: &'a [u8]) -> Result<Cow<'a, [u8]>, BodyError> {
    let named = encoding.unwrap_or_default().trim();
    let known = ["", "identity", "gzip", "x-gzip"];
    if !known.iter().any(|name| named.eq_ignore_ascii_case(name)) {
        return Err(BodyError::Encoding(named.chars().take(40).collect()));
    }
    if body.len() > BODY_LIMIT {
        return Err(BodyError::TooLarge);
    }
    if body.starts_with(&MAGIC) { inflate(body).map(Cow::Owned) } else { Ok(Cow::Borrowed(body)) }
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, BodyError> {
    // JSON of events shrinks about eightfold; the guess is never above the cap.
    let mut plain = Vec::with_capacity(body.len().saturating_mul(8).min(BODY_LIMIT));
    let one_too_many = u64::try_from(BODY_LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(body)
        .take(one_too_many)
        .read_to_end(&mut plain)
        .map_err(|_| BodyError::Gzip)?;
    if plain.len() > BODY_LIMIT { Err(BodyError::TooLarge) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(plain).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn plain_and_gzip_give_the_same_bytes_whatever_the_header_says() {
        let plain = br#"{"batch":[]}"#;
        for encoding in [None, Some("gzip"), Some("GZIP"), Some("identity"), Some("")] {
            assert_eq!(&*decode(encoding, plain).unwrap(), plain);
            assert_eq!(&*decode(encoding, &gzip(plain)).unwrap(), plain);
        }
    }

    #[test]
    fn members_in_a_row_are_one_body() {
        let two = [gzip(b"{\"a\":"), gzip(b"1}")].concat();
        assert_eq!(&*decode(Some("gzip"), &two).unwrap(), b"{\"a\":1}");
    }

    #[test]
    fn a_bomb_is_cut_at_the_cap_and_the_cap_itself_passes() {
        let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(decode(Some("gzip"), &bomb), Err(BodyError::TooLarge)));
        assert_eq!(decode(None, &gzip(&vec![b' '; BODY_LIMIT])).unwrap().len(), BODY_LIMIT);
        assert!(matches!(decode(None, &vec![b' '; BODY_LIMIT + 1]), Err(BodyError::TooLarge)));
    }

    #[test]
    fn damaged_gzip_and_other_encodings_are_refused() {
        let whole = gzip(b"{\"batch\":[]}");
        for end in 2..whole.len() {
            assert!(matches!(decode(Some("gzip"), &whole[..end]), Err(BodyError::Gzip)), "{end}");
        }
        for other in ["br", "deflate", "zstd", "gzip, br"] {
            assert!(matches!(decode(Some(other), b"{}"), Err(BodyError::Encoding(_))));
        }
    }
}
