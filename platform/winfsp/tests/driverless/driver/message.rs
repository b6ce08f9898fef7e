//! Requests to the library and its answers as bytes (fsctl.h).

use std::mem::offset_of;

use winfsp_sys::*;

/// Room for any request or answer, with what stands behind it (fsctl.h, `FSP_FSCTL_TRANSACT_RSP_SIZEMAX`).
const MESSAGE_BYTES: usize = 80_000;
#[repr(C, align(16))]
struct Bytes([u8; MESSAGE_BYTES]);

/// A request that is being written.
pub(super) struct Request {
    bytes: Box<Bytes>,
    used: usize,
}

impl Request {
    pub(super) fn new(kind: i32) -> Request {
        let mut request = Request {
            bytes: Box::new(Bytes([0; MESSAGE_BYTES])),
            used: 0,
        };
        let head = request.head();
        head.Version = 1;
        head.Kind = kind.cast_unsigned();
        request
    }

    pub(super) fn named(kind: i32, name: &str) -> Request {
        let mut request = Request::new(kind);
        request.head().FileName = request.text(name);
        request
    }

    pub(super) fn head(&mut self) -> &mut FSP_FSCTL_TRANSACT_REQ {
        // SAFETY: the buffer is large and aligned enough, and zero is a value of every part.
        unsafe { &mut *self.bytes.0.as_mut_ptr().cast() }
    }

    /// Bytes of the head and of what stands behind it.
    pub(super) fn size(&self) -> usize {
        offset_of!(FSP_FSCTL_TRANSACT_REQ, Buffer) + self.used
    }

    /// Puts bytes behind the head.
    pub(super) fn put(&mut self, bytes: &[u8]) -> FSP_FSCTL_TRANSACT_BUF {
        let at = self.size();
        self.bytes.0[at..at + bytes.len()].copy_from_slice(bytes);
        let place = FSP_FSCTL_TRANSACT_BUF {
            Offset: self.used as u16,
            Size: bytes.len() as u16,
        };
        self.used += bytes.len().next_multiple_of(8);
        place
    }

    pub(super) fn text(&mut self, text: &str) -> FSP_FSCTL_TRANSACT_BUF {
        let bytes: Vec<u8> = text
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        self.put(&bytes)
    }
}

/// An answer.
pub(super) struct Response(Box<Bytes>);

impl Response {
    pub(super) fn empty() -> Response {
        Response(Box::new(Bytes([0; MESSAGE_BYTES])))
    }

    pub(super) fn head_mut(&mut self) -> *mut FSP_FSCTL_TRANSACT_RSP {
        self.0.0.as_mut_ptr().cast()
    }

    pub(super) fn head(&self) -> &FSP_FSCTL_TRANSACT_RSP {
        // SAFETY: the buffer is large and aligned enough, and the library filled it.
        unsafe { &*self.0.0.as_ptr().cast() }
    }

    pub(super) fn note(&mut self, status: u32) {
        // SAFETY: the buffer is large and aligned enough.
        unsafe {
            (*self.head_mut()).IoStatus.Status = status;
        }
    }

    pub(super) fn information(&self) -> u32 {
        self.head().IoStatus.Information
    }

    /// Bytes behind the head.
    pub(super) fn text(&self, place: FSP_FSCTL_TRANSACT_BUF) -> Vec<u8> {
        let at = offset_of!(FSP_FSCTL_TRANSACT_RSP, Buffer) + usize::from(place.Offset);
        self.0.0[at..at + usize::from(place.Size)].to_vec()
    }
}
