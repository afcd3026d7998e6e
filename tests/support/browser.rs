//! Chromium, driven by the WebDriver protocol: the few of its commands that the tests of the page need.

use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Request;

/// How long a command may take: a busy machine starts a browser slowly.
const PATIENCE: Duration = Duration::from_secs(120);

/// The name under which the protocol gives an element's id.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
];

/// A browser with a profile of its own; closed when dropped.
pub(crate) struct Browser {
    driver: Child,
    addr: SocketAddr,
    session: String,
    _said: Lines<BufReader<ChildStdout>>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser. Without Chromium the test fails: `apt-get install chromium chromium-driver`.
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts; install it: apt-get install chromium chromium-driver");
        let mut said = BufReader::new(driver.stdout.take().expect("what it says")).lines();
        let port = said.by_ref().map_while(Result::ok).find_map(|line| {
            let rest = line.split("successfully on port ").nth(1)?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let addr = SocketAddr::from(([127, 0, 0, 1], port.expect("its port")));
        let profile = tempfile::tempdir().expect("a folder");
        let arguments = ARGUMENTS.map(str::to_owned).into_iter();
        let arguments: Vec<_> =
            arguments.chain([format!("--user-data-dir={}", profile.path().display())]).collect();
        let mut browser = Self { driver, addr, session: String::new(), _said: said, _profile: profile };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let made = browser.ask("POST", "/session", &wanted);
        browser.session = format!("/session/{}", made["sessionId"].as_str().expect("a session"));
        browser
    }

    /// Chromedriver's answer, which may be an error.
    #[track_caller]
    fn answer(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::new(method, path).header("Content-Type", "application/json");
        let request = if method == "POST" { request.body(body.to_string()) } else { request };
        let mut stream = TcpStream::connect(self.addr).expect("chromedriver");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(&request.bytes(self.addr)).expect("a command");
        answer(stream).expect("an answer")
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.answer(method, path, body);
        let failed = answer["value"]["error"].is_string();
        assert!(!failed, "{method} {path} {body}: {answer}");
        answer["value"].clone()
    }

    #[track_caller]
    fn command(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Sets the window's width, in CSS pixels, and the preferred colours: `light` or `dark`.
    pub(crate) fn set_window(&self, width: u32, scheme: &str) {
        let screen = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Opens a page and waits until everything is loaded: on a busy machine the driver answers before the style is.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.command("/url", &json!({ "url": url }));
        self.wait_until("return document.readyState === 'complete'");
    }

    /// What a script returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until a script returns true; it runs with each frame that the browser draws.
    #[track_caller]
    pub(crate) fn wait_until(&self, script: &str) {
        let wanted = format!(
            "const is = () => {{ {script} }};
             return new Promise((done) => {{ const look = () => is() ? done(true) : requestAnimationFrame(look); look(); }});"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Scripts end with their page; then the next page runs it.
            let answer = self.answer(
                "POST",
                &format!("{}/execute/sync", self.session),
                &json!({ "script": wanted, "args": [] }),
            );
            if answer["value"] == true {
                return;
            }
            assert!(Instant::now() < deadline, "waited in vain for {script}: {answer}");
        }
    }

    /// The text of the page.
    pub(crate) fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Clicks the first element that a selector finds.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        self.click_found("css selector", selector);
    }

    /// Clicks the innermost link or button that shows this text.
    #[track_caller]
    pub(crate) fn click_text(&self, text: &str) {
        self.click_found(
            "xpath",
            &format!("//*[self::a or self::button][contains(normalize-space(.), '{text}')]"),
        );
    }

    #[track_caller]
    fn click_found(&self, using: &str, selector: &str) {
        let found = self.command("/element", &json!({ "using": using, "value": selector }));
        let id = found[ELEMENT].as_str().expect("an element");
        self.command(&format!("/element/{id}/click"), &json!({}));
    }

    /// Presses keys one after the other.
    pub(crate) fn press(&self, keys: &str) {
        let each = |key: char| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let keys: Vec<Value> = keys.chars().flat_map(each).collect();
        self.command(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] }),
        );
    }

    /// The lines of the console since the last call: errors and violations of the content security policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", &json!({ "type": "browser" }));
        log.as_array().into_iter().flatten().map(Value::to_string).collect()
    }

    /// Saves a picture of the page, at most `height` high, if `COUNTERSIGN_PICTURES` names a folder.
    pub(crate) fn picture(&self, name: &str, height: u32) {
        use base64::Engine as _;
        let Some(folder) = std::env::var_os("COUNTERSIGN_PICTURES") else { return };
        let size = self.run("return [innerWidth, document.documentElement.scrollHeight]");
        let height = size[1].as_u64().unwrap_or_default().min(u64::from(height));
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": height, "scale": 1 });
        let taken =
            self.devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true, "clip": clip }));
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap_or_default());
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, bytes.expect("a picture")).expect("the picture is kept");
    }
}

/// The JSON of an answer. Only its length says where it ends: a browser that has just started holds the connection open.
fn answer(stream: TcpStream) -> std::io::Result<Value> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &self.session.clone(), &Value::Null);
        } else if let Ok(mut stream) = TcpStream::connect(self.addr) {
            let request = Request::new("DELETE", &self.session).bytes(self.addr);
            drop(stream.write_all(&request));
            drop(answer(stream));
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
