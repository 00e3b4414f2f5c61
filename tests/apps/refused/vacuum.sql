vacuum analyze places;
