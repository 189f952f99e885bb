//! Network security configuration: which traffic may be unencrypted, and which certificate authorities count
//! (<https://developer.android.com/privacy-and-security/security-config>; AOSP `XmlConfigSource`).

use serde::Serialize;

use super::axml::{Document, Element, Event};
use super::value::Value;
use crate::bytes::ParseError;

/// Bytes of one file. A real one has below 64 KiB, most of it pins.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// Elements below each other: `domain-config` may nest, and each inherits.
const MAX_DEPTH: usize = 64;

/// The configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NetworkConfig {
    /// `base-config`: what holds for every other host.
    pub base: Option<DomainConfig>,
    /// `domain-config`, in file order.
    pub domains: Vec<DomainConfig>,
    /// `debug-overrides`: counts only for an app that is debuggable.
    pub debug: Option<DomainConfig>,
}

impl NetworkConfig {
    /// Whether traffic to a host that no `domain-config` names may be unencrypted, for an app of this target.
    /// The manifest's `usesCleartextTraffic` does not count beside a configuration.
    #[must_use]
    pub fn cleartext_permitted(&self, target_sdk: u32) -> bool {
        self.base.as_ref().and_then(|base| base.cleartext_permitted).unwrap_or(target_sdk < 28)
    }

    /// Whether authorities that a user installed count for such a host, for an app of this target.
    #[must_use]
    pub fn trusts_user_authorities(&self, target_sdk: u32) -> bool {
        match self.base.as_ref().map(|base| base.anchors.as_slice()) {
            Some([]) | None => target_sdk < 24,
            Some(anchors) => anchors.iter().any(|anchor| anchor == "user"),
        }
    }
}

/// Settings for some hosts, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DomainConfig {
    /// Names of `domain`; empty for the base.
    pub hosts: Vec<String>,
    /// `cleartextTrafficPermitted`; `None`: inherited.
    pub cleartext_permitted: Option<bool>,
    /// `src` of `trust-anchors`: `system`, `user`, or a resource as `@0x7f...`. Empty: inherited.
    pub anchors: Vec<String>,
    /// Number of `pin`.
    pub pins: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Base,
    Debug,
    Domain(usize),
    Anchors(Target),
    Pins(Target),
    Other,
}

/// The configuration that an inner element speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Base,
    Debug,
    Domain(usize),
}

/// Reads the file.
pub(super) fn read(source: Vec<u8>) -> Result<NetworkConfig, ParseError> {
    let document = Document::open(source)?;
    let mut config = NetworkConfig::default();
    let mut places: Vec<Place> = Vec::new();
    let mut events = document.events();
    while let Some(event) = events.step()? {
        let Event::Start(element) = event else {
            places.pop();
            if places.is_empty() {
                break;
            }
            continue;
        };
        if places.len() >= MAX_DEPTH {
            return Err(ParseError::limit(0, "depth of elements", MAX_DEPTH as u64 + 1, MAX_DEPTH as u64));
        }
        let name = document.name(&element)?;
        let place = config.enter(&document, places.last().copied(), &name, &element)?;
        places.push(place);
    }
    Ok(config)
}

impl NetworkConfig {
    fn enter(
        &mut self,
        document: &Document,
        parent: Option<Place>,
        name: &str,
        element: &Element,
    ) -> Result<Place, ParseError> {
        let target = match parent {
            Some(Place::Base) => Some(Target::Base),
            Some(Place::Debug) => Some(Target::Debug),
            Some(Place::Domain(index)) => Some(Target::Domain(index)),
            _ => None,
        };
        let settings = || -> Result<DomainConfig, ParseError> {
            let permitted = document.by_name(element, None, "cleartextTrafficPermitted")?;
            Ok(DomainConfig { cleartext_permitted: permitted.map(|text| text == "true"), ..DomainConfig::default() })
        };
        Ok(match (parent, name, target) {
            (None, "network-security-config", _) => Place::Root,
            (None, ..) => {
                let found = format!("'{}'", name.escape_debug());
                return Err(ParseError::invalid(0, "first element", found, "network-security-config"));
            }
            (Some(Place::Root), "base-config", _) => {
                self.base = Some(settings()?);
                Place::Base
            }
            (Some(Place::Root), "debug-overrides", _) => {
                self.debug = Some(settings()?);
                Place::Debug
            }
            (Some(Place::Root | Place::Domain(_)), "domain-config", _) => {
                self.domains.push(settings()?);
                Place::Domain(self.domains.len() - 1)
            }
            (_, "trust-anchors", Some(target)) => Place::Anchors(target),
            (_, "pin-set", Some(target)) => Place::Pins(target),
            (Some(Place::Domain(index)), "domain", _) => {
                // The name is the element's text, which compiled XML holds as a node of its own.
                let host = document.text_after(element)?;
                if let (Some(domain), Some(host)) = (self.domains.get_mut(index), host) {
                    domain.hosts.push(host.trim().to_owned());
                }
                Place::Other
            }
            (Some(Place::Anchors(target)), "certificates", _) => {
                if let (Some(config), Some(anchor)) = (self.of(target), anchor(document, element)?) {
                    config.anchors.push(anchor);
                }
                Place::Other
            }
            (Some(Place::Pins(target)), "pin", _) => {
                if let Some(config) = self.of(target) {
                    config.pins += 1;
                }
                Place::Other
            }
            _ => Place::Other,
        })
    }

    fn of(&mut self, target: Target) -> Option<&mut DomainConfig> {
        match target {
            Target::Base => self.base.as_mut(),
            Target::Debug => self.debug.as_mut(),
            Target::Domain(index) => self.domains.get_mut(index),
        }
    }
}

fn anchor(document: &Document, element: &Element) -> Result<Option<String>, ParseError> {
    for attribute in document.attributes(element) {
        let attribute = attribute?;
        let raw = attribute.value;
        if &*document.attribute_name(&attribute)? == "src" {
            return match (raw.reference(), raw.string()) {
                (Some(id), _) => Ok(Some(format!("@0x{id:08x}"))),
                (None, Some(index)) => document.string(index),
                (None, None) => Ok(Value::Plain(raw).into_text()),
            };
        }
    }
    Ok(None)
}
