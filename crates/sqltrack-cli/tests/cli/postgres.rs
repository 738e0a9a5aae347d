//! `create` on a server: what it prints works, and what is made by it can be used.

use sqltrack_core::{Config, create};

use crate::program::{Program, Server};

#[test]
fn create_makes_what_setup_uses() {
    let mut server = Server::new();
    let (name, program) = server.create("Owner");
    let sql = program.run(&["create"]).succeeded();
    assert_eq!(
        sql,
        format!(
            "CREATE ROLE \"{name}\" NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT LOGIN;\n\
             CREATE DATABASE \"{name}\" OWNER \"{name}\";\n"
        )
    );
    assert_eq!(program.run(&["create", "--no-user"]).succeeded().lines().count(), 1);
    assert_eq!(program.run(&["setup"]).succeeded(), "(NEW) base.sql\n");
    assert_eq!(program.run(&["setup", "--check"]).succeeded(), "(OK) base.sql\n");
    assert_eq!(program.run(&["experiments", "--format", "jsonl"]).stdout, "");
    program.run(&["-s", "lab", "setup"]).succeeded();
    let tables = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'runs' ORDER BY 1";
    assert_eq!(program.run(&["query", tables, "--format", "csv"]).succeeded(), "schemaname\nlab\npublic\n");
}

#[test]
fn create_can_be_executed() {
    let mut server = Server::new();
    let name = server.name("executed");
    let sql = Server::program(&name, &name).run(&["create"]).succeeded();
    let superuser = Server::program("sqltrack_test", "postgres");
    assert_eq!(superuser.feed(&["execute"], &sql).succeeded(), "");
    assert_eq!(Server::program(&name, &name).run(&["setup"]).succeeded(), "(NEW) base.sql\n");
}

/// Logs in over TCP, where the server wants the password.
#[track_caller]
fn check_login(program: &Program, name: &str) {
    let is_name = serde_json::Value::from(name).to_string();
    let sql = "SELECT current_user = :name AS is_name";
    let answer = program.run(&["query", sql, "-P", &format!("name={is_name}"), "--format", "csv"]);
    assert_eq!(answer.succeeded(), "is_name\ntrue\n");
}

#[test]
fn a_role_logs_in_by_the_password_that_was_given() {
    let mut server = Server::new();
    for (flag, password) in [
        ("--password", "pa'ss \"w\\ örd Ⅸ"),
        ("--plain-password", "it's \\ plain"),
        ("--password", "x".repeat(300).as_str()),
    ] {
        let name = server.name("password");
        let program = Server::program_over_tcp(&name, &name);
        let sql = program.feed(&["create", flag], &format!("{password}\n")).succeeded();
        assert_eq!(sql.contains("SCRAM-SHA-256$4096:"), flag == "--password", "{sql}");
        assert_eq!(sql.contains("plain"), flag == "--plain-password", "{sql}");
        Server::psql(&sql);
        assert!(program.run(&["query", "SELECT 1"]).failed().contains("refused the login"));
        check_login(&program.variable("PGPASSWORD", password), &name);
        // The server has the verifier as it was printed.
        let kept = Server::psql(&format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{name}'"));
        assert!(flag == "--plain-password" || sql.contains(kept.trim()), "{kept}");
    }
}

#[test]
fn the_password_may_come_from_the_password_file_or_the_configuration() {
    let mut server = Server::new();
    let name = server.name("pgpass");
    let program = Server::program_over_tcp(&name, &name);
    program.file(".pgpass", &format!("*:*:other:*:wrong\n127.0.0.1:*:{name}:{name}:hunter2\n"));
    let path = program.folder().join(".pgpass");
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let sql = program.run(&["create", "--password"]).succeeded();
    assert!(!sql.contains("hunter2"));
    Server::psql(&sql);
    check_login(&program, &name);

    let name = server.name("config");
    let program = Server::program_over_tcp(&name, &name).variable("SQLTRACK_DSN_PASSWORD", "hunter3");
    Server::psql(&program.run(&["create", "--password"]).succeeded());
    check_login(&program, &name);
}

#[test]
fn passwords_that_nobody_could_use_are_refused() {
    let program = Program::new().option("--host", "db");
    let message = program.run(&["create", "--password"]).failed();
    assert!(message.starts_with("no password was given; "), "{message}");
    let message = program.feed(&["create", "--password"], "a\u{7}b\n").failed();
    assert!(message.starts_with("the password contains characters"), "{message}");
    assert!(Program::sqlite().run(&["create"]).failed().starts_with("there is nothing to create for sqlite"));
}

#[test]
fn names_are_quoted_where_the_server_needs_it() {
    // Newer servers may have words that an older list lacks, but none of those of this server.
    let words = Server::psql("SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'");
    for word in words.lines() {
        let config = Config::explicit([("host", "db"), ("user", word)]).unwrap();
        let statement = create(&config).unwrap().statements().unwrap().remove(0);
        assert!(statement.starts_with(&format!("CREATE ROLE \"{word}\" ")), "{statement}");
    }
    let mut server = Server::new();
    let hostile = server.name("a\"; DROP; -- $1 % ' \\ 损");
    let program = Server::program(&hostile, &hostile);
    let sql = program.run(&["create"]).succeeded();
    assert_eq!(sql.lines().count(), 2);
    Server::psql(&sql);
    check_login(&program, &hostile);
    Server::psql(&format!(
        "DROP DATABASE {0}; DROP ROLE {0};",
        format!("\"{}\"", hostile.replace('"', "\"\""))
    ));
}

#[test]
fn values_of_postgres_are_written_whole() {
    let mut server = Server::new();
    let (_, program) = server.create("values");
    let sql = "SELECT 1::numeric / 3 AS x, 'NaN'::numeric AS y, interval '26 hours' AS z, \
               timestamptz '2024-05-07 14:30:00.5+02' AS t, ARRAY[1.5, 'NaN'] AS l, '{\"a\": [1]}'::jsonb AS j, \
               '\\xdead'::bytea AS b, 'NaN'::float8 AS n, 9007199254740993 AS i, 1 AS x";
    assert_eq!(
        program.run(&["query", sql, "--format", "jsonl"]).succeeded(),
        "{\"x\":0.33333333333333333333,\"y\":\"NaN\",\"z\":93600,\"t\":\"2024-05-07T12:30:00.5Z\",\
         \"l\":[1.5,\"NaN\"],\"j\":{\"a\":[1]},\"b\":\"\\\\xdead\",\"n\":\"NaN\",\"i\":9007199254740993,\"x_2\":1}\n"
    );
    let list = ["query", "SELECT 2 = ANY(:ids) AS found", "-P", "ids=[1, 2]", "--format", "csv"];
    assert_eq!(program.run(&list).succeeded(), "found\ntrue\n");
}
