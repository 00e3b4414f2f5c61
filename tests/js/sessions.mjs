// Sessions with mail auto-confirmed: sign-in, tokens, refresh and its reuse, the scopes of sign-out, anonymous users, admin.
// The server runs with a refresh grace of 0 s, so that reuse is decided by the family alone.
import { address, anon, arrive, assert, client, finish, http, password, publishable, refused, service, serviceRole, step, taken } from './kit.mjs'

const refresh = (token) => client().auth.refreshSession({ refresh_token: token })

await step('sign-up gives a user and a session', async () => {
  const email = address('new')
  const { user, session } = taken(await client().auth.signUp({ email, password, options: { data: { team: 'aspen' } } }))
  assert.equal(user.email, email)
  assert.equal(user.aud, 'authenticated')
  assert.equal(user.role, 'authenticated')
  assert.equal(user.is_anonymous, false)
  assert.deepEqual(user.user_metadata.team, 'aspen')
  assert.equal(user.app_metadata.provider, 'email')
  assert.deepEqual(user.app_metadata.providers, ['email'])
  assert.equal(user.identities.length, 1)
  assert.equal(user.identities[0].provider, 'email')
  assert(user.email_confirmed_at && user.created_at)
  assert.equal(session.token_type, 'bearer')
  assert.equal(session.expires_in, 3600)
})

await step('an address signs up once', async () => {
  const { email } = await arrive('once')
  refused(await client().auth.signUp({ email, password }), { code: 'user_already_exists', status: 422 })
})

await step('sign-in needs the right password, and says no more than that', async () => {
  const { email } = await arrive('in')
  const { session } = taken(await client().auth.signInWithPassword({ email: email.toUpperCase(), password }))
  assert(session.access_token)
  const wrong = refused(await client().auth.signInWithPassword({ email, password: 'not this one' }))
  const nobody = refused(await client().auth.signInWithPassword({ email: address('nobody'), password }))
  for (const error of [wrong, nobody]) {
    assert.equal(error.code, 'invalid_credentials')
    assert.equal(error.status, 400)
    assert.equal(error.message, 'Invalid login credentials')
  }
})

await step('a weak password is refused with its reasons', async () => {
  const error = refused(await client().auth.signUp({ email: address('weak'), password: 'abc' }), { code: 'weak_password', status: 422 })
  assert.deepEqual(error.reasons, ['length'])
})

await step('an access token is verified with the public keys alone', async () => {
  const { app, user, session } = await arrive('claims')
  const { claims, header } = taken(await app.auth.getClaims(session.access_token))
  assert.equal(header.alg, 'ES256')
  assert(header.kid)
  assert.equal(claims.sub, user.id)
  assert.equal(claims.role, 'authenticated')
  assert.equal(claims.aud, 'authenticated')
  assert.equal(claims.aal, 'aal1')
  assert.equal(claims.amr[0].method, 'password')
  assert.equal(claims.exp - claims.iat, 3600)
  assert(claims.session_id && claims.iss.endsWith('/auth/v1'))
  const { json } = await http('GET', '/auth/v1/.well-known/jwks.json')
  assert(json.keys.some((key) => key.kid === header.kid && key.kty === 'EC'))
  assert(json.keys.every((key) => key.d === undefined), 'no private part is shown')
})

await step('a user is read and changed', async () => {
  const { app, user, email } = await arrive('change')
  assert.equal(taken(await app.auth.getUser()).user.id, user.id)
  const changed = taken(await app.auth.updateUser({ data: { colour: 'green' }, password: 'another good one' }))
  assert.equal(changed.user.user_metadata.colour, 'green')
  assert.equal(changed.user.user_metadata.name, 'change', 'what was not named stays')
  refused(await client().auth.signInWithPassword({ email, password }), { code: 'invalid_credentials' })
  taken(await client().auth.signInWithPassword({ email, password: 'another good one' }))
  refused(await app.auth.updateUser({ password: 'another good one' }), { code: 'same_password', status: 422 })
})

await step('a refresh rotates the token', async () => {
  const { session } = await arrive('rotate')
  const next = taken(await refresh(session.refresh_token)).session
  assert.notEqual(next.refresh_token, session.refresh_token)
  const { user } = taken(await client().auth.getUser(next.access_token))
  assert.equal(user.id, session.user.id)
})

await step('the parent of the active token may be used again, for a phone that lost the answer', async () => {
  const { session } = await arrive('tunnel')
  taken(await refresh(session.refresh_token))
  const again = taken(await refresh(session.refresh_token)).session
  taken(await refresh(again.refresh_token))
})

await step('an older token used again ends the family', async () => {
  const { session } = await arrive('thief')
  const second = taken(await refresh(session.refresh_token)).session
  const third = taken(await refresh(second.refresh_token)).session
  refused(await refresh(session.refresh_token), { code: 'refresh_token_already_used', status: 400 })
  const dead = refused(await refresh(third.refresh_token), { status: 400 })
  assert(['refresh_token_not_found', 'refresh_token_already_used', 'session_not_found'].includes(dead.code), dead.code)
})

