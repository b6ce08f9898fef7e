//! Ranges of records, page by page.

use moorage_model::Result;

use crate::{Key, Meta, Record, Scan, Survey};

/// Records read per page.
const PAGE: usize = 1000;

/// The pages of a range, one after the other.
#[derive(Debug)]
pub(crate) struct Pages {
    range: Scan,
    after: Option<Key>,
    ended: bool,
}

impl Pages {
    pub(crate) fn new(range: Scan) -> Pages {
        Pages {
            range,
            after: None,
            ended: false,
        }
    }

    /// The next page with its damaged records apart; `None` behind the last one.
    pub(crate) async fn survey(&mut self, meta: &Meta) -> Result<Option<Survey>> {
        if self.ended {
            return Ok(None);
        }
        let page = meta.engine.survey(&self.range, self.after.as_ref(), PAGE).await?;
        self.after.clone_from(&page.next);
        self.ended = page.next.is_none();
        Ok(Some(page))
    }

    /// As [`Pages::survey`], for those who can do nothing without every record.
    pub(crate) async fn next(&mut self, meta: &Meta) -> Result<Option<Vec<(Key, Record)>>> {
        match self.survey(meta).await? {
            Some(page) => page.whole().map(|page| Some(page.items)),
            None => Ok(None),
        }
    }
}
