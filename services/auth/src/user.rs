//! An account and its identities, and the JSON in which clients know them.

use pando_kernel::{Secret, Timestamp, UserId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The audience of every token and account.
pub const AUDIENCE: &str = "authenticated";

/// A row of `auth.users` with its identities. Moments are texts as the database keeps them, which sort as moments do.
#[derive(Clone, Debug)]
pub struct User {
    /// `sub` of its tokens.
    pub id: UserId,
    /// The database role of its tokens.
    pub role: String,
    /// In lower case. None for anonymous accounts.
    pub email: Option<String>,
    /// Digits, without a plus.
    pub phone: Option<String>,
    /// A PHC string or a bcrypt hash.
    pub password_hash: Option<Secret<String>>,
    /// When the address was proven.
    pub email_confirmed_at: Option<String>,
    /// When the number was proven.
    pub phone_confirmed_at: Option<String>,
    /// When it was invited.
    pub invited_at: Option<String>,
    /// When the last confirmation went out.
    pub confirmation_sent_at: Option<String>,
    /// When the last recovery went out.
    pub recovery_sent_at: Option<String>,
    /// The address it wants to have.
    pub email_change: Option<String>,
    /// When that change was last mailed.
    pub email_change_sent_at: Option<String>,
    /// Whether one of the two addresses has agreed to the change.
    pub email_change_half_done: bool,
    /// The last new session.
    pub last_sign_in_at: Option<String>,
    /// What only the service role changes; in every token.
    pub app_metadata: Map<String, Value>,
    /// What the user changes; in every token.
    pub user_metadata: Map<String, Value>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// Banned while this lies ahead.
    pub banned_until: Option<String>,
    /// When it was deleted softly.
    pub deleted_at: Option<String>,
    /// Signed in without any credential.
    pub is_anonymous: bool,
    /// How it can sign in.
    pub identities: Vec<Identity>,
}

/// A row of `auth.identities`.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The row; `identity_id` on the wire.
    pub id: Uuid,
    /// The subject at the provider; `id` on the wire.
    pub provider_id: String,
    /// Whose it is.
    pub user_id: UserId,
    /// What the provider said.
    pub data: Map<String, Value>,
    /// `email`, `phone`, ..
    pub provider: String,
    /// The last sign-in by it.
    pub last_sign_in_at: Option<String>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: Option<String>,
}

impl User {
    /// A new account that can do nothing yet.
    pub fn new(id: UserId, now: Timestamp) -> User {
        let now = now.to_string();
        User {
            id,
            role: "authenticated".into(),
            email: None,
            phone: None,
            password_hash: None,
            email_confirmed_at: None,
            phone_confirmed_at: None,
            invited_at: None,
            confirmation_sent_at: None,
            recovery_sent_at: None,
            email_change: None,
            email_change_sent_at: None,
            email_change_half_done: false,
            last_sign_in_at: None,
            app_metadata: Map::new(),
            user_metadata: Map::new(),
            created_at: Some(now.clone()),
            updated_at: Some(now),
            banned_until: None,
            deleted_at: None,
            is_anonymous: false,
            identities: Vec::new(),
        }
    }

    /// Whether its address is proven.
    pub fn is_confirmed(&self) -> bool {
        self.email_confirmed_at.is_some()
    }

    /// Whether it may not act at `now`.
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.banned_until
            .as_deref()
            .is_some_and(|until| *until > *now.to_string())
    }

    /// Its identity at a provider.
    pub fn identity(&mut self, provider: &str) -> Option<&mut Identity> {
        self.identities
            .iter_mut()
            .find(|identity| identity.provider == provider)
    }

    /// Marks the address as proven, in the account and in its identity.
    pub fn confirm_email(&mut self, now: Timestamp) {
        let moment = now.to_string();
        self.email_confirmed_at
            .get_or_insert_with(|| moment.clone());
        let email = self.email.clone();
        if let Some(identity) = self.identity("email")
            && identity.data.get("email").and_then(Value::as_str) == email.as_deref()
        {
            identity
                .data
                .insert("email_verified".into(), Value::Bool(true));
            identity.updated_at = Some(moment);
        }
    }

    /// Writes `provider` and `providers` as its identities have them, in the order in which they came.
    pub fn note_providers(&mut self) {
        if self.identities.is_empty() {
            return;
        }
        let mut providers: Vec<&str> = Vec::new();
        for identity in &self.identities {
            if !providers.contains(&identity.provider.as_str()) {
                providers.push(&identity.provider);
            }
        }
        let (first, all) = (json!(providers[0]), json!(providers));
        self.app_metadata.insert("provider".into(), first);
        self.app_metadata.insert("providers".into(), all);
    }

    /// When either its address or its number was first proven.
    pub fn confirmed_at(&self) -> Option<&String> {
        match (&self.email_confirmed_at, &self.phone_confirmed_at) {
            (Some(email), Some(phone)) => Some(email.min(phone)),
            (email, phone) => email.as_ref().or(phone.as_ref()),
        }
    }

    /// As clients read it. Members that are not set are left out, `email` and `phone` are empty instead.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), json!(self.id));
        out.insert("aud".into(), json!(AUDIENCE));
        out.insert("role".into(), json!(self.role));
        out.insert(
            "email".into(),
            json!(self.email.as_deref().unwrap_or_default()),
        );
        out.insert(
            "phone".into(),
            json!(self.phone.as_deref().unwrap_or_default()),
        );
        for (name, moment) in [
            ("email_confirmed_at", self.email_confirmed_at.as_ref()),
            ("phone_confirmed_at", self.phone_confirmed_at.as_ref()),
            ("confirmed_at", self.confirmed_at()),
            ("invited_at", self.invited_at.as_ref()),
            ("confirmation_sent_at", self.confirmation_sent_at.as_ref()),
            ("recovery_sent_at", self.recovery_sent_at.as_ref()),
            ("email_change_sent_at", self.email_change_sent_at.as_ref()),
            ("last_sign_in_at", self.last_sign_in_at.as_ref()),
            ("created_at", self.created_at.as_ref()),
            ("updated_at", self.updated_at.as_ref()),
            ("banned_until", self.banned_until.as_ref()),
            ("deleted_at", self.deleted_at.as_ref()),
        ] {
            if let Some(moment) = moment {
                out.insert(name.into(), json!(wire_time(moment)));
            }
        }
        if let Some(email) = &self.email_change {
            out.insert("new_email".into(), json!(email));
        }
        out.insert("app_metadata".into(), json!(self.app_metadata));
        out.insert("user_metadata".into(), json!(self.user_metadata));
        out.insert(
            "identities".into(),
            self.identities.iter().map(Identity::to_json).collect(),
        );
        out.insert("is_anonymous".into(), json!(self.is_anonymous));
        Value::Object(out)
    }
}

