//! Pages in a real browser: what a script finds there, and what the browser has to say.

use std::process::{Command, Stdio};

/// What a look at a page gave.
#[derive(Debug)]
pub struct Looked {
    /// What the script returned.
    pub found: serde_json::Value,
    /// The messages of the console: errors, and whatever the page was kept from.
    pub console: Vec<String>,
    /// What the page has fetched besides itself.
    pub fetched: Vec<String>,
}

/// Opens a page, and runs a script there, the body of an `async` function, as a person would use the page.
///
/// # Panics
///
/// If the browser cannot be run, or the script fails.
pub fn look(page: &str, script: &str) -> Looked {
    let program = std::env::var_os("SQLTRACK_TEST_CHROMIUM").expect(
        "SQLTRACK_TEST_CHROMIUM is not set: install Chromium (Debian: `apt-get install chromium-headless-shell`) and \
         use `cargo xtask test`, or set it to the program",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let probe = format!(
        "<script>
        addEventListener('load', async () => {{
            const answer = document.createElement('pre');
            answer.id = 'answer';
            try {{
                const found = await (async () => {{ {script} }})();
                const fetched = performance.getEntriesByType('resource').map((entry) => entry.name);
                answer.textContent = 'done ' + JSON.stringify({{ found: found ?? null, fetched }});
            }} catch (error) {{
                answer.textContent = 'failed ' + error.stack;
            }}
            document.body.append(answer);
        }});
        </script>\n</body>"
    );
    std::fs::write(&file, page.replace("</body>", &probe)).unwrap();
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"])
        .args(["--window-size=1000,800", "--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let answer = dom.split_once("<pre id=\"answer\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (answer, _) = answer.unwrap_or_else(|| panic!("no answer of the page: {log}"));
    let answer =
        answer.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let answer = answer.strip_prefix("done ").unwrap_or_else(|| panic!("the script {answer}"));
    let mut answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    let fetched = serde_json::from_value(answer["fetched"].take()).unwrap();
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Looked { found: answer["found"].take(), console, fetched }
}
