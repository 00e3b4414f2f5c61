//! `pando keys`: the API keys, whether the server runs or not.

use crate::config::Config;
use crate::instance;
use crate::output::say;
use anyhow::Result;
use serde_json::json;

/// Prints the keys, for people or as JSON.
pub async fn keys(config: &Config, as_json: bool) -> Result<()> {
    let keys = instance::read_keys(config).await?.shown();
    let url = super::serve::public_url(config, None)?;
    if as_json {
        let object = json!({
            "url": url,
            "publishable": keys.publishable,
            "secret": keys.secret,
            "anon": keys.anon,
            "service_role": keys.service_role,
        });
        return say(&format!("{object:#}\n"));
    }
    say(&format!(
        "url           {url}\n\
         publishable   {}\n\
         secret        {}\n\
         \n\
         The same as legacy tokens, for clients that want those:\n\
         anon          {}\n\
         service_role  {}\n\
         \n\
         The secret key and service_role pass row-level security: they belong on servers, never in an app.\n",
        keys.publishable, keys.secret, keys.anon, keys.service_role
    ))
}
