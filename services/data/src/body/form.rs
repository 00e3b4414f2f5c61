//! Form payloads: one row, every value a text.

use crate::error::RestError;
use crate::query::decode;

/// Writes a form as a JSON object.
pub(super) fn to_json(text: &str) -> Result<String, RestError> {
    let mut json = String::with_capacity(text.len() * 2);
    json.push('{');
    for pair in text.trim_end().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&serde_json::Value::from(&*decode(key)?).to_string());
        json.push(':');
        json.push_str(&serde_json::Value::from(&*decode(value)?).to_string());
    }
    json.push('}');
    Ok(json)
}
