//! access.

use moorage_model::{Ino, Result};

use crate::{Context, Meta};

impl Meta {
    /// Whether the caller may use the node as `mask` says ([`crate::MAY_READ`] and so on); judges also callers that the
    /// kernel checks elsewhere. A mask of 0 asks whether the node exists.
    ///
    /// One engine read, one more for an unknown ACL rule.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`.
    pub async fn access(&self, context: &Context, ino: Ino, mask: u8) -> Result<()> {
        let attr = self.getattr(ino).await?;
        self.judge_access(self.engine.as_ref(), context, &attr, mask)
            .await
    }
}
