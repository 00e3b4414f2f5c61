//! Whose address a request comes from, when a proxy stands between.

use http::HeaderMap;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses with a common beginning: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text that names no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address or network, as 10.0.0.1 or 10.0.0.0/8")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let refused = || NetworkError(text.to_owned());
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().map_err(|_| refused())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(whole), str::parse).map_err(|_| refused())?;
        if bits > whole {
            Err(refused())
        } else {
            Ok(Network { address, bits })
        }
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                (a.to_bits() ^ b.to_bits()).leading_zeros() >= self.bits
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                (a.to_bits() ^ b.to_bits()).leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

/// The client's address: the peer's, or, where the peer is a trusted proxy, the last one in `x-forwarded-for` that is not.
pub(crate) fn client(peer: IpAddr, trusted: &[Network], headers: &HeaderMap) -> IpAddr {
    let trusts = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !trusts(peer) {
        return peer;
    }
    let mut client = peer;
    let values = headers.get_all("x-forwarded-for");
    let text: Vec<&str> = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    for hop in text.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Ok(address) = hop.trim().parse() else {
            break;
        };
        client = address;
        if !trusts(address) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<Network> = ["10.0.0.0/8", "::1"]
            .map(|text| text.parse().expect("a network"))
            .to_vec();
        let check = |peer: &str, forwarded: &str, expected: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().expect("a header"));
            let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
            assert_eq!(
                client(ip(peer), &trusted, &headers),
                ip(expected),
                "{peer} {forwarded}"
            );
        };
        check("203.0.113.9", "198.51.100.1", "203.0.113.9");
        check("10.1.2.3", "198.51.100.1", "198.51.100.1");
        check(
            "10.1.2.3",
            "1.1.1.1, 198.51.100.1, 10.9.9.9",
            "198.51.100.1",
        );
        check("10.1.2.3", "nonsense, 10.9.9.9", "10.9.9.9");
        check("::1", "2001:db8::7", "2001:db8::7");
    }

    #[test]
    fn networks_are_read_strictly() {
        for text in ["", "10.0.0.0/33", "here", "10.0.0.0/x"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
