//! The bytes of a pickle, read forwards and never past their end.

use super::graph::Span;
use super::opcode as op;
use crate::scvi_tools::SaveError;

/// What is left of a pickle.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    opcode_at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, opcode_at: 0 }
    }

    /// Where the instruction began that is being carried out.
    pub(super) fn opcode_at(&self) -> usize {
        self.opcode_at
    }

    pub(super) fn opcode(&mut self) -> Result<u8, SaveError> {
        self.opcode_at = self.at;
        self.byte()
    }

    pub(super) fn byte(&mut self) -> Result<u8, SaveError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], SaveError> {
        let Some(&bytes) = self.bytes[self.at..].first_chunk() else {
            return Err(self.bad("the pickle ends in the middle"));
        };
        self.at += N;
        Ok(bytes)
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], SaveError> {
        let bytes = self.bytes;
        let left = bytes.len() - self.at;
        if n > left {
            return Err(self.bad(format!("asks for {n} bytes, {left} are left")));
        }
        self.at += n;
        Ok(&bytes[self.at - n..self.at])
    }

    /// The length field of an instruction; what does not fit becomes a length no file has.
    pub(super) fn length(&mut self, opcode: u8) -> Result<usize, SaveError> {
        Ok(match opcode {
            op::SHORT_BINUNICODE | op::SHORT_BINBYTES | op::LONG1 => self.byte()?.into(),
            op::BINUNICODE8 | op::BINBYTES8 | op::BYTEARRAY8 => {
                usize::try_from(u64::from_le_bytes(self.array()?)).unwrap_or(usize::MAX)
            }
            _ => u32::from_le_bytes(self.array()?) as usize,
        })
    }

    /// A length field and as many bytes.
    pub(super) fn sized(&mut self, opcode: u8) -> Result<Span, SaveError> {
        let n = self.length(opcode)?;
        self.take(n)?;
        Ok(Span::new(self.at - n..self.at))
    }

    /// A name up to the end of its line.
    pub(super) fn line(&mut self) -> Result<Span, SaveError> {
        let Some(n) = self.bytes[self.at..].iter().position(|&b| b == b'\n') else {
            return Err(self.bad("a class name that does not end"));
        };
        let span = Span::new(self.at..self.at + n);
        self.at += n + 1;
        self.check_utf8(span)?;
        Ok(span)
    }

    pub(super) fn check_utf8(&self, span: Span) -> Result<(), SaveError> {
        match str::from_utf8(span.of(self.bytes)) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.bad("text that is not UTF-8")),
        }
    }

    pub(super) fn bad(&self, problem: impl Into<String>) -> SaveError {
        SaveError::Pickle { at: self.opcode_at, problem: problem.into() }
    }
}
