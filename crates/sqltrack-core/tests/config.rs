//! Configuration from real files and variables: which source wins, and what each mistake says.
#![expect(clippy::result_large_err, reason = "what a Jail's closure returns is not ours to shrink")]

use std::path::{Path, PathBuf};

use figment::Jail;
use sqltrack_core::config::{Dialect, Environment, PARAMETERS, env_config, find_config_file, load_config};
use sqltrack_core::spool::Fsync;
use sqltrack_core::{Config, ConfigError};

/// A folder with a config file, and variables to load it with.
struct Setup {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variables = vec![
            ("HOME".to_owned(), folder.path().to_str().unwrap().to_owned()),
            ("LOGNAME".to_owned(), "login".to_owned()),
        ];
        // A file is always named, since the current folder is changed by tests that look for one.
        Self { folder, variables }.file("")
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes a config file, and names it.
    fn file(self, content: impl AsRef<[u8]>) -> Self {
        let path = self.write("test.conf", content);
        self.set("SQLTRACK_CONFIG_PATH", path.to_str().unwrap())
    }

    fn load(&self, parameters: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let env = Environment::from_iter(self.variables.clone());
        let builder = Config::builder().environment(env);
        parameters.iter().fold(builder, |builder, (name, value)| builder.set(*name, *value)).load()
    }

    /// The message of the error, with the folder taken out.
    #[track_caller]
    fn error(&self, parameters: &[(&str, &str)]) -> String {
        let err = self.load(parameters).unwrap_err();
        assert!(!format!("{err:?}{err}").contains("hunter2"), "{err:?}");
        err.to_string().replace(self.folder.path().to_str().unwrap(), "DIR")
    }
}

/// A way to set a parameter, from the lowest to the highest.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Layer {
    Default,
    Variable,
    Service,
    File,
    Environment,
    Parameter,
}
use Layer::{Default, File, Parameter, Service, Variable};

