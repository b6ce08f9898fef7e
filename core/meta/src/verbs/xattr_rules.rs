//! Which extended attributes a caller may read and change (spec 70-semantics sections 3 and 9).

use moorage_model::{Attr, Error, ErrorKind, Ino, MAX_XATTR_NAME_BYTES, MAX_XATTR_VALUE_BYTES, Result};

use crate::{Context, MAY_READ, MAY_WRITE, Meta, Read};

/// Attributes of users: only on files and directories, by the permissions of the node.
const USER: &[u8] = b"user.";
/// Attributes of the superuser.
const TRUSTED: &[u8] = b"trusted.";
/// Attributes of security modules: read by everybody, changed by the superuser.
const SECURITY: &[u8] = b"security.";

/// Sticky bit of a mode.
const STICKY: u16 = 0o1000;

pub(super) fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() || name.contains(&0) {
        return Err(ErrorKind::InvalidArgument.into());
    }
    if name.len() > MAX_XATTR_NAME_BYTES {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!(
                "attribute name of {} bytes, at most {MAX_XATTR_NAME_BYTES} fit",
                name.len()
            ),
        ));
    }
    Ok(())
}

pub(super) fn check_value(value: &[u8]) -> Result<()> {
    if value.len() > MAX_XATTR_VALUE_BYTES {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!(
                "attribute value of {} bytes, at most {MAX_XATTR_VALUE_BYTES} fit",
                value.len()
            ),
        ));
    }
    Ok(())
}

/// Refuses changes on nodes that belong to the mount or the trash itself.
pub(super) fn check_node(ino: Ino) -> Result<()> {
    if ino.is_internal() || ino.is_trash() {
        Err(ErrorKind::NotPermitted.into())
    } else {
        Ok(())
    }
}

/// Judges a read for callers that the kernel has not checked.
pub(super) async fn may_read(meta: &Meta, context: &Context, attr: &Attr, name: &[u8]) -> Result<()> {
    if name.starts_with(SECURITY) || context.uid.0 == 0 {
        return Ok(());
    }
    if name.starts_with(TRUSTED) || (name.starts_with(USER) && !takes_user_attributes(attr)) {
        return Err(ErrorKind::NoAttribute.into());
    }
    meta.check_access(context, attr, MAY_READ).await
}

/// Judges a change. What lies in the trash is changed by root only, whoever checked the rest.
pub(super) async fn may_write(
    meta: &Meta,
    reader: &(impl Read + ?Sized),
    context: &Context,
    attr: &Attr,
    name: &[u8],
) -> Result<()> {
    if attr.in_trash() && context.uid.0 != 0 {
        return Err(ErrorKind::NotPermitted.into());
    }
    if !context.check_permission {
        return Ok(());
    }
    if name.starts_with(USER) && !takes_user_attributes(attr) {
        return Err(ErrorKind::NotPermitted.into());
    }
    if context.uid.0 == 0 {
        return Ok(());
    }
    let foreign = context.uid != attr.uid;
    let sticky = attr.is_directory() && attr.mode & STICKY != 0;
    if name.starts_with(TRUSTED) || name.starts_with(SECURITY) || (sticky && foreign) {
        return Err(ErrorKind::NotPermitted.into());
    }
    meta.check_access_in(reader, context, attr, MAY_WRITE).await
}

fn takes_user_attributes(attr: &Attr) -> bool {
    attr.is_file() || attr.is_directory()
}
