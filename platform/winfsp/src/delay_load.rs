//! Finding functions of the driver's library when they are first called, as the import library of build.rs asks for.
//!
//! Microsoft's linker brings this along; MinGW's library of it is empty on some systems.

use std::ffi::{c_char, c_void};

use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};

/// What the import library tells of the library, as offsets in the program (`ImgDelayDescr`, delayimp.h).
#[repr(C)]
pub(crate) struct DelayDescriptor {
    attributes: u32,
    name: u32,
    module: u32,
    addresses: u32,
    names: u32,
    bound_addresses: u32,
    unload_addresses: u32,
    time: u32,
}

/// Offset of the text in an entry of names, behind the hint (`IMAGE_IMPORT_BY_NAME`).
const HINT_BYTES: usize = 2;
/// Marks an entry that is a number instead of a name (`IMAGE_ORDINAL_FLAG64`).
const IS_ORDINAL: usize = 1 << 63;

unsafe extern "C" {
    static __ImageBase: u8;
}

/// Called by the import library at the first call of a function: finds it and stores its address.
///
/// # Safety
/// For the import library alone, which passes its own tables.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn __delayLoadHelper2(
    descriptor: *const DelayDescriptor,
    slot: *mut *mut c_void,
) -> *mut c_void {
    let base = &raw const __ImageBase;
    // SAFETY: the tables are the import library's, which lie in this program at the offsets that it gives.
    let found = unsafe {
        let descriptor = &*descriptor;
        // Loaded before, from where the driver's installer put it; a search by name could find somebody else's file.
        let module = GetModuleHandleA(base.add(descriptor.name as usize));
        let index = (slot as usize - (base as usize + descriptor.addresses as usize)) / size_of::<usize>();
        let entry = *base.add(descriptor.names as usize).cast::<usize>().add(index);
        let name: *const c_char = match entry & IS_ORDINAL {
            0 => base.add(entry + HINT_BYTES).cast(),
            _ => (entry & usize::from(u16::MAX)) as *const c_char,
        };
        match module.is_null() {
            true => None,
            false => GetProcAddress(module, name.cast()),
        }
    };
    let Some(found) = found else {
        // There is nothing to return to: whoever calls has no way to hear of an error.
        tracing::error!(
            "a function of WinFsp was called before its library was loaded, or the library lacks it"
        );
        std::process::abort();
    };
    let address = found as *mut c_void;
    // SAFETY: the slot is the import library's place for this address.
    unsafe { *slot = address };
    address
}

/// Keeps the function above in programs: only the import library calls it, which the linker sees later.
#[inline(never)]
pub(crate) fn keep() {
    std::hint::black_box(__delayLoadHelper2 as *const () as usize);
}
