create policy "avatars are public" on storage.objects for select using (bucket_id = 'avatars');
