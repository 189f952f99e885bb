//! Fields of the device.

use super::value::Value;
use super::view::{Field, Of, Read, Reader, World, maybe, number, text, texts, told};
use crate::inventory::{Device, Fact};

const fn of(name: &'static str, of: Of, meaning: &'static str, read: for<'a> fn(&World<'a>) -> Read<'a>) -> Field {
    Field { name, of, meaning, read: Reader::Device(read) }
}

fn word<'a>(world: &World<'a>, fact: fn(&Device) -> &Fact<String>) -> Read<'a> {
    told(fact(&world.inventory.device), |value| text(value))
}

fn optional<'a>(world: &World<'a>, fact: fn(&Device) -> &Fact<Option<String>>) -> Read<'a> {
    told(fact(&world.inventory.device), |value| maybe(value.as_ref()))
}

pub(super) static FIELDS: &[Field] = &[
    of("source", Of::Text, "what was looked at: `phone`, `firmware`, `folder` or `capture`", |world| {
        Read::Known(text(world.inventory.target.kind.as_str()), None)
    }),
    of(
        "kind",
        Of::Text,
        "`phone`, `tablet`, `tv`, `watch`, `car` or `other`; as `--kind` says, where it does",
        |world| match world.context.kind {
            Some(kind) => Read::Known(text(kind.as_str()), None),
            None => told(&world.inventory.device.kind, |kind| text(kind.as_str())),
        },
    ),
    of("os_flavour", Of::Text, "`android`, `hyperos`, `harmonyos` ...; as the caller says, where it does", |world| {
        match world.context.os_flavour {
            Some(flavour) => Read::Known(text(flavour.as_str()), None),
            None => told(&world.inventory.device.os_flavour, |flavour| text(flavour.as_str())),
        }
    }),
    of("sdk", Of::Number, "API level", |world| told(&world.inventory.device.sdk, |sdk| number(*sdk))),
    of("release", Of::Text, "Android's version as text", |world| word(world, |device| &device.release)),
    of("security_patch", Of::Text, "patch level, `2026-01-05`", |world| word(world, |device| &device.security_patch)),
    of("build_date", Of::Text, "day of the build in UTC, `2026-01-31`", |world| {
        word(world, |device| &device.build_date)
    }),
    of("brand", Of::Text, "`ro.product.brand`", |world| word(world, |device| &device.brand)),
    of("manufacturer", Of::Text, "`ro.product.manufacturer`", |world| word(world, |device| &device.manufacturer)),
    of("model", Of::Text, "`ro.product.model`", |world| word(world, |device| &device.model)),
    of("device", Of::Text, "`ro.product.device`", |world| word(world, |device| &device.device)),
    of("product", Of::Text, "`ro.product.name`", |world| word(world, |device| &device.product)),
    of("fingerprint", Of::Text, "`ro.build.fingerprint`", |world| word(world, |device| &device.fingerprint)),
    of("vendor_fingerprint", Of::Text, "build of the vendor's part; empty where there is none", |world| {
        optional(world, |device| &device.vendor_fingerprint)
    }),
    of("generic_system", Of::Text, "generic system below the vendor's parts; empty for none", |world| {
        optional(world, |device| &device.generic_system)
    }),
    of("build", Of::Text, "`ro.build.display.id`", |world| word(world, |device| &device.build)),
    of("build_type", Of::Text, "`ro.build.type`", |world| word(world, |device| &device.build_type)),
    of("build_tags", Of::Text, "`ro.build.tags`", |world| word(world, |device| &device.build_tags)),
    of("for_sale", Of::Flag, "whether the build is one for sale", |world| {
        told(&world.inventory.device.for_sale, |for_sale| Value::Flag(*for_sale))
    }),
    of("region", Of::Text, "region in the vendor's code", |world| optional(world, |device| &device.region)),
    of("locale", Of::Text, "default language and country", |world| optional(world, |device| &device.locale)),
    of("partitions", Of::Texts, "partitions that were read or should have been", |world| {
        told(&world.inventory.partitions, |list| texts(list.iter().map(|partition| &partition.name)))
    }),
];
