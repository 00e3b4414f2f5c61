create text search configuration plain (copy = simple);