/// Loads `name` set by exactly these layers, each to a value that says who it is.
fn load_layers(engine: &str, name: &str, layers: &[Layer], as_url: bool) -> Config {
    let value = |layer: Layer| format!("{layer:?}").to_lowercase();
    let url = |layer: Layer| match engine {
        "sqlite" => format!("sqlite:{}", value(layer)),
        _ => format!("postgres://?{name}={}", value(layer)),
    };
    let assigned = |layer| if as_url { ("url", url(layer)) } else { (name, value(layer)) };
    let mut setup = Setup::new();
    let mut parameters = vec![("engine", engine.to_owned())];
    for &layer in layers {
        let (key, text) = assigned(layer);
        setup = match layer {
            Default => setup,
            Variable => setup.set("PGUSER", "variable"),
            Service => {
                setup.write(".pg_service.conf", format!("[s]\n{name}=service\n"));
                setup.set("PGSERVICE", "s")
            }
            File => setup.file(format!("{key} = {text}\n")),
            Layer::Environment => setup.set(&format!("SQLTRACK_DSN_{}", key.to_uppercase()), &text),
            Parameter => {
                parameters.push((key, text));
                setup
            }
        };
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    setup.load(&parameters).unwrap()
}

/// Each source over each lower one, and over all of them.
fn check_matrix(engine: &str, name: &str, default: &str, layers: &[Layer]) {
    for (index, &upper) in layers.iter().enumerate() {
        let pairs = layers[..index].iter().map(|&lower| vec![lower, upper]);
        for set in pairs.chain([layers[..=index].to_vec()]) {
            for as_url in [false, true] {
                let config = load_layers(engine, name, &set, as_url);
                let setting = config.settings().get(name).unwrap();
                let expected =
                    if upper == Default { default.to_owned() } else { format!("{upper:?}").to_lowercase() };
                assert_eq!(setting.value(), expected, "{name} set by {set:?}");
                let source = setting.source().to_string();
                let sign = match upper {
                    Default => "default",
                    Variable => "PGUSER",
                    Service => "service s (",
                    File => "test.conf:1",
                    Layer::Environment if as_url => "the url in SQLTRACK_DSN_URL",
                    Layer::Environment => "SQLTRACK_DSN_",
                    Parameter => "parameter",
                };
                assert!(source.contains(sign), "{source} for {name} set by {set:?}");
            }
        }
    }
}

#[test]
fn each_source_ranks_over_each_lower_one_for_postgres() {
    check_matrix(
        "postgres",
        "user",
        "login",
        &[Default, Variable, Service, File, Layer::Environment, Parameter],
    );
}

#[test]
fn each_source_ranks_over_each_lower_one_for_sqlite() {
    check_matrix("sqlite", "dbpath", "sqltrack.db", &[Default, File, Layer::Environment, Parameter]);
}

#[test]
fn each_source_can_choose_the_engine() {
    let choose = |text: &str| format!("engine = {text}");
    assert_eq!(Setup::new().load(&[]).unwrap().engine(), Dialect::Postgres);
    let file = Setup::new().file(choose("SQLite3"));
    let config = file.load(&[]).unwrap();
    assert_eq!((config.engine(), config.get("engine")), (Dialect::Sqlite, Some("sqlite")));
    let env = file.set("SQLTRACK_DSN_ENGINE", "postgresql");
    assert_eq!(env.load(&[]).unwrap().engine(), Dialect::Postgres);
    assert_eq!(env.load(&[("engine", "sqlite")]).unwrap().engine(), Dialect::Sqlite);
    assert_eq!(env.load(&[("url", "sqlite:x")]).unwrap().engine(), Dialect::Sqlite);
}

#[test]
fn a_service_may_be_named_by_any_source() {
    let setup = Setup::new().file("service = b").set("PGSERVICE", "a");
    setup.write(".pg_service.conf", "[a]\nhost=a\n[b]\nhost=b\n[c]\nhost=c\n");
    assert_eq!(setup.load(&[]).unwrap().get("host"), Some("b"));
    assert_eq!(setup.load(&[("service", "c")]).unwrap().get("host"), Some("c"));
    let message = setup.error(&[("service", "d")]);
    assert_eq!(
        message,
        "service `d` (from parameter) is not defined in DIR/.pg_service.conf; add a section [d] or unset it"
    );
}

#[test]
fn an_empty_value_stands_for_the_default() {
    let setup = Setup::new().file("user = alice\nhost = db\nengine =").set("PGHOST", "other");
    let config = setup.load(&[("user", ""), ("host", "")]).unwrap();
    assert_eq!((config.get("user"), config.get("host")), (Some("login"), None));
    assert_eq!(config.engine(), Dialect::Postgres);
}

#[test]
fn a_url_leaves_what_it_does_not_name() {
    let setup = Setup::new().file("host = db\nport = 1").set("SQLTRACK_DSN_URL", "postgres://alice@h/x");
    let config = setup.load(&[("dbname", "y")]).unwrap();
    let values = ["host", "port", "user", "dbname", "url"].map(|name| config.get(name));
    assert_eq!(values, [Some("h"), Some("1"), Some("alice"), Some("y"), None]);
}

#[test]
fn parameters_of_the_other_engine_are_listed_as_unused() {
    let setup = Setup::new().file("dbpath = x.db\nhost = db").set("SQLTRACK_DSN_PORT", "abc");
    let config = setup.load(&[("engine", "sqlite")]).unwrap();
    let unused: Vec<_> =
        config.unused().iter().map(|(name, setting)| format!("{name} {}", setting.value())).collect();
    assert_eq!(unused, ["host db", "port abc"]);
    let names: Vec<_> = config.settings().iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["engine", "dbpath"]);
}

#[test]
fn an_explicit_configuration_has_no_other_source() {
    Jail::expect_with(|jail| {
        jail.clear_env();
        jail.create_file("sqltrack.conf", "host = file")?;
        jail.set_env("SQLTRACK_DSN_HOST", "environment");
        jail.set_env("PGPORT", "7");
        let config = Config::explicit([("user", "alice")]).unwrap();
        assert_eq!((config.get("host"), config.get("port"), config.path()), (None, None, None));
        assert_eq!(config.get("dbname"), Some("alice"));
        let config = Config::explicit([("url", "sqlite:x.db")]).unwrap();
        assert_eq!((config.engine(), config.get("dbpath")), (Dialect::Sqlite, Some("x.db")));
        assert!(Config::explicit([("service", "s")]).is_err());
        assert!(Config::explicit([("hots", "s")]).is_err());
        Ok(())
    });
}

