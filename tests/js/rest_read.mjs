// Reading by REST: columns, filters, logic, JSON paths, embedding, order, pages, counts. The data is tests/schema/library.sql.
import { assert, client, finish, http, publishable, refused, step, taken } from './kit.mjs'

const db = client()
const titles = async (query) => taken(await query).map((book) => book.id)
const ids = (change) => titles(change(db.from('books').select('id').order('id')))
const get = (path, headers = {}) => http('GET', `/rest/v1/${path}`, { headers: { apikey: publishable, ...headers } })

await step('values print as Postgres prints them', async () => {
  const { text, json } = await get('books?id=eq.1&select=id,title,isbn,genre,price,weight,pages,rating,in_print,tags,sizes,meta,published')
  assert.deepEqual(json[0], {
    id: 1, title: 'The Dispossessed', isbn: '978-1', genre: 'novel', price: 12.5, weight: 0.35, pages: 341, rating: 4.5,
    in_print: true, tags: ['utopia', 'physics'], sizes: [1, 2, 3],
    meta: { langs: ['en', 'pl'], prize: { name: 'Nebula', year: 1974 } }, published: '1974-05-01T00:00:00+00:00',
  })
  assert(text.includes('"price":12.50') && text.includes('"weight":0.350'), `numeric keeps its scale: ${text}`)
  const third = (await get('books?id=eq.3&select=price,rating,sizes,published,tags')).text
  assert.equal(third.trim(), '[{"price":123456789012.34,"rating":5,"sizes":null,"published":null,"tags":[]}]')
  assert.equal((await get('books?id=eq.2&select=published')).text.trim(), '[{"published":"1972-11-03T10:30:00.5+00:00"}]')
  assert.equal((await get('books?id=eq.4&select=published')).text.trim(), '[{"published":"2024-02-29T23:59:59.999999+00:00"}]')
})

await step('columns, renames and casts', async () => {
  const row = taken(await db.from('books').select('name:title,pages::text,id').eq('id', 1).single())
  assert.deepEqual(row, { name: 'The Dispossessed', pages: '341', id: 1 })
  const star = taken(await db.from('authors').select().eq('id', 1).single())
  assert.deepEqual(star, { id: 1, name: 'Ursula', born: '1929-10-21', mentor_id: null })
})

await step('filters compare', async () => {
  assert.deepEqual(await ids((q) => q.eq('title', 'Invisible Cities')), [2])
  assert.deepEqual(await ids((q) => q.neq('id', 2)), [1, 3, 4])
  assert.deepEqual(await ids((q) => q.gt('pages', 165)), [1, 3])
  assert.deepEqual(await ids((q) => q.gte('pages', 165)), [1, 2, 3])
  assert.deepEqual(await ids((q) => q.lt('price', 12.5)), [2])
  assert.deepEqual(await ids((q) => q.lte('price', 12.5)), [1, 2])
  assert.deepEqual(await ids((q) => q.gt('price', '12.49')), [1, 3])
  assert.deepEqual(await ids((q) => q.eq('weight', '0.35')), [1], 'numeric compares by value')
  assert.deepEqual(await ids((q) => q.gte('published', '1974-05-01T02:00:00+02:00')), [1, 4])
  assert.deepEqual(await ids((q) => q.in('id', [1, 3, 99])), [1, 3])
  assert.deepEqual(await ids((q) => q.in('title', ['Invisible Cities', 'a, b (c)'])), [2])
  assert.deepEqual((await get('books?select=id&title=in.("Pamphlet, \\"quoted\\" (1st)",x)')).json, [{ id: 4 }])
  assert.deepEqual(await ids((q) => q.in('id', [])), [])
  assert.deepEqual(await ids((q) => q.eq('genre', 'poetry')), [3])
  assert.deepEqual(await ids((q) => q.gt('genre', 'novel')), [3, 4], 'enums compare in the order they were declared')
})

