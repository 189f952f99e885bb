//! Protocol Buffers on the wire: fields of a message with their numbers, in order, without a schema.

use super::ParseError;

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2: a string, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// Wire types 1 and 5: 8 or 4 bytes, little endian.
    Fixed(u64),
}

impl<'a> Value<'a> {
    /// The bytes of a field that has some.
    #[must_use]
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The number of a field that is one.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Varint(number) | Self::Fixed(number) => Some(number),
            Self::Bytes(_) => None,
        }
    }
}

/// The fields of one message. After an error there is nothing more.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a message.
    #[must_use]
    pub fn of(message: &'a [u8]) -> Self {
        Self { rest: message, len: message.len() }
    }

    fn offset(&self) -> u64 {
        (self.len - self.rest.len()) as u64
    }

    fn varint(&mut self) -> Result<u64, ParseError> {
        let start = self.offset();
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some((byte, rest)) = self.rest.split_first() else {
                return Err(ParseError::truncated(start, 1, self.len as u64));
            };
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ParseError::invalid(start, "varint", "longer", "10 bytes at most"))
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], ParseError> {
        let split = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        let (taken, rest) = split.ok_or_else(|| ParseError::truncated(self.offset(), len, self.len as u64))?;
        self.rest = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), ParseError> {
        let start = self.offset();
        let tag = self.varint()?;
        let fixed = |bytes: &[u8]| bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed(fixed(self.take(8)?)),
            2 => {
                let len = self.varint()?;
                Value::Bytes(self.take(len)?)
            }
            5 => Value::Fixed(fixed(self.take(4)?)),
            other => return Err(ParseError::invalid(start, "wire type", other, "0, 1, 2 or 5")),
        };
        Ok((tag >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_order_with_their_numbers() {
        let message = b"\x08\x96\x01\x12\x02hi\x1d\x01\0\0\0\x21\x02\0\0\0\0\0\0\0";
        let fields: Result<Vec<_>, _> = Fields::of(message).collect();
        let expected = [(1, Value::Varint(150)), (2, Value::Bytes(b"hi")), (3, Value::Fixed(1)), (4, Value::Fixed(2))];
        assert_eq!(fields.unwrap(), expected);
    }

    #[test]
    fn a_message_cut_anywhere_ends_in_at_most_one_error() {
        let message = b"\x08\x96\x01\x12\x02hi\x1d\x01\0\0\0";
        for len in 0..message.len() {
            let errors = Fields::of(&message[..len]).filter(Result::is_err).count();
            assert_eq!(errors, usize::from(![0, 3, 7].contains(&len)), "{len}");
        }
        assert!(Fields::of(&[0x80; 11]).next().unwrap().is_err());
        assert!(Fields::of(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").next().unwrap().is_err());
        assert!(Fields::of(b"\x0b").next().unwrap().is_err());
    }
}
