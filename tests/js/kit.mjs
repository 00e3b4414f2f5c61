// What every script shares: clients of the server under test, and steps that all run and all report.
import { createClient } from '@supabase/supabase-js'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export { assert, createClient }

const need = (name) => process.env[name] ?? assert.fail(`${name} is not set`)
export const url = need('SUPABASE_URL')
export const publishable = need('SUPABASE_PUBLISHABLE_KEY')
export const secret = need('PANDO_SECRET_KEY')
export const anon = need('PANDO_ANON_KEY')
export const serviceRole = need('PANDO_SERVICE_ROLE_KEY')

const auth = { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false }
export const client = (key = publishable, options = {}) => createClient(url, key, { auth, ...options })
export const service = client(secret)

// The answer's data; an error is thrown with everything in it.
export function taken(answer) {
  if (answer.error) {
    const { code, message, details, hint, status } = answer.error
    throw new Error(`refused: ${JSON.stringify({ code, message, details, hint, status: answer.status ?? status })}`)
  }
  return answer.data
}

// The error of an answer that must be one; `expected` names members it must have.
export function refused(answer, expected = {}) {
  assert(answer.error, `an error was expected, not ${JSON.stringify(answer.data)}`)
  for (const [name, value] of Object.entries(expected)) {
    const found = name === 'status' ? (answer.status ?? answer.error.status) : answer.error[name]
    if (value instanceof RegExp) assert.match(String(found), value)
    else assert.deepEqual(found, value, `${name} of ${JSON.stringify(answer.error)}`)
  }
  return answer.error
}

let failed = 0
// Runs one step; a failure is printed and counted, and the next step runs.
export async function step(name, run) {
  try {
    await run()
    console.log(`ok      ${name}`)
  } catch (error) {
    failed += 1
    console.log(`FAILED  ${name}\n${error.stack}\n`)
  }
}

// To be called last: the script fails if a step did.
export function finish() {
  console.log(failed ? `${failed} step(s) failed` : 'all steps passed')
  process.exit(failed ? 1 : 0)
}

let people = 0
export const password = 'correct horse battery'
export const address = (name) => `${name}-${process.pid}-${(people += 1)}@example.com`

// A new user, signed in.
export async function arrive(name, options) {
  const app = client(options?.key)
  const email = address(name)
  const { user, session } = taken(await app.auth.signUp({ email, password, options: { data: { name } } }))
  assert(session, 'sign-up gives a session when addresses need no confirmation')
  return { app, user, session, email }
}

// The mails to an address, oldest first.
export function mails(to) {
  const folder = need('PANDO_MAIL')
  let names = []
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.eml')).sort()
  } catch {
    return []
  }
  const texts = names.map((name) => readFileSync(join(folder, name), 'utf8'))
  return texts.filter((text) => text.split('\r\n\r\n')[0].includes(to)).map(decoded)
}

// Waits for a mail beyond the first `seen`, 10 s at most.
export async function mail(to, seen = 0) {
  for (let waited = 0; waited < 10_000; waited += 20) {
    const found = mails(to)
    if (found.length > seen) return found.at(-1)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail(`no mail came to ${to}`)
}

// Undoes quoted-printable, which breaks long links over lines.
function decoded(text) {
  if (!/content-transfer-encoding: quoted-printable/i.test(text)) return text
  return text.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
}

// The first link of a mail.
export const link = (text) => (text.match(/https?:\/\/[^\s"<>]+/) ?? assert.fail(`no link in\n${text}`))[0].replaceAll('&amp;', '&')

// A request without the SDK.
export async function http(method, path, { headers = {}, body } = {}) {
  const answer = await fetch(url + path, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
  })
  const text = await answer.text()
  let json
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { status: answer.status, headers: answer.headers, text, json }
}
