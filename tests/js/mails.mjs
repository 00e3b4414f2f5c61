// Mail: confirmation, resend, recovery. The server runs with auth.confirm_email = true and writes mail to its folder.
import { address, assert, client, finish, http, link, mail, mails, password, publishable, refused, service, step, taken } from './kit.mjs'

const inside = (location) => new URLSearchParams(new URL(location).hash.slice(1))

await step('an address is confirmed by the link in the mail', async () => {
  const email = address('link')
  const { user, session } = taken(await client().auth.signUp({ email, password, options: { emailRedirectTo: 'app://welcome' } }))
  assert.equal(session, null)
  assert.equal(user.email_confirmed_at, undefined)
  refused(await client().auth.signInWithPassword({ email, password }), { code: 'email_not_confirmed', status: 400 })

  const url = new URL(link(await mail(email)))
  const answer = await http('GET', url.pathname + url.search)
  assert.equal(answer.status, 303)
  const to = answer.headers.get('location')
  assert(to.startsWith('app://welcome#'), to)
  const found = inside(to)
  assert.equal(found.get('type'), 'signup')
  assert.equal(found.get('token_type'), 'bearer')
  const app = client()
  taken(await app.auth.setSession({ access_token: found.get('access_token'), refresh_token: found.get('refresh_token') }))
  assert(taken(await app.auth.getUser()).user.email_confirmed_at)
  taken(await client().auth.signInWithPassword({ email, password }))

  const again = await http('GET', url.pathname + url.search)
  assert.equal(again.status, 303)
  assert.equal(inside(again.headers.get('location')).get('error_code'), 'otp_expired', 'a link works once')
})

await step('an address is confirmed by the code in the mail', async () => {
  const email = address('code')
  taken(await client().auth.signUp({ email, password }))
  const code = (await mail(email)).match(/\b\d{6}\b/)?.[0]
  assert(code, 'the mail has a code of six digits')
  const wrong = code === '000000' ? '000001' : '000000'
  refused(await client().auth.verifyOtp({ email, token: wrong, type: 'signup' }), { code: 'otp_expired', status: 403 })
  const { session } = taken(await client().auth.verifyOtp({ email, token: code, type: 'signup' }))
  assert(session.access_token)
})

await step('a link leads only where the team allows', async () => {
  const email = address('astray')
  taken(await client().auth.signUp({ email, password, options: { emailRedirectTo: 'https://evil.example/' } }))
  const url = new URL(link(await mail(email)))
  url.searchParams.set('redirect_to', 'https://evil.example/')
  const answer = await http('GET', url.pathname + url.search)
  assert.equal(answer.status, 303)
  assert(!answer.headers.get('location').includes('evil.example'), answer.headers.get('location'))
})

await step('signing up with a known address shows nobody that it is known', async () => {
  const email = address('known')
  taken(await service.auth.admin.createUser({ email, password, email_confirm: true }))
  const { user, session } = taken(await client().auth.signUp({ email, password }))
  assert.equal(session, null)
  assert.deepEqual(user.identities, [])
})

await step('a mail is sent again, but not at once', async () => {
  const email = address('resend')
  taken(await client().auth.signUp({ email, password }))
  await mail(email)
  const error = refused(await client().auth.resend({ type: 'signup', email }), { code: 'over_email_send_rate_limit', status: 429 })
  assert.match(error.message, /^For security purposes, you can only request this after \d+ seconds\.$/)
  assert.equal(mails(email).length, 1)
})

await step('a resend for an unknown address answers as for a known one', async () => {
  taken(await client().auth.resend({ type: 'signup', email: address('unknown') }))
})

await step('a forgotten password is set anew', async () => {
  const email = address('forgetful')
  taken(await client().auth.signUp({ email, password }))
  const code = (await mail(email)).match(/\b\d{6}\b/)[0]
  taken(await client().auth.verifyOtp({ email, token: code, type: 'signup' }))

  taken(await client().auth.resetPasswordForEmail(email, { redirectTo: 'app://reset' }))
  const url = new URL(link(await mail(email, 1)))
  assert.equal(url.searchParams.get('type'), 'recovery')
  const found = inside((await http('GET', url.pathname + url.search)).headers.get('location'))
  assert.equal(found.get('type'), 'recovery')
  const app = client()
  taken(await app.auth.setSession({ access_token: found.get('access_token'), refresh_token: found.get('refresh_token') }))
  taken(await app.auth.updateUser({ password: 'remembered this time' }))
  refused(await client().auth.signInWithPassword({ email, password }), { code: 'invalid_credentials' })
  taken(await client().auth.signInWithPassword({ email, password: 'remembered this time' }))
})

await step('recovery of an unknown address answers as for a known one', async () => {
  const email = address('unknown')
  taken(await client().auth.resetPasswordForEmail(email))
  assert.deepEqual(mails(email), [])
})

await step('settings say that addresses are confirmed', async () => {
  const settings = (await http('GET', '/auth/v1/settings', { headers: { apikey: publishable } })).json
  assert.equal(settings.mailer_autoconfirm, false)
})

finish()
