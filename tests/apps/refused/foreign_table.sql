create foreign table far_places (id bigint) server far;
