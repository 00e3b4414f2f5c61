//! The only identity in the system. A store function takes a [`Caller`], so forgetting authorisation does not compile.

use std::sync::Arc;

/// A database role, as Supabase-compatible clients and policies name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A request with a publishable key and no user token.
    Anon,
    /// A signed-in user.
    Authenticated,
    /// The team's own servers: passes row-level security.
    Service,
}

impl Role {
    /// The Postgres name of the role.
    pub fn name(self) -> &'static str {
        match self {
            Role::Anon => "anon",
            Role::Authenticated => "authenticated",
            Role::Service => "service_role",
        }
    }

    /// The role a token's `role` claim names, if it is one a request may take.
    pub fn from_name(name: &str) -> Option<Role> {
        match name {
            "anon" => Some(Role::Anon),
            "authenticated" => Some(Role::Authenticated),
            "service_role" => Some(Role::Service),
            _ => None,
        }
    }

    /// Whether row-level security does not apply (Postgres' `BYPASSRLS`).
    pub fn bypasses_rls(self) -> bool {
        self == Role::Service
    }
}

/// Who makes a request, proven by the key and the token it came with.
#[derive(Clone, Debug)]
pub struct Caller {
    role: Role,
    subject: Option<Arc<str>>,
    session: Option<Arc<str>>,
    claims: Arc<str>,
}

impl Caller {
    /// A caller known only by an API key: no user, claims hold the role alone.
    pub fn keyed(role: Role) -> Caller {
        Caller {
            role,
            subject: None,
            session: None,
            claims: format!("{{\"role\":\"{}\"}}", role.name()).into(),
        }
    }

    /// A caller with a verified token. `claims` is the token's payload, verbatim JSON.
    pub fn with_claims(
        role: Role,
        subject: Option<&str>,
        session: Option<&str>,
        claims: &str,
    ) -> Caller {
        Caller {
            role,
            subject: subject.map(Arc::from),
            session: session.map(Arc::from),
            claims: claims.into(),
        }
    }

    /// The database role the request runs as; `auth.role()` in policies.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The `sub` claim; `auth.uid()` in policies.
    pub fn subject(&self) -> Option<&Arc<str>> {
        self.subject.as_ref()
    }

    /// The `session_id` claim of a user's token.
    pub fn session(&self) -> Option<&Arc<str>> {
        self.session.as_ref()
    }

    /// The token's claims as JSON text; `auth.jwt()` in policies.
    pub fn claims(&self) -> &Arc<str> {
        &self.claims
    }
}
