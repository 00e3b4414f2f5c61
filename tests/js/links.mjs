// Links and codes that lead back to an app with a challenge (PKCE), links the team makes itself, and legacy tokens. The
// server runs with auth.confirm_email = true, and with the HS256 secret below.
import { createHmac } from 'node:crypto'
import { address, assert, client, createClient, finish, http, link, mail, mails, password, publishable, refused, service, step, taken, url } from './kit.mjs'

const jwtSecret = 'a-secret-of-an-older-project-with-at-least-32-characters'
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
function legacy(claims, secret = jwtSecret) {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

// An app that keeps its verifier between the question and the link, as phones do.
function phone() {
  const kept = new Map()
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) }
  return createClient(url, publishable, { auth: { flowType: 'pkce', storage, autoRefreshToken: false, detectSessionInUrl: false } })
}

async function follow(text) {
  const { pathname, search } = new URL(link(text))
  const answer = await http('GET', pathname + search)
  assert.equal(answer.status, 303)
  return new URL(answer.headers.get('location'))
}

await step('a link leads an app with a challenge to a code, which only that app exchanges, once', async () => {
  const app = phone()
  const email = address('pkce')
  assert.equal(taken(await app.auth.signUp({ email, password, options: { emailRedirectTo: 'app://welcome?from=mail' } })).session, null)
  const to = await follow(await mail(email))
  assert.equal(to.searchParams.get('from'), 'mail')
  assert.equal(to.hash, '', 'no token is in the link')
  const code = to.searchParams.get('code')
  refused(await phone().auth.exchangeCodeForSession(code), { code: 'pkce_code_verifier_not_found' })
  const stranger = await http('POST', '/auth/v1/token?grant_type=pkce', {
    headers: { apikey: publishable, 'x-supabase-api-version': '2024-01-01' },
    body: { auth_code: code, code_verifier: 'x'.repeat(56) },
  })
  assert.deepEqual([stranger.status, stranger.json.code], [400, 'bad_code_verifier'])
  assert.equal(taken(await app.auth.exchangeCodeForSession(code)).user.email, email)
  const again = await http('POST', '/auth/v1/token?grant_type=pkce', {
    headers: { apikey: publishable, 'x-supabase-api-version': '2024-01-01' },
    body: { auth_code: code, code_verifier: 'x'.repeat(56) },
  })
  assert.deepEqual([again.status, again.json.code], [404, 'flow_state_not_found'])
})

await step('a forgotten password is set anew by an app with a challenge', async () => {
  const email = address('pkce-recovery')
  taken(await service.auth.admin.createUser({ email, password, email_confirm: true }))
  const app = phone()
  const events = []
  app.auth.onAuthStateChange((event) => events.push(event))
  taken(await app.auth.resetPasswordForEmail(email, { redirectTo: 'app://reset' }))
  taken(await app.auth.exchangeCodeForSession((await follow(await mail(email))).searchParams.get('code')))
  assert(events.includes('PASSWORD_RECOVERY'), events.join())
  taken(await app.auth.updateUser({ password: 'remembered this time' }))
  taken(await client().auth.signInWithPassword({ email, password: 'remembered this time' }))
})

await step('a code by mail signs in, and makes the account if asked', async () => {
  const email = address('otp')
  refused(await client().auth.signInWithOtp({ email, options: { shouldCreateUser: false } }), { code: 'otp_disabled', status: 422 })
  assert.deepEqual(mails(email), [])
  taken(await client().auth.signInWithOtp({ email }))
  const token = (await mail(email)).match(/\b\d{6}\b/)[0]
  assert.equal(taken(await client().auth.verifyOtp({ email, token, type: 'email' })).user.email, email)
})

