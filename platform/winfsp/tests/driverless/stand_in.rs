//! Stands for the functions of the library that talk to the driver: the linker takes these instead.

use std::mem::zeroed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use winfsp_sys::{
    FSP_FILE_SYSTEM, FSP_FILE_SYSTEM_INTERFACE, FSP_FSCTL_VOLUME_PARAMS, FspFileSystemOpCleanup,
    FspFileSystemOpClose, FspFileSystemOpCreate, FspFileSystemOpEnter, FspFileSystemOpFileSystemControl,
    FspFileSystemOpFlushBuffers, FspFileSystemOpLeave, FspFileSystemOpOverwrite,
    FspFileSystemOpQueryDirectory, FspFileSystemOpQueryInformation, FspFileSystemOpQuerySecurity,
    FspFileSystemOpQueryVolumeInformation, FspFileSystemOpRead, FspFileSystemOpSetInformation,
    FspFileSystemOpSetSecurity, FspFileSystemOpWrite, NTSTATUS, PWSTR, ULONG,
};

/// The file system that was made last, by the thread that holds the turn.
static MADE: Mutex<usize> = Mutex::new(0);
static TURN: Mutex<()> = Mutex::new(());

/// One test at a time makes a file system and takes it.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one that was made last.
pub(crate) fn last_made() -> *mut FSP_FILE_SYSTEM {
    let made = *MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made as *mut FSP_FILE_SYSTEM
}

#[unsafe(no_mangle)]
unsafe extern "C" fn FspFileSystemCreate(
    _device: PWSTR,
    params: *const FSP_FSCTL_VOLUME_PARAMS,
    interface: *const FSP_FILE_SYSTEM_INTERFACE,
    result: *mut *mut FSP_FILE_SYSTEM,
) -> NTSTATUS {
    // SAFETY: plain numbers and optional pointers, for which zero is a value.
    let mut made: Box<FSP_FILE_SYSTEM> = Box::new(unsafe { zeroed() });
    made.Version = size_of::<FSP_FILE_SYSTEM>() as u16;
    made.Interface = interface;
    made.EnterOperation = Some(FspFileSystemOpEnter);
    made.LeaveOperation = Some(FspFileSystemOpLeave);
    // SAFETY: the caller passes its parameters.
    unsafe {
        made.UmFileContextIsUserContext2 = u8::from((*params).UmFileContextIsUserContext2() != 0);
        made.UmFileContextIsFullContext = u8::from((*params).UmFileContextIsFullContext() != 0);
    }
    let operations = &mut made.Operations;
    operations[1] = Some(FspFileSystemOpCreate);
    operations[2] = Some(FspFileSystemOpOverwrite);
    operations[3] = Some(FspFileSystemOpCleanup);
    operations[4] = Some(FspFileSystemOpClose);
    operations[5] = Some(FspFileSystemOpRead);
    operations[6] = Some(FspFileSystemOpWrite);
    operations[7] = Some(FspFileSystemOpQueryInformation);
    operations[8] = Some(FspFileSystemOpSetInformation);
    operations[11] = Some(FspFileSystemOpFlushBuffers);
    operations[12] = Some(FspFileSystemOpQueryVolumeInformation);
    operations[14] = Some(FspFileSystemOpQueryDirectory);
    operations[15] = Some(FspFileSystemOpFileSystemControl);
    operations[19] = Some(FspFileSystemOpQuerySecurity);
    operations[20] = Some(FspFileSystemOpSetSecurity);
    let made = Box::into_raw(made);
    *MADE.lock().unwrap_or_else(PoisonError::into_inner) = made as usize;
    // SAFETY: the caller passes a place for it.
    unsafe { *result = made };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn FspFileSystemDelete(made: *mut FSP_FILE_SYSTEM) {
    // SAFETY: it came from the function above, and is deleted once.
    drop(unsafe { Box::from_raw(made) });
}

#[unsafe(no_mangle)]
extern "C" fn FspFileSystemStartDispatcher(_made: *mut FSP_FILE_SYSTEM, _threads: ULONG) -> NTSTATUS {
    0
}

#[unsafe(no_mangle)]
extern "C" fn FspFileSystemStopDispatcher(_made: *mut FSP_FILE_SYSTEM) {}
