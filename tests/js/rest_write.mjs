// Writing by REST: insert, upsert, update, delete, preferences, errors. The data is tests/schema/library.sql.
import { assert, client, finish, http, refused, secret, service as db, step, taken } from './kit.mjs'

const headers = { apikey: secret }
const ask = (method, path, body, more = {}) => http(method, `/rest/v1/${path}`, { headers: { ...headers, ...more }, body })

await step('insert one, with defaults', async () => {
  const book = taken(await db.from('books').insert({ title: 'New', pages: 3 }).select().single())
  assert.equal(book.genre, 'novel')
  assert.equal(book.stock, 3)
  assert.deepEqual(book.tags, [])
  assert.deepEqual(book.meta, {})
  assert.match(book.ref, /^[0-9a-f-]{36}$/)
  assert.match(book.added_at, /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/)
  assert(book.id > 4)
})

await step('insert many, in their order', async () => {
  const rows = taken(await db.from('shelves').insert([{ id: 2, label: 'B' }, { id: 1, label: 'A' }, { id: 3, label: 'C' }]).select())
  assert.deepEqual(rows.map(({ id }) => id), [2, 1, 3])
})

await step('absent members of some rows are null, or the default if asked', async () => {
  refused(await db.from('books').insert([{ title: 'x', stock: 1 }, { title: 'y' }]), { code: '23502' })
  const rows = taken(await db.from('books').insert([{ title: 'x', stock: 1 }, { title: 'y' }], { defaultToNull: false }).select('stock'))
  assert.deepEqual(rows, [{ stock: 1 }, { stock: 3 }])
})

await step('what the answer holds is what was preferred', async () => {
  const minimal = await ask('POST', 'shelves', { id: 40, label: 'm' }, { prefer: 'return=minimal' })
  assert.equal(minimal.status, 201)
  assert.equal(minimal.text, '')
  const only = await ask('POST', 'shelves', { id: 41, label: 'h' }, { prefer: 'return=headers-only' })
  assert.equal(only.status, 201)
  assert.equal(only.headers.get('location'), '/shelves?id=eq.41')
  const full = await ask('POST', 'shelves?select=label', { id: 42, label: 'r' }, { prefer: 'return=representation' })
  assert.deepEqual(full.json, [{ label: 'r' }])
  assert.equal(full.headers.get('preference-applied'), 'return=representation')
  assert.equal((await ask('PATCH', 'shelves?id=eq.42', { label: 's' })).status, 204)
  const patched = await ask('PATCH', 'shelves?id=eq.42', { label: 't' }, { prefer: 'return=representation' })
  assert.equal(patched.status, 200)
  assert.deepEqual(patched.json, [{ id: 42, label: 't' }])
  assert.equal((await ask('DELETE', 'shelves?id=in.(40,41,42)')).status, 204)
})

await step('numbers do not pass through floating point', async () => {
  const price = '9007199254740993.55'
  const answer = await http('POST', '/rest/v1/books?select=weight', {
    headers: { ...headers, prefer: 'return=representation' }, body: `{"title":"exact","weight":${price}}`,
  })
  assert.equal(answer.text.trim(), `[{"weight":${price}}]`)
  const large = await http('POST', '/rest/v1/books?select=copies', {
    headers: { ...headers, prefer: 'return=representation' }, body: '{"copies":9007199254740993,"title":"large"}',
  })
  assert.equal(large.text.trim(), '[{"copies":9007199254740993}]')
})

await step('an upsert changes or ignores what is there', async () => {
  taken(await db.from('shelves').insert({ id: 50, label: 'old' }))
  const merged = await db.from('shelves').upsert([{ id: 50, label: 'new' }, { id: 51, label: 'other' }]).select()
  assert.deepEqual(taken(merged), [{ id: 50, label: 'new' }, { id: 51, label: 'other' }])
  const ignored = taken(await db.from('shelves').upsert([{ id: 50, label: 'no' }, { id: 52, label: 'third' }], { ignoreDuplicates: true }).select())
  assert.deepEqual(ignored, [{ id: 52, label: 'third' }])
  const byLabel = taken(await db.from('books').upsert({ isbn: '978-1', title: 'Renamed', pages: 1 }, { onConflict: 'isbn' }).select('id, title'))
  assert.deepEqual(byLabel, [{ id: 1, title: 'Renamed' }])
  const again = await ask('POST', 'shelves', { id: 50, label: 'new' }, { prefer: 'resolution=merge-duplicates' })
  assert.equal(again.status, 200, 'nothing was inserted')
  taken(await db.from('shelves').delete().gte('id', 50))
})