#[test]
fn the_five_default_locations_are_tried_in_order() {
    Jail::expect_with(|jail| {
        jail.clear_env();
        for name in ["XDG_CONFIG_HOME", "APPDATA", "HOME"] {
            let folder = jail.create_dir(name)?;
            jail.set_env(name, folder.display());
        }
        assert_eq!(find_config_file(None).unwrap(), None);
        for path in [
            "HOME/sqltrack.conf",
            "HOME/.config/sqltrack/sqltrack.conf",
            "APPDATA/sqltrack/sqltrack.conf",
            "XDG_CONFIG_HOME/sqltrack/sqltrack.conf",
            "sqltrack.conf",
        ] {
            let folder = Path::new(path).parent().unwrap();
            jail.create_dir(folder)?;
            jail.create_file(path, &format!("application_name = {path}"))?;
            let config = Config::load().unwrap();
            assert_eq!(config.get("application_name"), Some(path));
            assert!(config.path().unwrap().ends_with(path));
        }
        jail.create_file("named.conf", "")?;
        jail.set_env("SQLTRACK_CONFIG_PATH", "named.conf");
        assert_eq!(find_config_file(None).unwrap(), Some("named.conf".into()));
        assert_eq!(find_config_file(Some("sqltrack.conf".as_ref())).unwrap(), Some("sqltrack.conf".into()));
        Ok(())
    });
}

#[test]
fn the_functions_of_the_module_read_the_process() {
    Jail::expect_with(|jail| {
        jail.clear_env();
        jail.create_file("named.conf", "user = file\nhost = file\nport = 1")?;
        jail.set_env("SQLTRACK_DSN_HOST", "environment");
        jail.set_env("SQLTRACK_DSN_PORT", "2");
        let settings = env_config().unwrap();
        let names: Vec<_> = settings.iter().map(|(name, setting)| (name, setting.value())).collect();
        assert_eq!(names, [("host", "environment"), ("port", "2")]);
        let config = load_config(Some("named.conf".as_ref()), [("port", "3")]).unwrap();
        let values = ["user", "host", "port"].map(|name| config.get(name));
        assert_eq!(values, [Some("file"), Some("environment"), Some("3")]);
        Ok(())
    });
}

#[test]
fn a_parameter_that_is_set_again_is_replaced() {
    let setup = Setup::new();
    let config =
        setup.load(&[("url", "postgres://a"), ("url", "postgres://b"), ("port", "1"), ("port", "2")]);
    let config = config.unwrap();
    assert_eq!((config.get("host"), config.get("port")), (Some("b"), Some("2")));
}

#[test]
fn a_file_that_was_named_must_be_readable() {
    let setup = Setup::new().set("SQLTRACK_CONFIG_PATH", "no/such.conf");
    assert_eq!(
        setup.error(&[]),
        "the config file `no/such.conf` (from SQLTRACK_CONFIG_PATH) does not exist; \
         correct the path or create it"
    );
    let setup = Setup::new();
    let folder = setup.folder.path().to_str().unwrap().to_owned();
    let setup = setup.set("SQLTRACK_CONFIG_PATH", &folder);
    assert_eq!(setup.error(&[]), "cannot read the config file `DIR`: it is a directory; name a file");
    let setup = Setup::new().file(b"user = a\npassword = hunter2\xff\n");
    assert_eq!(
        setup.error(&[]),
        "cannot read the config file `DIR/test.conf`: line 2 is not valid UTF-8; save it as UTF-8"
    );
    let builder = Config::builder().environment(Environment::empty());
    let err = builder.path_from("no/such.conf", "--config-path").load().unwrap_err();
    assert!(err.to_string().contains("(from --config-path)"), "{err}");
}

#[test]
fn mistakes_name_file_and_line() {
    for (content, message) in [
        ("host = a\npassword hunter2\n", "DIR/test.conf:2: expected `name = value`"),
        ("host = a\nHost = b", "DIR/test.conf:2: this name is there already, in line 1; remove one"),
        ("\nhots = a", "unknown parameter `hots` from DIR/test.conf:2; did you mean `host`?"),
        (
            "password hunter2 = x",
            "DIR/test.conf:1 holds something that cannot be a parameter's name; \
             names are letters, digits and `_`",
        ),
        ("port = abc", "`port` from DIR/test.conf:1 is `abc`: expected a number from 1 to 65535"),
        ("engine = mysql", "`engine` from DIR/test.conf:1 is `mysql`: expected `postgres` or `sqlite`"),
        (
            "host = a\n  port = 1",
            "`host` from DIR/test.conf:1 is `a\\nport = 1`: it has several lines; \
             indented lines continue the value above them",
        ),
        (
            "url = postgres://u:hunter2@h:x/",
            "`url` from DIR/test.conf:1: its port is not a number from 1 to 65535",
        ),
        (
            "url = postgres://h\nhost = i",
            "`host` is set twice, by the url in DIR/test.conf:1 and by DIR/test.conf:2; remove one",
        ),
        (
            "channel_binding = require",
            "`channel_binding` from DIR/test.conf:1 is `require`: the driver cannot bind to the channel; \
             expected `prefer` or `disable`",
        ),
    ] {
        assert_eq!(Setup::new().file(content).error(&[]), message, "{content}");
    }
}

