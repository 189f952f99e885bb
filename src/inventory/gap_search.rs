//! Finds the gap of every unknown fact in whatever can be written: a serializer that writes nothing.
//!
//! An unknown fact is written as a struct with the one field `unknown`; nothing else in an inventory has a field of that
//! name.

use std::collections::BTreeSet;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Result};

use super::Gap;

/// The field of an unknown fact.
const UNKNOWN: &str = "unknown";

/// Where what is found goes.
pub(super) struct Search<'a> {
    pub(super) gaps: &'a mut BTreeSet<Gap>,
}

impl Search<'_> {
    fn within(&mut self) -> Search<'_> {
        Search { gaps: self.gaps }
    }
}

/// Values that hold nothing else.
macro_rules! leaves {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, _: $type) -> Result<()> {
            Ok(())
        })*
    };
}

impl Serializer for Search<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    leaves!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str
    );

    fn serialize_none(self) -> Result<()> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<()> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<()> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }
}

/// Sequences, whatever they are called.
macro_rules! sequences {
    ($($kind:ident :: $method:ident),*) => {
        $(impl $kind for Search<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
                value.serialize(self.within())
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        })*
    };
}

sequences!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

impl SerializeMap for Search<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, _: &T) -> Result<()> {
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
        value.serialize(self.within())
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}

/// Structs, with names or as variants.
macro_rules! structs {
    ($($kind:ident),*) => {
        $(impl $kind for Search<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<()> {
                if key == UNKNOWN {
                    self.gaps.insert(serde_json::from_value(serde_json::to_value(value)?)?);
                    return Ok(());
                }
                value.serialize(self.within())
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        })*
    };
}

structs!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests {
    use super::super::{Fact, GapReason, Hides, Inventory, Target, TargetKind};
    use super::*;

    #[test]
    fn every_gap_that_the_json_form_has_is_found_and_no_other() {
        let gap = |place: &str| Gap::new(place, GapReason::TimedOut, "30 s");
        let target = Target { kind: TargetKind::Phone, name: "x".to_owned(), collected_at: None, layers: Vec::new() };
        let mut inventory = Inventory::unknown(target, &gap("all"));
        inventory.device.sdk = Fact::Unknown(gap("sdk").hiding(Hides::Users));
        inventory.gaps.push(gap("list"));
        let found = inventory.all_gaps().unwrap();
        assert_eq!(found.iter().map(|gap| gap.place.as_str()).collect::<Vec<_>>(), ["all", "list", "sdk"]);
        // The text has each of them, however deep.
        let text = serde_json::to_string(&inventory).unwrap();
        assert!(text.matches("\"unknown\":").count() > 20);
        for gap in found {
            assert!(text.contains(&serde_json::to_string(&gap).unwrap()));
        }
    }
}
