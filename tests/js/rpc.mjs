// Calling functions and reading views by the SDK. The data is tests/schema/library.sql, the functions tests/schema/functions.sql.
import { assert, client, finish, refused, step, taken } from './kit.mjs'

const db = client()

await step('values come as they are', async () => {
  assert.equal(taken(await db.rpc('add', { a: 1, b: 2 })), 3)
  assert.equal(taken(await db.rpc('add', { a: 1 })), 11)
  assert.equal(taken(await db.rpc('add', { a: 1 }, { get: true })), 11)
  assert.equal(taken(await db.rpc('titles')).length, 4)
  assert.deepEqual(taken(await db.rpc('titles').limit(1)), ['The Dispossessed'])
  assert.deepEqual(taken(await db.rpc('echo', { a: [1, null] })), { a: [1, null] })
})

await step('rows are filtered, ordered, paged and embedded', async () => {
  const all = taken(await db.rpc('books_by', { author: 2 }))
  assert.equal(all[0].title, 'Invisible Cities')
  const some = db.rpc('books_by', { author: 1 }).select('title, authors(name), covers(colour)').eq('id', 1).order('id').limit(1).single()
  assert.deepEqual(taken(await some), { title: 'The Dispossessed', authors: { name: 'Ursula' }, covers: { colour: 'blue' } })
  const gotten = db.rpc('pages_over', { least: 200 }, { get: true }).select('pages').lt('pages', 300)
  assert.deepEqual(taken(await gotten), [{ pages: 214 }])
  assert.deepEqual(taken(await db.rpc('the_book', { wanted: 3 }).select('id')), { id: 3 })
  assert.equal(taken(await db.rpc('books_by', { author: 99 }).maybeSingle()), null)
})

await step('rows are counted', async () => {
  const head = await db.rpc('pages_over', { least: 1 }, { head: true, count: 'exact' })
  assert.equal(head.count, 3)
  assert.equal(head.data, null)
  const page = await db.rpc('pages_over', { least: 1 }, { count: 'exact' }).order('pages').range(1, 1)
  assert.deepEqual([page.status, page.count, taken(page)], [206, 3, [{ title: 'View with a Grain of Sand', pages: 214 }]])
})

await step('functions change rows', async () => {
  const shelf = taken(await db.rpc('add_shelf', { number: 40, name: 'New' }).select('label').single())
  assert.deepEqual(shelf, { label: 'New' })
  assert.equal(taken(await db.from('shelves').select('label').eq('id', 40).single()).label, 'New')
  const none = await db.rpc('rename_shelf', { number: 40, name: 'Mine' })
  assert.deepEqual([none.status, none.data, none.error], [204, null, null])
  assert.equal(taken(await db.from('shelves').select('label').eq('id', 40).single()).label, 'New', 'no policy lets anybody update')
  refused(await db.rpc('add_shelf', { number: 40, name: 'Again' }), { status: 409, code: '23505' })
  refused(await db.rpc('add_shelf', { number: 41, name: 'Read' }, { get: true }), { status: 405, code: '25006' })
})

await step('what is not there is told with the near miss', async () => {
  refused(await db.rpc('ad', { a: 1 }), { status: 404, code: 'PGRST202' })
  const near = await db.rpc('add', { aa: 1 })
  assert.equal(near.error.hint, 'Perhaps you meant to call the function public.add(a, b)')
})

await step('views are read and embedded as tables are', async () => {
  const rows = taken(await db.from('shelved').select('label, books(pages)').eq('place', 4))
  assert.deepEqual(rows, [{ label: 'Door', books: { pages: 341 } }])
  const book = taken(await db.from('books').select('title, shelved(label)').eq('id', 2).single())
  assert.deepEqual(book, { title: 'Invisible Cities', shelved: [{ label: 'Window' }] })
})

finish()
