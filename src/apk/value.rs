//! Typed values (`Res_value`, AOSP `ResourceTypes.h`) and Android's conversions of them (`TypedArray`, `TypedValue`).

/// `TYPE_NULL`.
const NULL: u8 = 0x00;
/// `TYPE_REFERENCE`: the id of a resource.
const REFERENCE: u8 = 0x01;
/// `TYPE_STRING`: an index into the string pool of the file that holds the value.
const STRING: u8 = 0x03;
/// `TYPE_FLOAT`.
const FLOAT: u8 = 0x04;
/// `TYPE_DYNAMIC_REFERENCE`: the id of a resource, package 0 for the file's own.
const DYNAMIC_REFERENCE: u8 = 0x07;
/// `TYPE_FIRST_INT` to `TYPE_LAST_INT`.
const INTEGERS: std::ops::RangeInclusive<u8> = 0x10..=0x1f;
/// `TYPE_INT_HEX`.
const INT_HEX: u8 = 0x11;
/// `TYPE_INT_BOOLEAN`.
const INT_BOOLEAN: u8 = 0x12;

/// A value as it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raw {
    /// `dataType`.
    pub(super) kind: u8,
    /// `data`.
    pub(super) data: u32,
}

impl Raw {
    /// The resource that the value refers to; `None` for a value of its own and for `@null`.
    pub(super) fn reference(self) -> Option<u32> {
        matches!(self.kind, REFERENCE | DYNAMIC_REFERENCE).then_some(self.data).filter(|&id| id != 0)
    }

    /// Index of the string that the value is.
    pub(super) fn string(self) -> Option<u32> {
        (self.kind == STRING).then_some(self.data)
    }

    /// `@null`, `@empty`, or nothing.
    pub(super) fn is_null(self) -> bool {
        self.kind == NULL || (matches!(self.kind, REFERENCE | DYNAMIC_REFERENCE) && self.data == 0)
    }
}

/// A value with references followed and strings decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text.
    Text(String),
    /// Anything else.
    Plain(Raw),
}

impl Value {
    /// As `TypedArray.getString`: numbers become text.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Plain(Raw { kind: INT_BOOLEAN, data }) => Some((data != 0).to_string()),
            Self::Plain(Raw { kind: INT_HEX, data }) => Some(format!("0x{data:x}")),
            Self::Plain(Raw { kind: FLOAT, data }) => Some(format!("{:?}", f32::from_bits(data))),
            Self::Plain(Raw { kind, data }) => INTEGERS.contains(&kind).then(|| data.cast_signed().to_string()),
        }
    }

    /// As `TypedArray.getInteger`: text that is a number counts.
    pub(super) fn integer(&self) -> Option<u32> {
        match self {
            Self::Text(text) => parse_integer(text),
            Self::Plain(raw) => INTEGERS.contains(&raw.kind).then_some(raw.data),
        }
    }

    /// As `TypedArray.getBoolean`: any number but 0, and the texts `true`, `TRUE` and `1`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Text(text) => Some(matches!(text.as_str(), "1" | "true" | "TRUE")),
            Self::Plain(raw) => INTEGERS.contains(&raw.kind).then_some(raw.data != 0),
        }
    }

    /// Whether the value was written as a boolean.
    pub(super) fn is_true(&self) -> bool {
        matches!(self, Self::Plain(Raw { kind: INT_BOOLEAN, data }) if *data != 0)
    }
}

/// As `XmlUtils.convertValueToInt`: decimal, or hexadecimal behind `0x` or `#`, or octal behind `0`.
fn parse_integer(text: &str) -> Option<u32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, radix) = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        (hex, 16)
    } else if let Some(hex) = digits.strip_prefix('#') {
        (hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (digits, 8)
    } else {
        (digits, 10)
    };
    let magnitude =
        digits.starts_with(|c: char| c.is_digit(radix)).then(|| u32::from_str_radix(digits, radix).ok())??;
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_a_number_counts_as_one() {
        for (text, number) in
            [("23", Some(23)), ("0x10", Some(16)), ("010", Some(8)), ("-1", Some(u32::MAX)), ("S", None)]
        {
            assert_eq!(Value::Text(text.into()).integer(), number, "{text}");
        }
    }

    #[test]
    fn a_number_asked_for_as_text_is_written_out() {
        let text = |kind, data| Value::Plain(Raw { kind, data }).into_text();
        assert_eq!(text(0x10, u32::MAX).as_deref(), Some("-1"));
        assert_eq!(text(0x11, 255).as_deref(), Some("0xff"));
        assert_eq!(text(0x12, u32::MAX).as_deref(), Some("true"));
        assert_eq!(text(0x04, 1.5_f32.to_bits()).as_deref(), Some("1.5"));
        assert_eq!(text(0x01, 0x7f01_0000), None);
    }
}
