//! Which addresses are read.

use std::net::{IpAddr, Ipv6Addr};

use ureq::http::Uri;

use super::RemoteError;

/// An address that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    uri: Uri,
}

/// Whether a target is an address rather than a path of the host: a scheme, `://` and something.
#[must_use]
pub fn is_url(target: &str) -> bool {
    let scheme = target.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+.-".contains(character))
    })
}

impl Address {
    /// An address that a person gave.
    pub(super) fn parse(text: &str) -> Result<Self, RemoteError> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
        if ["s3", "gs"].contains(&scheme.as_str()) {
            let message =
                format!("{scheme}:// is not yet supported: give an https:// address, a signed one for example");
            return Err(RemoteError::lasting(message));
        }
        if !["https", "http"].contains(&scheme.as_str()) {
            return Err(RemoteError::lasting(format!("{scheme}:// is not supported: give an https:// address")));
        }
        let without = text.split('#').next().unwrap_or_default();
        let uri = without.parse::<Uri>();
        Self { uri: uri.map_err(|error| RemoteError::lasting(format!("{text}: {error}")))? }.admitted()
    }

    /// Where an answer from here sends its reader.
    pub(super) fn follow(&self, location: &str) -> Result<Self, RemoteError> {
        let (scheme, authority) = (self.scheme(), self.uri.authority().map_or("", |authority| authority.as_str()));
        let path = self.uri.path();
        let whole = if is_url(location) {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{location}")
        };
        let next = Self::parse(&whole)
            .map_err(|error| RemoteError::lasting(format!("{}: a redirect is refused: {error}", self.host())))?;
        if self.scheme() == "https" && next.scheme() != "https" {
            let message = format!("{}: a redirect from https to {} is refused", self.host(), next.scheme());
            return Err(RemoteError::lasting(message));
        }
        Ok(next)
    }

    fn admitted(self) -> Result<Self, RemoteError> {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        if self.host().is_empty() {
            return Err(RemoteError::lasting(format!("{}: the address names no host", self.uri)));
        }
        if authority.contains('@') {
            let message = format!("{}: an address with a user's name or password is not supported", self.host());
            return Err(RemoteError::lasting(message));
        }
        if self.scheme() == "http" && !self.is_loopback() {
            let message = format!(
                "{}: http:// is refused, since anyone on the way can change the image: use https://",
                self.host()
            );
            return Err(RemoteError::lasting(message));
        }
        Ok(self)
    }

    fn scheme(&self) -> &str {
        self.uri.scheme_str().unwrap_or_default()
    }

    /// The host's name, for messages.
    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// Whether it is this very computer.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback() && ip != IpAddr::V6(Ipv6Addr::UNSPECIFIED))
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The last part of the path, or the host's name.
    pub(super) fn name(&self) -> String {
        let last = self.uri.path().rsplit('/').next().unwrap_or_default();
        if last.is_empty() { self.host().to_owned() } else { last.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Address::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_target_with_a_scheme_is_an_address_and_a_path_is_not() {
        assert!(is_url("https://a/b") && is_url("s3://bucket/x") && is_url("x+y://"));
        assert!(!is_url("/tmp/a") && !is_url("a://b".get(1..).unwrap()) && !is_url("C:\\x") && !is_url("rom 1://x"));
    }

    #[test]
    fn only_https_and_the_host_itself_are_admitted() {
        assert_eq!(Address::parse("https://example.com/a/rom.zip?token=1#x").unwrap().name(), "rom.zip");
        assert_eq!(Address::parse("HTTPS://example.com").unwrap().name(), "example.com");
        for host in ["127.0.0.1:80", "localhost", "[::1]:8080", "127.1.2.3"] {
            assert!(Address::parse(&format!("http://{host}/x")).is_ok(), "{host}");
        }
        for host in ["example.com", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1", "[::]"] {
            assert!(error(&format!("http://{host}/x")).contains("http:// is refused"), "{host}");
        }
        assert!(error("s3://bucket/x").contains("s3:// is not yet supported"));
        assert!(error("gs://bucket/x").contains("gs:// is not yet supported"));
        assert!(error("ftp://host/x").contains("ftp:// is not supported"));
        let secret = error("https://user:secret@host/x");
        assert!(secret.contains("password is not supported") && !secret.contains("secret@"), "{secret}");
        assert!(Address::parse("https:///x").is_err());
    }

    #[test]
    fn a_redirect_is_resolved_and_held_to_the_same_rules() {
        let from = Address::parse("https://a.example/roms/new/x.zip?y=1").unwrap();
        let to = |location: &str| from.follow(location).map(|address| address.uri().to_string());
        assert_eq!(to("https://b.example/z").unwrap(), "https://b.example/z");
        assert_eq!(to("//b.example/z").unwrap(), "https://b.example/z");
        assert_eq!(to("/z?q").unwrap(), "https://a.example/z?q");
        assert_eq!(to("z.zip").unwrap(), "https://a.example/roms/new/z.zip");
        assert!(to("http://127.0.0.1/z").unwrap_err().to_string().contains("from https to http is refused"));
        assert!(to("http://b.example/z").is_err());
        assert!(to("file:///etc/passwd").is_err());
    }
}