await step('an unknown refresh token is refused', async () => {
  refused(await refresh('not-a-token-of-ours'), { code: 'refresh_token_not_found', status: 400 })
})

await step('sign-out, here only', async () => {
  const here = await arrive('local')
  const there = client()
  const other = taken(await there.auth.signInWithPassword({ email: here.email, password })).session
  taken(await here.app.auth.signOut({ scope: 'local' }))
  refused(await refresh(here.session.refresh_token), { status: 400 })
  // The SDK turns this refusal into its own, and forgets the session; so it is asked for without it.
  const headers = { apikey: publishable, authorization: `Bearer ${here.session.access_token}`, 'x-supabase-api-version': '2024-01-01' }
  const answer = await http('GET', '/auth/v1/user', { headers })
  assert.equal(answer.status, 403)
  assert.equal(answer.json.code, 'session_not_found')
  taken(await refresh(other.refresh_token))
})

await step('sign-out of the others', async () => {
  const here = await arrive('others')
  const other = taken(await client().auth.signInWithPassword({ email: here.email, password })).session
  taken(await here.app.auth.signOut({ scope: 'others' }))
  refused(await refresh(other.refresh_token), { status: 400 })
  taken(await here.app.auth.refreshSession())
})

await step('sign-out everywhere', async () => {
  const here = await arrive('global')
  const other = taken(await client().auth.signInWithPassword({ email: here.email, password })).session
  taken(await here.app.auth.signOut())
  refused(await refresh(here.session.refresh_token), { status: 400 })
  refused(await refresh(other.refresh_token), { status: 400 })
})

await step('an anonymous user has rows, and keeps them when it gets a name', async () => {
  const app = client()
  const { user } = taken(await app.auth.signInAnonymously({ options: { data: { from: 'phone' } } }))
  assert.equal(user.is_anonymous, true)
  assert.equal(user.user_metadata.from, 'phone')
  const { claims } = taken(await app.auth.getClaims())
  assert.equal(claims.is_anonymous, true)
  taken(await app.from('notes').insert({ body: 'before' }))
  const email = address('named')
  const named = taken(await app.auth.updateUser({ email, password })).user
  assert.equal(named.id, user.id)
  assert.equal(named.is_anonymous, false)
  const later = client()
  taken(await later.auth.signInWithPassword({ email, password }))
  assert.deepEqual(taken(await later.from('notes').select('body')), [{ body: 'before' }])
})

await step('users are managed with the service key', async () => {
  const email = address('managed')
  const { user } = taken(await service.auth.admin.createUser({ email, password, email_confirm: true, user_metadata: { n: 1 } }))
  const listed = taken(await service.auth.admin.listUsers({ page: 1, perPage: 1000 })).users
  assert(listed.some(({ id }) => id === user.id))
  taken(await client(serviceRole).auth.admin.updateUserById(user.id, { app_metadata: { plan: 'gold' }, password: 'set by an admin' }))
  const { session } = taken(await client().auth.signInWithPassword({ email, password: 'set by an admin' }))
  assert.equal(session.user.app_metadata.plan, 'gold')
  assert.equal(taken(await service.auth.admin.getUserById(user.id)).user.email, email)
  taken(await service.auth.admin.deleteUser(user.id))
  refused(await service.auth.admin.getUserById(user.id), { code: 'user_not_found', status: 404 })
  refused(await client().auth.getUser(session.access_token))
})

await step('nobody else manages users', async () => {
  const { session } = await arrive('curious')
  for (const key of [publishable, anon, session.access_token]) {
    const answer = await http('GET', '/auth/v1/admin/users', { headers: { apikey: publishable, authorization: `Bearer ${key}` } })
    assert([401, 403].includes(answer.status), `${answer.status} ${answer.text}`)
  }
})

await step('settings and health are open to a key', async () => {
  const settings = (await http('GET', '/auth/v1/settings', { headers: { apikey: publishable } })).json
  assert.equal(settings.external.email, true)
  assert.equal(settings.mailer_autoconfirm, true)
  assert.equal(settings.disable_signup, false)
  assert.equal((await http('GET', '/auth/v1/health', { headers: { apikey: publishable } })).status, 200)
})

await step('errors have two shapes, by the version a client names', async () => {
  const ask = (headers) =>
    http('POST', '/auth/v1/token?grant_type=password', { headers: { apikey: publishable, ...headers }, body: { email: 'a@b.c', password: 'x' } })
  const old = await ask({})
  assert.equal(old.status, 400)
  assert.deepEqual(old.json, { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' })
  const dated = await ask({ 'x-supabase-api-version': '2024-01-01' })
  assert.deepEqual(dated.json, { code: 'invalid_credentials', message: 'Invalid login credentials' })
  assert.equal(dated.headers.get('x-supabase-api-version'), '2024-01-01')
  for (const answer of [old, dated]) assert.equal(answer.headers.get('x-sb-error-code'), 'invalid_credentials')
})

finish()
