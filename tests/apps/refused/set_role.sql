set role authenticated;
