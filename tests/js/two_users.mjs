// Two users, each with rows of their own and nothing of the other's.
import { arrive, assert, client, finish, refused, secret, service, serviceRole, step, taken } from './kit.mjs'

const ada = await arrive('ada')
const ben = await arrive('ben')

await step('each inserts rows of their own', async () => {
  for (const { app, user } of [ada, ben]) {
    const note = taken(await app.from('notes').insert({ body: `by ${user.id}` }).select().single())
    assert.equal(note.owner, user.id, 'the owner comes from the default auth.uid()')
    taken(await app.from('notes').insert([{ body: 'second' }, { body: 'third' }]))
  }
})

await step('each reads their own rows and no others', async () => {
  for (const { app, user } of [ada, ben]) {
    const { data, count } = await app.from('notes').select('*', { count: 'exact' })
    assert.equal(data.length, 3)
    assert.equal(count, 3, 'a count obeys the policies')
    assert(data.every((note) => note.owner === user.id))
  }
})

await step('a row can not be given to another', async () => {
  refused(await ada.app.from('notes').insert({ body: 'a gift', owner: ben.user.id }), {
    code: '42501',
    status: 403,
    message: 'new row violates row-level security policy for table "notes"',
    details: null,
  })
  refused(await ada.app.from('notes').update({ owner: ben.user.id }).eq('body', 'second'), { code: '42501' })
})

await step("another's rows can neither be changed nor deleted", async () => {
  const changed = taken(await ada.app.from('notes').update({ body: 'mine' }).eq('owner', ben.user.id).select())
  assert.deepEqual(changed, [])
  const deleted = taken(await ada.app.from('notes').delete().eq('owner', ben.user.id).select())
  assert.deepEqual(deleted, [])
  assert.equal(taken(await ben.app.from('notes').select()).length, 3)
})

await step('embedded rows obey their own policies', async () => {
  const own = taken(await ada.app.from('notes').select('id').eq('body', 'second').single())
  taken(await ada.app.from('remarks').insert({ note_id: own.id, text: 'hers' }))
  taken(await service.from('remarks').insert({ note_id: own.id, text: 'hidden', owner: ben.user.id }))
  const note = taken(await ada.app.from('notes').select('body, remarks(text)').eq('id', own.id).single())
  assert.deepEqual(note, { body: 'second', remarks: [{ text: 'hers' }] })
})

await step('nobody signed in reads and writes nothing', async () => {
  const nobody = client()
  assert.deepEqual(taken(await nobody.from('notes').select()), [])
  refused(await nobody.from('notes').insert({ body: 'x' }), { code: '42501', status: 401 })
})

await step('the service sees all', async () => {
  for (const key of [secret, serviceRole]) {
    const all = taken(await client(key).from('notes').select('owner'))
    assert.equal(all.length, 6)
    assert.equal(new Set(all.map((note) => note.owner)).size, 2)
  }
})

await step('a table without policies is closed to all but the service', async () => {
  assert.deepEqual(taken(await ada.app.from('closed').select()), [])
  refused(await ada.app.from('closed').insert({ id: 1 }), { code: '42501' })
  taken(await service.from('closed').insert({ id: 1 }))
  assert.deepEqual(taken(await service.from('closed').select()), [{ id: 1 }])
})

await step('an upsert never touches a hidden row', async () => {
  const hidden = taken(await ben.app.from('notes').select().eq('body', 'third').single())
  refused(await ada.app.from('notes').upsert({ id: hidden.id, body: 'taken over', owner: ada.user.id }), { code: '42501' })
  assert.equal(taken(await ben.app.from('notes').select().eq('id', hidden.id).single()).body, 'third')
})

finish()