await step('filters for null and truth', async () => {
  assert.deepEqual(await ids((q) => q.is('pages', null)), [4])
  assert.deepEqual(await ids((q) => q.not('pages', 'is', null)), [1, 2, 3])
  assert.deepEqual(await ids((q) => q.is('in_print', false)), [3])
  assert.deepEqual(await ids((q) => q.eq('in_print', true)), [1, 2, 4])
  assert.deepEqual(await ids((q) => q.filter('author_id', 'isdistinct', 1)), [2, 3, 4])
})

await step('filters for patterns', async () => {
  assert.deepEqual(await ids((q) => q.like('title', '%Cities')), [2])
  assert.deepEqual(await ids((q) => q.like('title', '%cities')), [], 'like knows capitals')
  assert.deepEqual(await ids((q) => q.ilike('title', '%CITIES')), [2])
  assert.deepEqual(await ids((q) => q.ilike('title', 'the*')), [1])
  assert.deepEqual(await ids((q) => q.filter('title', 'match', '^(View|The) ')), [1, 3])
  assert.deepEqual(await ids((q) => q.filter('title', 'imatch', 'GRAIN')), [3])
  assert.deepEqual(await ids((q) => q.likeAnyOf('title', ['The%', 'View%'])), [1, 3])
  assert.deepEqual(await ids((q) => q.likeAllOf('title', ['%i%', '%t%'])), [2, 3])
})

await step('filters for arrays and JSON', async () => {
  assert.deepEqual(await ids((q) => q.contains('tags', ['utopia'])), [1])
  assert.deepEqual(await ids((q) => q.contains('tags', ['a b'])), [4])
  assert.deepEqual(await ids((q) => q.containedBy('tags', ['cities', 'utopia'])), [2, 3])
  assert.deepEqual(await ids((q) => q.overlaps('tags', ['physics', 'cities'])), [1, 2])
  assert.deepEqual(await ids((q) => q.contains('sizes', [2])), [1])
  assert.deepEqual(await ids((q) => q.contains('meta', { prize: { name: 'Nebula' } })), [1])
  assert.deepEqual(await ids((q) => q.eq('meta->prize->>name', 'Nebula')), [1])
  assert.deepEqual(await ids((q) => q.eq('meta->langs->>0', 'it')), [2])
})

await step('and, or, not', async () => {
  assert.deepEqual(await ids((q) => q.or('id.eq.1,title.ilike.*sand')), [1, 3])
  assert.deepEqual(await ids((q) => q.or('and(pages.gt.100,pages.lt.200),genre.eq.essay')), [2, 4])
  assert.deepEqual(await ids((q) => q.not('id', 'in', '(1,2)')), [3, 4])
  assert.deepEqual((await get('books?select=id&order=id&not.or=(id.eq.1,id.eq.2)')).json, [{ id: 3 }, { id: 4 }])
  assert.deepEqual((await get('books?select=id&order=id&and=(id.gte.2,id.not.eq.3)')).json, [{ id: 2 }, { id: 4 }])
  assert.deepEqual((await get('books?select=id&or=(title.eq."Pamphlet, \\"quoted\\" (1st)",id.eq.2)&order=id')).json, [{ id: 2 }, { id: 4 }])
})

await step('JSON paths are columns', async () => {
  const row = taken(await db.from('books').select('meta->prize->>name, year:meta->prize->year, meta->langs->0').eq('id', 1).single())
  assert.deepEqual(row, { name: 'Nebula', year: 1974, langs: 'en' })
  const none = taken(await db.from('books').select('meta->prize->>name').eq('id', 2).single())
  assert.deepEqual(none, { name: null })
})

