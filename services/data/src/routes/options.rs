//! `OPTIONS` of a table, for clients that ask what they may do. CORS preflights are answered by `net`.

use http::header::ALLOW;
use http::{HeaderValue, StatusCode};

/// The methods of a table.
pub(crate) async fn list_methods() -> (StatusCode, [(http::HeaderName, HeaderValue); 1]) {
    (
        StatusCode::OK,
        [(
            ALLOW,
            HeaderValue::from_static("OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
        )],
    )
}
