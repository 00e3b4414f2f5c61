alter table places add column embedding vector(384);
