//! What a store answers when it does not do what was asked.

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A URL of no form we know.
    #[error("{0:?} names no place: write a path, file:///folder or s3://bucket/prefix")]
    Url(String),
    /// A bucket without a way in.
    #[error("{0}")]
    Access(String),
    /// There is no such object.
    #[error("there is no {key} in {place}")]
    Missing {
        /// The object.
        key: String,
        /// The store.
        place: String,
    },
    /// There is another object of this key.
    #[error(
        "{key} is in {place} already, with other content: does another server copy to the same place?"
    )]
    Exists {
        /// The object.
        key: String,
        /// The store.
        place: String,
    },
    /// An object greater than what is read of one.
    #[error("{key} in {place} is larger than {bytes_max} bytes")]
    Large {
        /// The object.
        key: String,
        /// The store.
        place: String,
        /// The bound.
        bytes_max: usize,
    },
    /// The store can't be reached, is full, or refuses us.
    #[error("{place} does not do its part ({key}): {reason}")]
    Away {
        /// What was asked for.
        key: String,
        /// The store.
        place: String,
        /// Its words, or the system's.
        reason: String,
    },
}