await step('embedding: many to one, one to many, one to one, many to many', async () => {
  const book = taken(await db.from('books').select('title, authors(name), covers(colour), shelves(label)').eq('id', 1).order('label', { referencedTable: 'shelves' }).single())
  assert.deepEqual(book, {
    title: 'The Dispossessed', authors: { name: 'Ursula' }, covers: { colour: 'blue' }, shelves: [{ label: 'Door' }, { label: 'Window' }],
  })
  const bare = taken(await db.from('books').select('authors(name), covers(colour), shelves(label)').eq('id', 4).single())
  assert.deepEqual(bare, { authors: null, covers: null, shelves: [] })
  const author = taken(await db.from('authors').select('name, books(title, book_shelves(place, shelves(label)))').eq('id', 2).single())
  assert.deepEqual(author, {
    name: 'Italo', books: [{ title: 'Invisible Cities', book_shelves: [{ place: 2, shelves: { label: 'Window' } }] }],
  })
})

await step('embedding with an alias, a hint, and of itself', async () => {
  const row = taken(await db.from('books').select('by:authors!books_author_id_fkey(who:name)').eq('id', 2).single())
  assert.deepEqual(row, { by: { who: 'Italo' } })
  const byColumn = taken(await db.from('books').select('author_id(name)').eq('id', 2).single())
  assert.deepEqual(byColumn, { author_id: { name: 'Italo' } })
  const mentor = taken(await db.from('authors').select('name, mentor:mentor_id(name)').eq('id', 2).single())
  assert.deepEqual(mentor, { name: 'Italo', mentor: { name: 'Ursula' } })
  const pupils = taken(await db.from('authors').select('name, pupils:authors!mentor_id(name)').eq('id', 1).single())
  assert.deepEqual(pupils.pupils.map((pupil) => pupil.name).sort(), ['Italo', 'Wisława'])
})

await step('embedded rows are filtered, ordered and limited; !inner filters the parent', async () => {
  const authors = taken(await db.from('authors').select('id, books(id)').eq('books.id', 1).order('id'))
  assert.deepEqual(authors, [{ id: 1, books: [{ id: 1 }] }, { id: 2, books: [] }, { id: 3, books: [] }, { id: 4, books: [] }])
  const inner = taken(await db.from('authors').select('id, books!inner(id)').eq('books.genre', 'poetry'))
  assert.deepEqual(inner, [{ id: 3, books: [{ id: 3 }] }])
  const window = taken(await db.from('shelves').select('label, books(id)').eq('id', 10).order('id', { referencedTable: 'books', ascending: false }).limit(1, { referencedTable: 'books' }))
  assert.deepEqual(window, [{ label: 'Window', books: [{ id: 2 }] }])
  const without = taken(await db.from('authors').select('id, books()').is('books', null))
  assert.deepEqual(without, [{ id: 4 }])
})

await step('order, with nulls first and last', async () => {
  assert.deepEqual(await titles(db.from('books').select('id').order('pages', { ascending: false })), [4, 1, 3, 2])
  assert.deepEqual(await titles(db.from('books').select('id').order('pages', { ascending: false, nullsFirst: false })), [1, 3, 2, 4])
  assert.deepEqual(await titles(db.from('books').select('id').order('pages')), [2, 3, 1, 4])
  assert.deepEqual(await titles(db.from('books').select('id').order('price', { nullsFirst: true })), [4, 2, 1, 3])
  assert.deepEqual(await titles(db.from('books').select('id').order('genre').order('id', { ascending: false })), [2, 1, 3, 4])
  assert.deepEqual((await get('books?select=id,authors(name)&order=authors(name).desc.nullslast')).json.map(({ id }) => id), [3, 1, 2, 4])
})

