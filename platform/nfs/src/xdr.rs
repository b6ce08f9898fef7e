//! Reading XDR (RFC 4506) from a request that lies in memory whole.

/// Bytes of a unit: everything is padded to a multiple of it.
const UNIT: usize = 4;

/// A request that is not what its procedure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Garbage;

/// What is left of a request. Nothing is copied, and no length that a sender claims reserves memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Garbage> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Garbage)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Bytes of a length that both sides know.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Garbage> {
        let taken = self.take(N)?;
        self.take(N.next_multiple_of(UNIT) - N)?;
        taken.try_into().map_err(|_| Garbage)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Garbage> {
        self.fixed().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Garbage> {
        self.fixed().map(u64::from_be_bytes)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Garbage> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Garbage),
        }
    }

    /// Bytes behind their length, of which there may be at most `most`.
    pub(crate) fn opaque(&mut self, most: usize) -> Result<&'a [u8], Garbage> {
        let length = usize::try_from(self.u32()?).map_err(|_| Garbage)?;
        if length > most {
            return Err(Garbage);
        }
        let taken = self.take(length)?;
        self.take(length.next_multiple_of(UNIT) - length)?;
        Ok(taken)
    }

    /// A value that is there or not.
    pub(crate) fn optional<T>(
        &mut self,
        value: impl FnOnce(&mut Reader<'a>) -> Result<T, Garbage>,
    ) -> Result<Option<T>, Garbage> {
        match self.bool()? {
            true => value(self).map(Some),
            false => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_their_padding() {
        let mut reader = Reader::new(&[0, 0, 0, 3, b'a', b'b', b'c', 0, 0, 0, 0, 1]);
        assert_eq!(reader.opaque(8), Ok(b"abc".as_slice()));
        assert_eq!(reader.bool(), Ok(true));
        assert_eq!(reader.u32(), Err(Garbage));
    }

    #[test]
    fn a_length_beyond_what_is_there_or_allowed_is_garbage() {
        let claimed = [0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4];
        assert_eq!(Reader::new(&claimed).opaque(usize::MAX), Err(Garbage));
        let five = [0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0];
        assert_eq!(Reader::new(&five).opaque(4), Err(Garbage));
        let cut = [0, 0, 0, 5, 1, 2, 3, 4, 5];
        assert_eq!(Reader::new(&cut).opaque(8), Err(Garbage));
    }
}
