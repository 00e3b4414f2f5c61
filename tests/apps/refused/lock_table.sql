lock table places in exclusive mode;
