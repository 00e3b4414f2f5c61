create role editor nologin;
