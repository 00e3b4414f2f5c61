create event trigger guard on ddl_command_start execute function guard();