await step('update and delete what the filters choose', async () => {
  taken(await db.from('books').insert([{ title: 'u1', pages: 1 }, { title: 'u2', pages: 2 }]))
  const updated = taken(await db.from('books').update({ pages: 9, tags: ['x'], meta: { a: [1, 'é'] } }).eq('title', 'u1').select('pages, tags, meta'))
  assert.deepEqual(updated, [{ pages: 9, tags: ['x'], meta: { a: [1, 'é'] } }])
  const counted = await db.from('books').delete({ count: 'exact' }).in('title', ['u1', 'u2'])
  assert.equal(counted.count, 2)
  assert.equal(counted.status, 204)
  const embedded = taken(await db.from('books').update({ title: 'The Dispossessed' }).eq('id', 1).select('title, authors(name)'))
  assert.deepEqual(embedded, [{ title: 'The Dispossessed', authors: { name: 'Ursula' } }])
})

await step('constraints are refused as Postgres refuses them', async () => {
  refused(await db.from('shelves').insert({ id: 10, label: 'again' }), {
    code: '23505', status: 409, message: 'duplicate key value violates unique constraint "shelves_pkey"', details: 'Key (id)=(10) already exists.',
  })
  refused(await db.from('books').insert({ title: 'dup', isbn: '978-2' }), {
    code: '23505', message: 'duplicate key value violates unique constraint "books_isbn_key"', details: 'Key (isbn)=(978-2) already exists.',
  })
  refused(await db.from('books').insert({ pages: 1 }), {
    code: '23502', status: 400, message: 'null value in column "title" of relation "books" violates not-null constraint',
  })
  refused(await db.from('books').insert({ title: 'neg', pages: -1 }), {
    code: '23514', status: 400, message: 'new row for relation "books" violates check constraint "books_pages_check"',
  })
  refused(await db.from('books').insert({ title: 'fk', author_id: 999 }), {
    code: '23503', status: 409, message: 'insert or update on table "books" violates foreign key constraint "books_author_id_fkey"',
    details: 'Key (author_id)=(999) is not present in table "authors".',
  })
  refused(await db.from('authors').delete().eq('id', 2), {
    code: '23503', status: 409, message: 'update or delete on table "authors" violates foreign key constraint "books_author_id_fkey" on table "books"',
  })
  refused(await db.from('books').insert({ title: 'long', isbn: 'x'.repeat(21) }), { code: '22001', status: 400, message: 'value too long for type character varying(20)' })
  refused(await db.from('books').insert({ title: 'big', price: '1234567890123.00' }), { code: '22003', status: 400, message: 'numeric field overflow' })
  refused(await db.from('authors').insert({ id: 5, name: 'x' }), { code: '428C9' })
})

await step('cascades run', async () => {
  const { id } = taken(await db.from('books').insert({ title: 'gone' }).select('id').single())
  taken(await db.from('book_shelves').insert({ book_id: id, shelf_id: 30 }))
  taken(await db.from('books').delete().eq('id', id))
  assert.deepEqual(taken(await db.from('book_shelves').select().eq('book_id', id)), [])
})

await step('a request that fails in part changes nothing', async () => {
  refused(await db.from('shelves').insert([{ id: 60, label: 'fine' }, { id: 10, label: 'taken' }]), { code: '23505' })
  assert.deepEqual(taken(await db.from('shelves').select().eq('id', 60)), [])
})

await step('SQL in a value is a value', async () => {
  const label = `'); drop table shelves; -- " \\ %_ ${'\u0001'} 🌲`
  taken(await db.from('shelves').insert({ id: 70, label }))
  assert.deepEqual(taken(await db.from('shelves').select('label').eq('label', label)), [{ label }])
  taken(await db.from('shelves').delete().eq('label', label))
  assert(taken(await db.from('shelves').select()).length > 0)
})

await step('bodies that can not be read are refused', async () => {
  for (const [body, code] of [['{"id":', 'PGRST102'], ['"text"', 'PGRST102'], ['[1]', 'PGRST102'], ['', 'PGRST102']]) {
    const answer = await ask('POST', 'shelves', body)
    assert.equal(answer.status, 400, `${body}: ${answer.text}`)
    assert.equal(answer.json?.code, code, `${body}: ${answer.text}`)
  }
  const unknown = await ask('POST', 'shelves', { id: 80, lable: 'x' })
  assert.equal(unknown.status, 400)
  assert.equal(unknown.json.code, 'PGRST204')
  assert.match(unknown.json.message, /Could not find the 'lable' column of 'shelves' in the schema cache/)
})

await step('a single object is wanted and many would change: nothing does', async () => {
  const answer = await ask('PATCH', 'books?id=gte.0', { rating: 1.25 }, { accept: 'application/vnd.pgrst.object+json', prefer: 'return=representation' })
  assert.equal(answer.status, 406)
  assert.deepEqual(taken(await db.from('books').select('id').eq('rating', 1.25)), [])
})

await step('those who may only read can not write', async () => {
  const reader = client()
  refused(await reader.from('shelves').insert({ id: 90, label: 'x' }), { code: '42501', status: 401 })
  assert.deepEqual(taken(await reader.from('shelves').update({ label: 'x' }).eq('id', 10).select()), [])
  assert.deepEqual(taken(await reader.from('shelves').delete().eq('id', 10).select()), [])
})

finish()