#[test]
fn mistakes_in_variables_and_parameters_name_them() {
    let error = |name: &str, value: &str| Setup::new().set(name, value).error(&[]);
    assert_eq!(
        error("SQLTRACK_DSN_HOTS", "x"),
        "unknown parameter `hots` from SQLTRACK_DSN_HOTS; did you mean `host`?"
    );
    assert_eq!(
        error("SQLTRACK_DSN_PORT", "0"),
        "`port` from SQLTRACK_DSN_PORT is `0`: expected a number from 1 to 65535"
    );
    assert_eq!(
        error("PGSSLMODE", "sometimes"),
        "`sslmode` from PGSSLMODE is `sometimes`: expected `disable` or `prefer` or `require` or \
         `verify-ca` or `verify-full`"
    );
    let twice = Setup::new().set("SQLTRACK_DSN_HOST", "a").set("SQLTRACK_DSN_host", "b").error(&[]);
    assert_eq!(twice, "`host` is set twice, by SQLTRACK_DSN_HOST and by SQLTRACK_DSN_host; remove one");
    assert_eq!(
        Setup::new().error(&[("port", "99999")]),
        "`port` from parameter is `99999`: expected a number from 1 to 65535"
    );
    assert_eq!(
        Setup::new().error(&[("engine", "sqlite"), ("dbpath", "a\0b")]),
        "`dbpath` from parameter is `a\\0b`: it contains a NUL character"
    );
}

#[test]
fn a_password_is_in_no_debug_output() {
    let setup = Setup::new().file("password = hunter2").set("SQLTRACK_DSN_URL", "postgres://u:hunter2@h/d");
    let env = Environment::from_iter(setup.variables.clone());
    let builder = Config::builder().environment(env).set("password", "hunter2");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let config = builder.load().unwrap();
    assert_eq!(config.get("password"), Some("hunter2"));
    assert!(!format!("{config:?} {:?}", config.settings().get("password")).contains("hunter2"));
    assert_eq!(config.settings().shown("password").as_deref(), Some("****"));
}

#[test]
fn a_file_with_a_byte_order_mark_and_odd_values_is_read() {
    let setup = Setup::new().file("\u{feff}[DEFAULT]\nPassword: %(a)s = # ; 'q'\n[other]\nhost = x\n");
    let config = setup.load(&[]).unwrap();
    assert_eq!((config.get("password"), config.get("host")), (Some("%(a)s = # ; 'q'"), None));
}

/// The book's tables are the table of parameters; this prints the rows that are missing.
#[test]
fn the_book_describes_every_parameter() {
    let page = include_str!("../../../docs/src/configuration.md");
    let rows = PARAMETERS.iter().map(|parameter| {
        let variable = parameter.variable.map(|name| format!("`{name}`")).unwrap_or_default();
        format!("| `{}` | {variable} | {} |", parameter.name, parameter.help)
    });
    let missing: Vec<_> = rows.filter(|row| !page.contains(row)).collect();
    assert!(missing.is_empty(), "docs/src/configuration.md lacks\n{}", missing.join("\n"));
}

#[test]
fn the_spool_is_off_unless_it_is_asked_for() {
    let setup = Setup::new().set("HOME", "/home/alice");
    let config = setup.load(&[]).unwrap();
    assert_eq!((config.spool(), config.spool_fsync()), (None, Fsync::Second));
    assert_eq!(config.spool_or_default(), Some("/home/alice/.local/state/sqltrack/spool".into()));
    let config = setup.load(&[("spool", "off"), ("spool_fsync", "never")]).unwrap();
    assert_eq!((config.spool(), config.spool_or_default(), config.spool_fsync()), (None, None, Fsync::Never));
    let config = setup.load(&[("spool", "here")]).unwrap();
    assert_eq!(config.spool(), Some("here".into()));
    let setup = setup.set("XDG_STATE_HOME", "/state");
    assert_eq!(setup.load(&[]).unwrap().spool_or_default(), Some("/state/sqltrack/spool".into()));
}

#[test]
fn parameters_of_the_spool_are_checked() {
    let setup = Setup::new();
    let message = "`spool_fsync` from parameter is `sometimes`: expected `never`, `second` or `always`";
    assert_eq!(setup.error(&[("spool_fsync", "sometimes")]), message);
}
