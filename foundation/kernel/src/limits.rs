//! Every tunable bound in one place, with its default. All refusals are clear errors; nothing is unbounded.

use std::time::Duration;

/// The bounds of a process. Configuration may change each of them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A JSON request body, bytes.
    pub json_body_bytes_max: usize,
    /// Path and query together, bytes.
    pub url_bytes_max: usize,
    /// All request headers together, bytes.
    pub header_bytes_max: usize,
    /// Nesting of JSON in a body.
    pub json_depth_max: usize,
    /// Nesting of embedded resources in `select`.
    pub embed_depth_max: usize,
    /// Rows in one page of an answer.
    pub page_rows_max: u64,
    /// A whole request, from its first byte to the answer.
    pub request_deadline: Duration,
    /// One statement of a signed-in user or a service.
    pub statement_deadline: Duration,
    /// One statement of an anonymous caller.
    pub anon_statement_deadline: Duration,
    /// Writes waiting for the writer.
    pub writer_queue_max: usize,
    /// Reads waiting for a reader.
    pub reader_queue_max: usize,
    /// Writes that share one commit.
    pub batch_writes_max: usize,
    /// The embedded database's write-ahead log, bytes; writes are refused while it is longer.
    pub wal_bytes_max: u64,
    /// Open client connections.
    pub connections_max: usize,
    /// Requests in flight of one class (a service's reads, or its changes), over all connections.
    pub in_flight_max: usize,
    /// Life of an access token.
    pub access_token_lifetime: Duration,
    /// How long a refresh token already used may be used again.
    pub refresh_grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            json_body_bytes_max: 10 << 20,
            url_bytes_max: 32 << 10,
            header_bytes_max: 32 << 10,
            json_depth_max: 64,
            embed_depth_max: 8,
            page_rows_max: 1_000,
            request_deadline: Duration::from_secs(30),
            statement_deadline: Duration::from_secs(8),
            anon_statement_deadline: Duration::from_secs(3),
            writer_queue_max: 4_096,
            reader_queue_max: 4_096,
            batch_writes_max: 256,
            wal_bytes_max: 1 << 30,
            connections_max: 20_000,
            in_flight_max: 4_096,
            access_token_lifetime: Duration::from_secs(3_600),
            refresh_grace: Duration::from_secs(10),
        }
    }
}
