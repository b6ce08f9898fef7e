//! Reading JSON as a stream, with errors that name the place.

use std::fmt;
use std::io::{ErrorKind as IoErrorKind, Read};

use moorage_model::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use struson::reader::{JsonReader as _, JsonStreamReader, ReaderError, ReaderSettings, ValueType};
use struson::serde::DeserializerError;
use struson::writer::{JsonStreamWriter, JsonWriter as _};

/// The stream of a dump.
pub(super) struct DumpReader<R: Read>(JsonStreamReader<R>);

impl<R: Read> fmt::Debug for DumpReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DumpReader")
            .field(&self.0.current_position(true).to_string())
            .finish()
    }
}

impl<R: Read> DumpReader<R> {
    pub(super) fn new(dump: R) -> DumpReader<R> {
        let settings = ReaderSettings {
            // Trees have any depth, and nothing here recurses.
            max_nesting_depth: None,
            // Asked for only to say what is wrong with a second document.
            allow_multiple_top_level: true,
            ..ReaderSettings::default()
        };
        DumpReader(JsonStreamReader::new_custom(dump, settings))
    }

    /// Reads something of the stream.
    ///
    /// # Errors
    /// `Corrupt` naming the place; `Io` when the dump can not be read.
    pub(super) fn try_<T>(
        &mut self,
        read: impl FnOnce(&mut JsonStreamReader<R>) -> Result<T, ReaderError>,
    ) -> Result<T> {
        read(&mut self.0).map_err(reader_error)
    }

    /// The next value as a document.
    ///
    /// # Errors
    /// See [`DumpReader::try_`].
    pub(super) fn value<T: DeserializeOwned>(&mut self) -> Result<T> {
        match self.0.deserialize_next() {
            Ok(value) => Ok(value),
            Err(DeserializerError::ReaderError(error)) => Err(reader_error(error)),
            Err(error) => Err(self.damaged(&error.to_string())),
        }
    }

    /// The text of the next value; small ones only.
    ///
    /// # Errors
    /// See [`DumpReader::try_`].
    pub(super) fn value_as_text(&mut self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut writer = JsonStreamWriter::new(&mut text);
        let copied = self.0.transfer_to(&mut writer);
        if let Err(error) = copied {
            return Err(self.damaged(&error.to_string()));
        }
        writer
            .finish_document()
            .map_err(|error| self.damaged(&error.to_string()))?;
        Ok(text)
    }

    /// Takes a null; `false` when something else comes.
    ///
    /// # Errors
    /// See [`DumpReader::try_`].
    pub(super) fn take_null(&mut self) -> Result<bool> {
        let is_null = self.try_(|json| json.peek())? == ValueType::Null;
        if is_null {
            self.try_(|json| json.next_null())?;
        }
        Ok(is_null)
    }

    /// Calls `item` for each item of a list, or for none of a null.
    ///
    /// # Errors
    /// Those of `item`; see [`DumpReader::try_`].
    pub(super) fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if self.take_null()? {
            return Ok(());
        }
        self.try_(|json| json.begin_array())?;
        while self.try_(|json| json.has_next())? {
            item(self)?;
        }
        self.try_(|json| json.end_array())
    }

    /// The document ends here.
    ///
    /// # Errors
    /// `Corrupt` when something follows.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.try_(|json| json.has_next())? {
            return Err(self.damaged("something follows its end"));
        }
        Ok(())
    }

    /// The dump is damaged here.
    pub(super) fn damaged(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!("the dump is damaged at {}: {what}", self.0.current_position(true)),
        )
    }

    /// Adds the place to an error of a record.
    pub(super) fn at<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.context(format!("the dump at {}", self.0.current_position(true))))
    }
}

fn reader_error(error: ReaderError) -> Error {
    match &error {
        ReaderError::IoError { error: io, .. }
            if io.kind() != IoErrorKind::InvalidData
                && io.kind() != IoErrorKind::UnexpectedEof
                && io.kind() != IoErrorKind::InvalidInput =>
        {
            Error::new(ErrorKind::Io, "the dump can not be read").with_source(error)
        }
        _ => Error::new(ErrorKind::Corrupt, "the dump is damaged").with_source(error),
    }
}
