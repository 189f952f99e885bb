//! Identity of device and build: a line for each fact.

use super::EntryKind;
use super::comparer::{Comparer, Ledger, optional, plain};
use crate::inventory::Device;

pub(super) fn compare(a: &Device, b: &Device, ledger: &mut Ledger) {
    // Taken apart without a rest: a fact that is added to the model does not compile until it is compared here.
    let Device {
        brand,
        manufacturer,
        model,
        device,
        product,
        fingerprint,
        build,
        build_type,
        build_tags,
        release,
        sdk,
        security_patch,
        build_date,
        region,
        locale,
        os_flavour,
        kind,
        // Follows from the build's type and tags, which are compared.
        for_sale: _,
        generic_system,
        vendor_fingerprint,
    } = a;
    let mut with = Comparer::new(None, ledger);
    with.fact("brand", brand, &b.brand, plain);
    with.fact("manufacturer", manufacturer, &b.manufacturer, plain);
    with.fact("model", model, &b.model, plain);
    with.fact("device", device, &b.device, plain);
    with.fact("product", product, &b.product, plain);
    with.fact("fingerprint", fingerprint, &b.fingerprint, plain);
    with.fact("build", build, &b.build, plain);
    with.fact("build-type", build_type, &b.build_type, plain);
    with.fact("build-tags", build_tags, &b.build_tags, plain);
    with.fact("release", release, &b.release, plain);
    with.fact("sdk", sdk, &b.sdk, plain);
    with.fact("security-patch", security_patch, &b.security_patch, plain);
    with.fact("build-date", build_date, &b.build_date, plain);
    with.fact("region", region, &b.region, optional);
    with.fact("locale", locale, &b.locale, optional);
    with.fact("os-flavour", os_flavour, &b.os_flavour, |os| Some(os.as_str().to_owned()));
    with.fact("device-kind", kind, &b.kind, |kind| Some(kind.as_str().to_owned()));
    with.fact("generic-system", generic_system, &b.generic_system, optional);
    with.fact("vendor-fingerprint", vendor_fingerprint, &b.vendor_fingerprint, optional);
    let changes = with.changes;
    ledger.enter(EntryKind::Device, None, None, changes);
}
