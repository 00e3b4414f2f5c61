create cast (text as int) with inout as implicit;
