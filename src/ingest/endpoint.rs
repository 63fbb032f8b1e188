//! Where SDKs post to, and where they put the write key (`spec/wire.md` sections 1 and 2).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::message::Kind;
use crate::sources::key;

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `{"batch": [...]}`: each event names its type.
    Batch,
    /// One call; the type may be left out of the body.
    One(Kind),
    /// analytics-next's own measurements: answered with 200, never read.
    Metrics,
}

impl Endpoint {
    /// The endpoint of a path at the origin root; a trailing slash does not matter.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Some(match path {
            "/v1/batch" | "/v1/import" | "/v1/b" | "/beacon/v1/batch" => Self::Batch,
            "/v1/track" | "/v1/t" => Self::One(Kind::Track),
            "/v1/identify" | "/v1/i" => Self::One(Kind::Identify),
            "/v1/group" | "/v1/g" => Self::One(Kind::Group),
            "/v1/alias" | "/v1/a" => Self::One(Kind::Alias),
            "/v1/page" | "/v1/p" => Self::One(Kind::Page),
            "/v1/screen" | "/v1/s" => Self::One(Kind::Screen),
            "/v1/m" => Self::Metrics,
            _ => return None,
        })
    }
}

/// For a host with a path behind it.
const AT_THE_ROOT: &str = "SDKs are answered at the root of the address. Give the SDK Ripen's address alone as its \
                           host, without a path behind it.";

/// What to do instead, for a path that an SDK asks for when its host is set up wrongly. None for our own
/// paths, and for everything that is no SDK's.
#[must_use]
pub fn advice(path: &str) -> Option<&'static str> {
    let ours = |path: &str| {
        Endpoint::of_path(path).is_some()
            || path.starts_with("/v1/projects/")
            || path.starts_with("/sourceConfig")
    };
    if ours(path) {
        return None;
    }
    if let Some(rest) = path.strip_prefix("/api").filter(|rest| rest.starts_with('/')) {
        // The JSON API is there; what is behind it here belongs to an SDK whose host ends in /api.
        return (ours(rest) || advice(rest).is_some()).then_some(AT_THE_ROOT);
    }
    if path.starts_with("/analytics.js/") {
        return Some(
            "Ripen does not serve this script. Take @segment/analytics-next from npm and set its cdnURL to \
             Ripen's address.",
        );
    }
    if matches!(path, "/v1/merge" | "/v1/merge/") {
        return Some("There are no merge calls here. Send alias with userId and previousId.");
    }
    let behind = |start| path.rfind(start).filter(|at| *at > 0).and_then(|at| path.get(at..));
    if ["/v1/", "/sourceConfig", "/beacon/"].into_iter().filter_map(behind).any(ours) {
        return Some(AT_THE_ROOT);
    }
    let call = path.strip_suffix('/').unwrap_or(path);
    let calls = ["/batch", "/track", "/identify", "/group", "/page", "/screen", "/alias"];
    calls
        .contains(&call)
        .then_some("Put /v1 before the name of the call: /v1/track. SDKs do so by themselves.")
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The write key of a request: the user name of HTTP Basic authentication (any password, and the
/// colon may be missing), else `writeKey` of the query, else `writeKey` of the body.
///
/// `authorization` is the header's value, `query` the raw query string, `body` what
/// [`super::parse::Parsed::write_key`] found. A key that no source could have (blank, over 200
/// bytes, not printable ASCII) counts as absent, so that the next place is asked; but one that begins
/// like ours is a key, whatever was copied along with it.
#[must_use]
pub fn write_key(
    authorization: Option<&str>,
    query: Option<&str>,
    body: Option<&str>,
) -> Option<String> {
    authorization
        .and_then(basic_user)
        .and_then(plausible)
        .or_else(|| query.and_then(in_query).and_then(plausible))
        .or_else(|| body.map(str::to_owned).and_then(plausible))
}

fn basic_user(header: &str) -> Option<String> {
    let (scheme, credentials) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(LENIENT.decode(credentials.trim()).ok()?).ok()?;
    let user = decoded.split_once(':').map_or(decoded.as_str(), |(user, _)| user);
    Some(user.to_owned())
}

fn in_query(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "writeKey")
        .map(|(_, value)| value.into_owned())
}