await step('pages and counts', async () => {
  const page = await db.from('books').select('id', { count: 'exact' }).order('id').range(1, 2)
  assert.deepEqual(page.data, [{ id: 2 }, { id: 3 }])
  assert.equal(page.count, 4)
  assert.equal(page.status, 206)
  assert.deepEqual(await titles(db.from('books').select('id').order('id').limit(1)), [1])
  const head = await db.from('books').select('*', { count: 'exact', head: true }).eq('genre', 'novel')
  assert.equal(head.count, 2)
  assert.equal(head.data, null)
  const whole = await get('books?select=id')
  assert.equal(whole.status, 200)
  assert.equal(whole.headers.get('content-range'), '0-3/*')
  const ranged = await get('books?select=id&order=id', { 'range-unit': 'items', range: '1-2', prefer: 'count=exact' })
  assert.equal(ranged.status, 206)
  assert.equal(ranged.headers.get('content-range'), '1-2/4')
  assert.equal(ranged.headers.get('preference-applied'), 'count=exact')
  assert.equal((await get('books?id=eq.99', { prefer: 'count=exact' })).headers.get('content-range'), '*/0')
  const beyond = await db.from('books').select('id', { count: 'exact' }).range(10, 12)
  refused(beyond, { code: 'PGRST103', status: 416 })
})

await step('embedded rows are counted', async () => {
  const authors = taken(await db.from('authors').select('name, books(count)').order('id'))
  assert.deepEqual(authors.map(({ books }) => books), [[{ count: 1 }], [{ count: 1 }], [{ count: 1 }], [{ count: 0 }]])
})

await step('one object', async () => {
  assert.equal(taken(await db.from('books').select('id').eq('id', 1).single()).id, 1)
  refused(await db.from('books').select('id').single(), {
    code: 'PGRST116', status: 406, message: 'Cannot coerce the result to a single JSON object', details: 'The result contains 4 rows',
  })
  refused(await db.from('books').select('id').eq('id', 99).single(), { code: 'PGRST116', details: 'The result contains 0 rows' })
  assert.equal(taken(await db.from('books').select('id').eq('id', 99).maybeSingle()), null)
  refused(await db.from('books').select('id').maybeSingle(), { code: 'PGRST116' })
})

await step('what is not there is refused with the near miss', async () => {
  refused(await db.from('bookz').select(), { code: 'PGRST205', status: 404, message: "Could not find the table 'public.bookz' in the schema cache", hint: /books/ })
  refused(await db.from('books').select('titel'), { code: '42703', status: 400, message: 'column books.titel does not exist' })
  refused(await db.from('books').select('id').eq('titel', 'x'), { code: '42703', status: 400 })
  refused(await db.from('books').select('id, publishers(name)'), { code: 'PGRST200', status: 400 })
  refused(await db.schema('secrets').from('books').select(), { code: 'PGRST106', status: 406 })
})

await step('values of another type are refused with the SQLSTATE', async () => {
  refused(await db.from('books').select('id').eq('id', 'abc'), { code: '22P02', status: 400, message: 'invalid input syntax for type bigint: "abc"' })
  refused(await db.from('books').select('id').eq('ref', 'abc'), { code: '22P02', message: 'invalid input syntax for type uuid: "abc"' })
  refused(await db.from('books').select('id').eq('pages', '99999999999'), { code: '22003' })
  refused(await db.from('books').select('id').eq('genre', 'opera'), { code: '22P02', message: 'invalid input value for enum genre: "opera"' })
  refused(await db.from('books').select('id').gt('published', 'never'), { code: '22007' })
})

await step('a malformed query is refused', async () => {
  for (const path of ['books?select=id,', 'books?id=1', 'books?id=nope.1', 'books?or=(id.eq.1', 'books?order=id.sideways', 'books?limit=x']) {
    const answer = await get(path)
    assert.equal(answer.status, 400, path)
    assert.match(answer.json?.code ?? '', /^PGRST1/, `${path}: ${answer.text}`)
  }
})

await step('CORS and headers', async () => {
  const preflight = await http('OPTIONS', '/rest/v1/books', {
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'apikey,content-type' },
  })
  assert([200, 204].includes(preflight.status))
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.match(preflight.headers.get('access-control-allow-headers'), /apikey/i)
  const answer = await get('books?select=id&limit=1', { origin: 'https://app.example' })
  assert.equal(answer.headers.get('access-control-allow-origin'), '*')
  assert.match(answer.headers.get('access-control-expose-headers'), /content-range/i)
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  assert(answer.headers.get('x-request-id'))
})

finish()
