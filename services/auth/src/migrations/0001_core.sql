-- Accounts, their identities, sessions and single-use tokens. No policy anywhere: nobody but the service reads them.
create schema if not exists auth;

-- Columns are named as Supabase names them, so that foreign keys, policies and seeds written for it keep working.
-- Tokens of mails live in auth.one_time_tokens, hashed; the token columns here exist for such seeds and stay empty.
create table auth.users (
  instance_id uuid,
  id uuid not null primary key,
  aud varchar(255),
  role varchar(255),
  email varchar(255) unique,
  encrypted_password varchar(255),
  email_confirmed_at timestamptz,
  invited_at timestamptz,
  confirmation_token varchar(255),
  confirmation_sent_at timestamptz,
  recovery_token varchar(255),
  recovery_sent_at timestamptz,
  email_change_token_new varchar(255),
  email_change varchar(255),
  email_change_sent_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  is_super_admin boolean,
  created_at timestamptz,
  updated_at timestamptz,
  phone text unique,
  phone_confirmed_at timestamptz,
  phone_change text,
  phone_change_token varchar(255),
  phone_change_sent_at timestamptz,
  confirmed_at timestamptz,
  email_change_token_current varchar(255),
  email_change_confirm_status smallint default 0,
  banned_until timestamptz,
  reauthentication_token varchar(255),
  reauthentication_sent_at timestamptz,
  is_sso_user boolean not null default false,
  deleted_at timestamptz,
  is_anonymous boolean not null default false
);
alter table auth.users enable row level security;
create index users_created_at_idx on auth.users (created_at);

create table auth.identities (
  id uuid not null primary key,
  provider_id text not null,
  user_id uuid not null references auth.users (id) on delete cascade,
  identity_data jsonb not null,
  provider text not null,
  last_sign_in_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  email text,
  constraint identities_provider_id_provider_unique unique (provider_id, provider)
);
alter table auth.identities enable row level security;
create index identities_user_id_idx on auth.identities (user_id);

-- One sign-in on one device. `revoked_at` is set when a stolen refresh token was noticed: the row then stays a while,
-- so that every token of the family is answered as used rather than as unknown.
create table auth.sessions (
  id uuid not null primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  refreshed_at timestamptz,
  revoked_at timestamptz,
  aal text not null,
  amr jsonb not null,
  user_agent text,
  ip text
);
alter table auth.sessions enable row level security;
create index sessions_user_id_idx on auth.sessions (user_id);

-- A session's tokens are a chain, one of them active. `updated_at` of a revoked one is when it was first used.
create table auth.refresh_tokens (
  id bigint generated always as identity primary key,
  token_hash text not null unique,
  session_id uuid not null references auth.sessions (id) on delete cascade,
  parent text,
  revoked boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
alter table auth.refresh_tokens enable row level security;
create index refresh_tokens_session_id_idx on auth.refresh_tokens (session_id, revoked);

-- At most one live token of a kind an account. The link's token and the six digits are two secrets for one purpose.
create table auth.one_time_tokens (
  id uuid not null primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  token_type text not null,
  token_hash text not null unique,
  otp_hash text not null,
  relates_to text not null,
  attempts integer not null default 0,
  code_challenge text,
  code_challenge_method text,
  created_at timestamptz not null,
  constraint one_time_tokens_user_id_token_type_key unique (user_id, token_type)
);
alter table auth.one_time_tokens enable row level security;
create index one_time_tokens_relates_to_idx on auth.one_time_tokens (relates_to);

-- A confirmed link that waits for its app to come back with the code verifier (RFC 7636).
create table auth.flow_state (
  id uuid not null primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  auth_code_hash text not null unique,
  code_challenge text not null,
  code_challenge_method text not null,
  authentication_method text not null,
  created_at timestamptz not null
);
alter table auth.flow_state enable row level security;
create index flow_state_user_id_idx on auth.flow_state (user_id);
create index flow_state_created_at_idx on auth.flow_state (created_at);

-- Limits on credential routes, one row a limited key: the moment, in microseconds since the epoch, at which it is idle again.
create table auth.attempts (
  key text not null primary key,
  idle_at bigint not null
);
alter table auth.attempts enable row level security;
create index attempts_idle_at_idx on auth.attempts (idle_at);