fn plausible(key: String) -> Option<String> {
    let key = key.trim();
    let is_plain = key.bytes().all(|b| b.is_ascii_graphic());
    let is_ours = key::begins_like_ours(key) && !key.chars().any(char::is_control);
    let fits = !key.is_empty() && key.len() <= 200 && (is_plain || is_ours);
    fits.then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_wire_notes_is_known() {
        for path in ["/v1/batch", "/v1/import/", "/v1/b", "/beacon/v1/batch"] {
            assert_eq!(Endpoint::of_path(path), Some(Endpoint::Batch), "{path}");
        }
        for (long, short, kind) in [
            ("/v1/track", "/v1/t", Kind::Track),
            ("/v1/identify", "/v1/i", Kind::Identify),
            ("/v1/group", "/v1/g/", Kind::Group),
            ("/v1/alias", "/v1/a", Kind::Alias),
            ("/v1/page", "/v1/p", Kind::Page),
            ("/v1/screen", "/v1/s", Kind::Screen),
        ] {
            assert_eq!(Endpoint::of_path(long), Some(Endpoint::One(kind)));
            assert_eq!(Endpoint::of_path(short), Some(Endpoint::One(kind)));
        }
        assert_eq!(Endpoint::of_path("/v1/m"), Some(Endpoint::Metrics));
        assert_eq!(Endpoint::of_path("/v1/x"), None);
        assert_eq!(Endpoint::of_path("/"), None);
    }

    #[test]
    fn a_host_with_a_path_or_without_a_version_gets_advice() {
        for path in ["/ingest/v1/batch", "/a/b/v1/t/", "/x/v1/projects/k/settings", "/v1/v1/batch"]
        {
            assert!(advice(path).unwrap().contains("root"), "{path}");
        }
        assert!(advice("/track").unwrap().contains("/v1/track"));
        assert!(advice("/v1/merge").unwrap().contains("alias"));
        assert!(advice("/analytics.js/v1/k/analytics.min.js").unwrap().contains("npm"));
        for path in [
            "/api/v1/batch",
            "/api/v1/t/",
            "/api/v1/projects/k/settings",
            "/api/sourceConfig/",
            "/api/beacon/v1/batch",
            "/api/v1/v1/batch",
            "/api/track",
            "/api/v1/merge",
            "/api/analytics.js/v1/k/analytics.min.js",
            "/crm/api/v1/batch",
        ] {
            assert!(advice(path).unwrap().contains("root"), "{path}");
        }
        for path in ["/api", "/api/", "/api/v1/workspaces/w", "/api/docs", "/apiary/x"] {
            assert_eq!(advice(path), None, "{path}");
        }
        for path in ["/v1/batch", "/api/v1/users", "/", "/workspaces", "/v1/x", "/sourceConfig/"] {
            assert_eq!(advice(path), None, "{path}");
        }
    }

    #[test]
    fn the_key_is_found_wherever_sdks_put_it() {
        let key = |a, q, b| write_key(a, q, b);
        assert_eq!(key(Some("Basic d2tfdGVzdDo="), None, None).unwrap(), "wk_test");
        assert_eq!(key(Some("basic d2tfdGVzdDo"), None, None).unwrap(), "wk_test");
        assert_eq!(key(Some("Basic d2tfdGVzdA=="), None, None).unwrap(), "wk_test");
        assert_eq!(key(Some("Basic d2tfdGVzdDpwdw=="), None, None).unwrap(), "wk_test");
        assert_eq!(key(None, Some("v=1&writeKey=wk%5Fq"), None).unwrap(), "wk_q");
        assert_eq!(key(Some("Bearer x"), None, Some("wk_body")).unwrap(), "wk_body");
        assert_eq!(key(Some("Basic Og=="), Some("writeKey="), Some("wk_b")).unwrap(), "wk_b");
        assert_eq!(
            key(Some("Basic d2tfdGVzdDo="), Some("writeKey=q"), Some("b")).unwrap(),
            "wk_test"
        );
        assert_eq!(key(Some("Basic %%%"), Some("x"), Some(" ")), None);
        assert_eq!(key(None, None, Some("a\u{0}b")), None);
        assert_eq!(key(None, None, Some("é")), None);
        assert_eq!(key(None, None, Some("wk_01234567…")).unwrap(), "wk_01234567…");
        assert_eq!(key(None, None, Some("wk_a\u{0}b")), None);
    }
}
