// Two people meet in a room: sign-up, rows with an owner, a private room, and what the other one can't see.
// Start the server with this example's schema, then run: SUPABASE_PUBLISHABLE_KEY=.. node tour.mjs
import { createClient } from '@supabase/supabase-js'
import assert from 'node:assert/strict'

const url = process.env.SUPABASE_URL ?? 'http://127.0.0.1:54321'
const key = process.env.SUPABASE_PUBLISHABLE_KEY
assert(key, 'set SUPABASE_PUBLISHABLE_KEY to the publishable key that `pando keys` prints')

// The answer's data, or an error that says what was refused.
const taken = ({ data, error }) => {
  if (error) throw new Error(`${error.code}: ${error.message}`)
  return data
}

async function arrive(name) {
  const app = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } })
  const email = `${name.toLowerCase()}-${crypto.randomUUID()}@example.com`
  const { user } = taken(await app.auth.signUp({ email, password: `${name} likes trees` }))
  taken(await app.from('profiles').insert({ id: user.id, name }))
  console.log(`${name} signed up and has a profile`)
  return { app, user }
}

const ada = await arrive('Ada')
const ben = await arrive('Ben')

// Everybody finds the lobby and may join it.
const lobby = taken(await ben.app.from('rooms').select('id, name, topics').eq('name', 'Lobby').single())
for (const { app } of [ada, ben]) taken(await app.from('members').insert({ room_id: lobby.id }))
taken(await ada.app.from('messages').insert({ room_id: lobby.id, body: 'Good morning!' }))
const heard = taken(
  await ben.app.from('messages').select('body, author:profiles(name)').eq('room_id', lobby.id).order('sent_at'),
)
assert.deepEqual(heard.at(-1), { body: 'Good morning!', author: { name: 'Ada' } })
console.log(`Ben hears ${heard.at(-1).author.name} say ${JSON.stringify(heard.at(-1).body)} in the ${lobby.name}`)

// Ada opens a private room. Ben does not see it, can't join it, and can't write into it.
const name = `Secrets ${crypto.randomUUID()}`
const secret = taken(await ada.app.from('rooms').insert({ name, is_private: true }).select().single())
taken(await ada.app.from('members').insert({ room_id: secret.id, role: 'owner' }))
taken(await ada.app.from('messages').insert({ room_id: secret.id, body: 'Only me here', details: { mood: 'calm' } }))

assert.deepEqual(taken(await ben.app.from('rooms').select().eq('id', secret.id)), [])
assert.deepEqual(taken(await ben.app.from('messages').select().eq('room_id', secret.id)), [])
const joined = await ben.app.from('members').insert({ room_id: secret.id })
assert.equal(joined.error?.code, '42501')
const written = await ben.app.from('messages').insert({ room_id: secret.id, body: 'Me too!' })
assert.equal(written.error?.code, '42501')
console.log(`Ben sees nothing of the private room: ${written.error.message}`)

// One read brings rooms, their members and their latest message.
const rooms = taken(
  await ada.app
    .from('rooms')
    .select('name, members(role), messages(body, details->>mood)')
    .in('id', [lobby.id, secret.id])
    .order('id')
    .limit(1, { referencedTable: 'messages' }),
)
assert.deepEqual(rooms[1], { name, members: [{ role: 'owner' }], messages: [{ body: 'Only me here', mood: 'calm' }] })
console.log('Ada reads her rooms, who is in them and what was said, in one request')

// Somebody who is not signed in has a key and no more.
const stranger = createClient(url, key, { auth: { persistSession: false } })
assert.deepEqual(taken(await stranger.from('rooms').select()), [])
console.log('A stranger with the same key sees no rooms at all')
