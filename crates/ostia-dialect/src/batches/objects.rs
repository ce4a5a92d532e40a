//! Rows and results in an object storage. An address is the bucket, a slash, and the object's name: `bucket/folder/rows.jsonl`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use super::form::{NewBatch, Settings};
use crate::Fault;

/// Longest address, in bytes: a name of 1,024 (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>,
/// <https://docs.cloud.google.com/storage/docs/objects>) behind a bucket's of 222 at most.
const ADDRESS_BYTES_MAX: usize = 1_300;
/// Longest name of a bucket, and longest prefix, in bytes.
const BUCKET_BYTES_MAX: usize = 222;
const PREFIX_BYTES_MAX: usize = 512;
/// What rows are called in the folder of their batch.
const ROWS: &str = "rows.jsonl";
/// Everything that is not unreserved (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The settings that say where a batch or a job may have its objects.
pub(crate) struct Folder {
    /// The bucket's.
    pub bucket: &'static str,
    /// That of what stands before all names.
    pub prefix: &'static str,
}

impl Folder {
    /// The address of the batch's own folder, with a slash at its end.
    pub(crate) fn of(&self, batch: &NewBatch<'_>) -> String {
        self.named(batch.name, batch.settings)
    }

    /// The address of the folder of this name, with a slash at its end.
    pub(crate) fn named(&self, name: &str, settings: Settings<'_>) -> String {
        let bucket = settings.get(self.bucket).unwrap_or_default();
        let prefix = settings.get(self.prefix).unwrap_or_default().trim_matches('/');
        let joint = if prefix.is_empty() { "" } else { "/" };
        format!("{bucket}/{prefix}{joint}{name}/")
    }

    /// The address of its rows.
    pub(crate) fn rows(&self, batch: &NewBatch<'_>) -> String {
        self.of(batch) + ROWS
    }

    /// Looks at the settings. They are spelled so that no storage has to read an address in another way than it was written.
    pub(crate) fn check(&self, settings: Settings<'_>) -> Result<(), Fault> {
        let bucket = settings.get(self.bucket).unwrap_or_default();
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if !is_name(bucket) || bucket.len() > BUCKET_BYTES_MAX || !bucket.bytes().all(is_plain) {
            let what = "must be the name of a bucket: small letters, digits, hyphens, dots";
            return Err(
                Fault::invalid(format!("Invalid `{}`: it {what}.", self.bucket)).with_param(self.bucket)
            );
        }
        let prefix = settings.get(self.prefix).unwrap_or_default().trim_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_folder = |segment: &str| is_name(segment) && segment.bytes().all(is_plain);
        if prefix.len() > PREFIX_BYTES_MAX || !prefix.is_empty() && !prefix.split('/').all(is_folder) {
            let what = "must be letters, digits, hyphens, dots and underscores, with slashes between folders";
            return Err(
                Fault::invalid(format!("Invalid `{}`: it {what}.", self.prefix)).with_param(self.prefix)
            );
        }
        Ok(())
    }
}

/// The address in a URI of this scheme (`s3://`).
pub(crate) fn address<'u>(uri: &'u str, scheme: &str) -> Option<&'u str> {
    uri.strip_prefix(scheme)
}

/// Is it the address of an object, and does it lead nowhere else?
pub(crate) fn is_address(text: &str) -> bool {
    text.len() <= ADDRESS_BYTES_MAX
        && text.contains('/')
        && text.split('/').all(is_name)
        && !text.bytes().any(|byte| byte.is_ascii_control() || byte == b'\\')
}

fn is_name(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
}

/// A part of an address as one segment of a path, or the value of a field in a query.
pub(crate) fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}
