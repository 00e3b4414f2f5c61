//! What the service says about itself.

use super::answer;
use crate::Auth;
use crate::ask::Ask;
use crate::error::AuthError;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};
use serde_json::json;
use std::sync::Arc;

/// `GET /settings`: what a client may offer.
pub async fn settings(auth: Arc<Auth>, _ask: Ask) -> Result<Response, AuthError> {
    let config = &auth.config;
    let mut external = serde_json::Map::new();
    for provider in [
        "apple",
        "azure",
        "bitbucket",
        "discord",
        "facebook",
        "figma",
        "fly",
        "github",
        "gitlab",
        "google",
        "kakao",
        "keycloak",
        "linkedin",
        "linkedin_oidc",
        "notion",
        "slack",
        "slack_oidc",
        "snapchat",
        "spotify",
        "twitch",
        "twitter",
        "workos",
        "zoom",
        "phone",
    ] {
        external.insert(provider.into(), json!(false));
    }
    external.insert("email".into(), json!(true));
    external.insert("anonymous_users".into(), json!(config.anonymous_enabled));
    Ok(answer(&json!({
        "external": external,
        "disable_signup": config.disable_signup,
        "mailer_autoconfirm": config.autoconfirms(),
        "phone_autoconfirm": false,
        "sms_provider": "",
        "saml_enabled": false,
    })))
}

/// `GET /health`.
pub async fn health(_auth: Arc<Auth>, _ask: Ask) -> Result<Response, AuthError> {
    Ok(answer(&json!({
        "version": concat!("v", env!("CARGO_PKG_VERSION")),
        "name": "Pando Auth",
        "description": "Pando Auth is a user registration and authentication API",
    })))
}

/// `GET /.well-known/jwks.json` (RFC 7517): the keys access tokens are signed with.
pub async fn jwks(auth: Arc<Auth>, _ask: Ask) -> Result<Response, AuthError> {
    let mut response = Response::new(Body::from(auth.keys.jwks().to_string()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=600"),
    );
    Ok(response)
}

/// `GET /.well-known/openid-configuration`: where those keys are.
pub async fn discovery(auth: Arc<Auth>, _ask: Ask) -> Result<Response, AuthError> {
    let issuer = &auth.config.external_url;
    Ok(answer(&json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })))
}