await step('a team makes links of every kind, which are not mailed', async () => {
  const email = address('made')
  const make = async (params) => taken(await service.auth.admin.generateLink({ email, ...params })).properties
  const verify = async (params) => taken(await client().auth.verifyOtp(params)).user
  const signup = await make({ type: 'signup', password })
  assert.deepEqual(Object.keys(signup).sort(), ['action_link', 'email_otp', 'hashed_token', 'redirect_to', 'verification_type'])
  assert.equal((await verify({ email, token: signup.email_otp, type: 'signup' })).email, email)
  for (const type of ['magiclink', 'recovery']) {
    const { hashed_token: token_hash, action_link, verification_type } = await make({ type })
    assert.equal(verification_type, type)
    assert(action_link.startsWith(`${url}/auth/v1/verify?`), action_link)
    assert.equal((await verify({ token_hash, type })).email, email)
    refused(await client().auth.verifyOtp({ token_hash, type }), { code: 'otp_expired', status: 403 })
  }
  const invited = address('invited')
  const invite = await make({ type: 'invite', email: invited })
  assert.equal((await verify({ token_hash: invite.hashed_token, type: 'invite' })).email, invited)
  refused(await service.auth.admin.generateLink({ type: 'recovery', email: address('nobody') }), { code: 'user_not_found', status: 404 })
  assert.deepEqual([mails(email), mails(invited)], [[], []])
})

await step('an invitation is mailed and accepted', async () => {
  const email = address('guest')
  const { user } = taken(await service.auth.admin.inviteUserByEmail(email, { data: { team: 'aspen' }, redirectTo: 'app://hello' }))
  assert(user.invited_at)
  const to = await follow(await mail(email))
  assert.equal(new URLSearchParams(to.hash.slice(1)).get('type'), 'invite')
  refused(await service.auth.admin.inviteUserByEmail(email), { code: 'email_exists', status: 422 })
})

await step('a bcrypt hash brought from elsewhere signs in', async () => {
  const email = address('bcrypt')
  const hash = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
  taken(await service.auth.admin.createUser({ email, password_hash: hash, email_confirm: true }))
  refused(await client().auth.signInWithPassword({ email, password: 'U*V' }), { code: 'invalid_credentials' })
  for (const time of ['first', 'upgraded']) {
    assert(taken(await client().auth.signInWithPassword({ email, password: 'U*U' })).session, time)
  }
})

await step('a team ends the sessions of a user, and deletes one softly', async () => {
  const app = client()
  const { session, user } = taken(await app.auth.signInAnonymously())
  taken(await service.auth.admin.signOut(session.access_token, 'global'))
  refused(await client().auth.refreshSession({ refresh_token: session.refresh_token }), { status: 400 })
  taken(await service.auth.admin.deleteUser(user.id, true))
  assert(taken(await service.auth.admin.getUserById(user.id)).user.deleted_at)
})

await step('an anonymous user confirms its first address, then takes a password', async () => {
  const app = client()
  const { user } = taken(await app.auth.signInAnonymously())
  refused(await app.auth.updateUser({ password }), { code: 'validation_failed', status: 422 })
  const email = address('upgraded')
  const pending = taken(await app.auth.updateUser({ email })).user
  assert.deepEqual([pending.new_email, pending.is_anonymous], [email, true])
  await follow(await mail(email))
  const named = taken(await app.auth.refreshSession()).user
  assert.deepEqual([named.id, named.email, named.is_anonymous], [user.id, email, false])
  taken(await app.auth.updateUser({ password }))
  taken(await client().auth.signInWithPassword({ email, password }))
})

await step('legacy tokens without a key id are keys and users, if the secret and the role are right', async () => {
  const exp = 4_102_444_800
  const anon = legacy({ iss: 'an older project', role: 'anon', exp })
  const all = legacy({ iss: 'an older project', role: 'service_role', exp })
  assert.deepEqual(taken(await client(anon).from('notes').select()), [])
  assert(taken(await client(all).auth.admin.listUsers()).users.length > 0)
  const { user } = taken(await service.auth.admin.createUser({ email: address('legacy'), email_confirm: true }))
  const bearer = (token) => client(anon, { accessToken: async () => token })
  const claims = { sub: user.id, role: 'authenticated', exp }
  const note = taken(await bearer(legacy(claims)).from('notes').insert({ body: 'old' }).select('owner').single())
  assert.equal(note.owner, user.id)
  for (const [token, code] of [
    [legacy(claims, 'another secret'), 'PGRST301'],
    [legacy({ ...claims, role: 'postgres' }), 'PGRST301'],
    [legacy({ ...claims, exp: 1_000_000_000 }), 'PGRST303'],
    [`${part({ alg: 'none' })}.${part(claims)}.`, 'PGRST301'],
  ]) {
    refused(await bearer(token).from('notes').select(), { code, status: 401 })
  }
})

finish()
