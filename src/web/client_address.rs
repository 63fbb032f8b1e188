//! Which address a request comes from, when proxies stand before the server.
//!
//! Anybody can write an `X-Forwarded-For` header, so it counts only as far as proxies that the operator
//! named wrote it: each appends the address of its own peer. Read from the right, the first address that
//! is no named proxy's is the client's.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Addresses and networks with commas between them; `none` for nobody.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "none" {
            return Ok(Self::default());
        }
        let network = |word: &str| {
            let word = word.trim();
            let address = word.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| word.parse::<IpNet>()).map_err(|_| {
                format!(
                    "{word:?} is neither an address nor a network, such as 10.0.0.0/8; \
                     write none to trust nobody"
                )
            })
        };
        text.split(',').map(network).collect::<Result<Vec<_>, _>>().map(Self)
    }
}

/// The address of the client. `forwarded` holds the values of all `X-Forwarded-For` headers in their
/// order.
#[must_use]
pub fn client<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &TrustedProxies,
) -> IpAddr {
    let mut client = peer.to_canonical();
    for hop in forwarded.rev().flat_map(|value| value.rsplit(',')) {
        if !trusted.contain(client) {
            break;
        }
        // What is no address ends what the proxies can tell.
        let Some(before) = address_of(hop.trim()) else { break };
        client = before;
    }
    client
}

/// An address, also with a port or in brackets, as some proxies write it.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_matches('"');
    let bracketed = || bare.strip_prefix('[')?.split_once(']').map(|(inner, _)| inner);
    let address = bare
        .parse::<IpAddr>()
        .ok()
        .or_else(|| bracketed()?.parse().ok())
        .or_else(|| bare.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        let trusted = trusted.parse().unwrap();
        client(peer.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn only_named_proxies_are_believed() {
        let client = "203.0.113.9";
        assert_eq!(seen("198.51.100.1", &[client], "127.0.0.0/8"), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &[client], "none"), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &[client], "127.0.0.0/8,::1"), client);
        assert_eq!(seen("::ffff:10.1.2.3", &[client], "10.0.0.0/8"), client);
        assert_eq!(seen("10.1.2.3", &[], "10.0.0.0/8"), "10.1.2.3");
    }

    #[test]
    fn the_first_hop_from_the_right_that_is_no_proxy_is_the_client() {
        let trusted = "10.0.0.0/8,2001:db8::/32";
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, 203.0.113.9, 10.0.0.7"], trusted), "203.0.113.9");
        assert_eq!(
            seen("10.0.0.1", &["1.2.3.4", "203.0.113.9", "10.0.0.7"], trusted),
            "203.0.113.9"
        );
        assert_eq!(seen("2001:db8::1", &["203.0.113.9:4711"], trusted), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["[2001:db9::5]:4711"], trusted), "2001:db9::5");
        assert_eq!(
            seen("10.0.0.1", &["10.0.0.2, 10.0.0.3"], trusted),
            "10.0.0.2",
            "all are proxies"
        );
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, unknown"], trusted), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["", ","], trusted), "10.0.0.1");
    }

    #[test]
    fn what_is_no_network_is_refused_with_an_example() {
        for bad in ["", "example.com", "10.0.0.0/99", "10.0.0.0/8,,"] {
            let error = bad.parse::<TrustedProxies>().unwrap_err();
            assert!(error.contains("10.0.0.0/8"), "{error}");
        }
    }
}
