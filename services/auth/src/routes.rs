//! Every route of the service, and nothing else. A handler takes the service and an [`Ask`], and answers or refuses.

mod admin;
mod link;
mod logout;
mod meta;
mod pkce;
mod recover;
mod refresh;
mod resend;
mod sign_in;
mod signup;
mod user;
mod verify;

use crate::Auth;
use crate::ask::Ask;
use crate::error::{AuthError, from_net};
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use pando_net::{Access, Routes};
use serde_json::Value;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tower::{Service, service_fn};

/// The routes with who may call them.
pub fn routes(auth: &Arc<Auth>) -> Routes {
    Routes::new(|error, head| from_net(error).respond(&head.headers))
        .route(
            Method::POST,
            "/auth/v1/signup",
            Access::Key,
            on(auth, signup::signup),
        )
        .route(Method::POST, "/auth/v1/token", Access::Key, on(auth, token))
        .route(
            Method::POST,
            "/auth/v1/recover",
            Access::Key,
            on(auth, recover::recover),
        )
        .route(
            Method::POST,
            "/auth/v1/resend",
            Access::Key,
            on(auth, resend::resend),
        )
        .route(
            Method::POST,
            "/auth/v1/otp",
            Access::Key,
            on(auth, link::otp),
        )
        .route(
            Method::POST,
            "/auth/v1/magiclink",
            Access::Key,
            on(auth, link::otp),
        )
        .route(
            Method::GET,
            "/auth/v1/verify",
            Access::Open,
            on(auth, verify::follow_link),
        )
        .route(
            Method::POST,
            "/auth/v1/verify",
            Access::Open,
            on(auth, verify::verify),
        )
        .route(
            Method::GET,
            "/auth/v1/user",
            Access::User,
            on(auth, user::get_user),
        )
        .route(
            Method::PUT,
            "/auth/v1/user",
            Access::User,
            on(auth, user::update_user),
        )
        .route(
            Method::POST,
            "/auth/v1/logout",
            Access::User,
            on(auth, logout::logout),
        )
        .route(
            Method::GET,
            "/auth/v1/settings",
            Access::Key,
            on(auth, meta::settings),
        )
        .route(
            Method::GET,
            "/auth/v1/health",
            Access::Key,
            on(auth, meta::health),
        )
        .route(
            Method::GET,
            "/auth/v1/.well-known/jwks.json",
            Access::Open,
            on(auth, meta::jwks),
        )
        .route(
            Method::GET,
            "/auth/v1/.well-known/openid-configuration",
            Access::Open,
            on(auth, meta::discovery),
        )
        .route(
            Method::GET,
            "/auth/v1/admin/users",
            Access::Service,
            on(auth, admin::list_users),
        )
        .route(
            Method::POST,
            "/auth/v1/admin/users",
            Access::Service,
            on(auth, admin::create_user),
        )
        .route(
            Method::GET,
            "/auth/v1/admin/users/{id}",
            Access::Service,
            on(auth, admin::get_user),
        )
        .route(
            Method::PUT,
            "/auth/v1/admin/users/{id}",
            Access::Service,
            on(auth, admin::update_user),
        )
        .route(
            Method::DELETE,
            "/auth/v1/admin/users/{id}",
            Access::Service,
            on(auth, admin::delete_user),
        )
        .route(
            Method::POST,
            "/auth/v1/admin/generate_link",
            Access::Service,
            on(auth, admin::generate_link),
        )
        .route(
            Method::POST,
            "/auth/v1/invite",
            Access::Service,
            on(auth, admin::invite),
        )
}

/// `POST /token`: the grant decides.
async fn token(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    match ask.query("grant_type") {
        Some("password") => sign_in::sign_in(auth, ask).await,
        Some("refresh_token") => refresh::refresh(auth, ask).await,
        Some("pkce") => pkce::exchange_code(auth, ask).await,
        _ => Err(AuthError::bad_request(
            "invalid_credentials",
            "unsupported_grant_type",
        )),
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Reads the request, runs the handler, and writes a refusal in the shape the request asked for.
fn on<F, A>(
    auth: &Arc<Auth>,
    handler: F,
) -> impl Service<Request, Response = Response, Error = Infallible, Future = Answer>
+ Clone
+ Send
+ Sync
+ 'static
where
    F: Fn(Arc<Auth>, Ask) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Response, AuthError>> + Send + 'static,
{
    let auth = Arc::clone(auth);
    service_fn(move |request: Request| -> Answer {
        let auth = Arc::clone(&auth);
        Box::pin(async move {
            let headers = request.headers().clone();
            let answered = match Ask::read(request, auth.config.body_bytes_max).await {
                Ok(ask) => handler(auth, ask).await,
                Err(refusal) => Err(refusal),
            };
            let mut response = answered.unwrap_or_else(|refusal| refusal.respond(&headers));
            // Answers hold tokens: nothing between here and the client may keep them (RFC 6749 section 5.1).
            response
                .headers_mut()
                .entry(header::CACHE_CONTROL)
                .or_insert(HeaderValue::from_static("no-store"));
            Ok(response)
        })
    })
}

/// A JSON answer.
fn answer(body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// An answer without a body.
fn empty() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A redirect that is followed with GET.
fn see_other(target: &str) -> Result<Response, AuthError> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(
        header::LOCATION,
        HeaderValue::from_str(target).map_err(AuthError::internal)?,
    );
    Ok(response)
}