impl Identity {
    /// An identity whose subject is the account itself: by address or by number.
    pub fn own(
        id: Uuid,
        user: &User,
        provider: &str,
        value: &str,
        verified: bool,
        now: Timestamp,
    ) -> Identity {
        let mut data = Map::new();
        data.insert("sub".into(), json!(user.id));
        data.insert(provider.into(), json!(value));
        data.insert(
            "email_verified".into(),
            json!(provider == "email" && verified),
        );
        data.insert(
            "phone_verified".into(),
            json!(provider == "phone" && verified),
        );
        let now = now.to_string();
        Identity {
            id,
            provider_id: user.id.to_string(),
            user_id: user.id,
            data,
            provider: provider.into(),
            last_sign_in_at: Some(now.clone()),
            created_at: Some(now.clone()),
            updated_at: Some(now),
        }
    }

    /// The address it holds, if any.
    pub fn email(&self) -> Option<&str> {
        self.data.get("email").and_then(Value::as_str)
    }

    fn to_json(&self) -> Value {
        let mut out = json!({
            "identity_id": self.id,
            "id": self.provider_id,
            "user_id": self.user_id,
            "identity_data": self.data,
            "provider": self.provider,
            "last_sign_in_at": self.last_sign_in_at.as_deref().map(wire_time),
            "created_at": self.created_at.as_deref().map(wire_time),
            "updated_at": self.updated_at.as_deref().map(wire_time),
        });
        if let Some(email) = self.email() {
            out["email"] = json!(email);
        }
        out
    }
}

/// Merges `changes` into `target`: a null removes its key, anything else replaces it.
pub fn merge(target: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (key, value) in changes {
        if value.is_null() {
            target.remove(&key);
        } else {
            target.insert(key, value);
        }
    }
}

/// A moment as this wire writes it: `Z`, where the database keeps `+00:00`.
pub fn wire_time(stored: &str) -> String {
    stored
        .strip_suffix("+00:00")
        .map_or_else(|| stored.to_owned(), |moment| format!("{moment}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anonymous_user_has_empty_addresses_and_no_unset_members() {
        let user = User::new(UserId(Uuid::nil()), Timestamp::from_seconds(0));
        let expected = json!({
            "id": "00000000-0000-0000-0000-000000000000", "aud": "authenticated", "role": "authenticated",
            "email": "", "phone": "", "created_at": "1970-01-01T00:00:00Z", "updated_at": "1970-01-01T00:00:00Z",
            "app_metadata": {}, "user_metadata": {}, "identities": [], "is_anonymous": false,
        });
        assert_eq!(user.to_json(), expected);
    }

    #[test]
    fn a_null_removes_and_the_rest_replaces() {
        let mut target = json!({"a": 1, "b": {"x": 1}}).as_object().cloned().unwrap();
        merge(
            &mut target,
            json!({"a": null, "b": {"y": 2}, "c": [1]})
                .as_object()
                .cloned()
                .unwrap(),
        );
        assert_eq!(Value::Object(target), json!({"b": {"y": 2}, "c": [1]}));
    }

    #[test]
    fn a_ban_ends_when_its_moment_comes() {
        let mut user = User::new(UserId(Uuid::nil()), Timestamp::from_seconds(0));
        assert!(!user.is_banned(Timestamp::from_seconds(50)));
        user.banned_until = Some(Timestamp::from_seconds(100).to_string());
        assert!(user.is_banned(Timestamp::from_seconds(99)));
        assert!(!user.is_banned(Timestamp::from_seconds(100)));
    }
}
