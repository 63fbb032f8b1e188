//! A headless Chromium, driven over the DevTools protocol through a pipe: no port, no driver to
//! match, and it ends with the test even when that is killed, because its pipe closes.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take before the test fails and says what it waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// A browser of its own, with a fresh profile.
pub struct Browser {
    child: RefCell<Child>,
    input: RefCell<ChildStdin>,
    output: RefCell<BufReader<ChildStdout>>,
    next_id: Cell<u64>,
    /// Console errors and exceptions of all pages, in order: a good page has none.
    complaints: RefCell<Vec<String>>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium. The shell moves the pipes to the descriptors 3 and 4 that it expects.
    pub fn launch() -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let program = ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find(|name| {
                Command::new(name)
                    .arg("--version")
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .is_ok()
            })
            .expect("Chromium, which `bin/setup tests` installs");
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(r#"exec "$0" "$@" 3<&0 4>&1 >/dev/null 2>&1 </dev/null"#)
            .arg(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--disable-dev-shm-usage", "--force-color-profile=srgb", "--hide-scrollbars"])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Chromium starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self {
            child: RefCell::new(child),
            input: RefCell::new(input),
            output: RefCell::new(output),
            next_id: Cell::new(1),
            complaints: RefCell::default(),
            _profile: profile,
        }
    }

    /// A page with cookies of its own: another person.
    pub fn page(&self) -> Page<'_> {
        let context = self.call(None, "Target.createBrowserContext", json!({}));
        let target = self.call(
            None,
            "Target.createTarget",
            json!({"url": "about:blank", "browserContextId": context["browserContextId"],
                   "width": 1320, "height": 860}),
        );
        let session = self.call(
            None,
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        let page = Page {
            browser: self,
            session: session["sessionId"].as_str().expect("a session").to_owned(),
        };
        // Several people's pages at once: each behaves as the one in front.
        page.call("Emulation.setFocusEmulationEnabled", json!({"enabled": true}));
        // A click during the fade between two pages would land on its picture.
        page.prefer(&[("prefers-reduced-motion", "reduce")]);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.call(domain, json!({}));
        }
        page
    }

    /// What pages complained about since the last call.
    pub fn take_complaints(&self) -> Vec<String> {
        std::mem::take(&mut self.complaints.borrow_mut())
    }

    fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.try_call(session, method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).expect("json");
        bytes.push(0);
        self.input.borrow_mut().write_all(&bytes).expect("Chromium listens");
        loop {
            let answer = self.receive();
            if answer["id"] == json!(id) {
                return match answer.get("error") {
                    Some(error) => Err(error["message"].to_string()),
                    None => Ok(answer["result"].clone()),
                };
            }
            self.note(&answer);
        }
    }

    fn receive(&self) -> Value {
        let mut bytes = Vec::new();
        self.output.borrow_mut().read_until(0, &mut bytes).expect("Chromium answers");
        assert_eq!(bytes.pop(), Some(0), "Chromium ended");
        serde_json::from_slice(&bytes).expect("json")
    }

    fn note(&self, event: &Value) {
        let params = &event["params"];
        let complaint = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                params["exceptionDetails"]["exception"]["description"].clone()
            }
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                json!(format!("{} {}", params["entry"]["text"], params["entry"]["url"]))
            }
            Some("Runtime.consoleAPICalled") if params["type"] == "error" => params["args"].clone(),
            _ => return,
        };
        self.complaints.borrow_mut().push(complaint.to_string());
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        let _gone = child.kill();
        let _reaped = child.wait();
    }
}

/// One page of the browser. Methods wait for what they need and panic with what they saw instead.
pub struct Page<'a> {
    browser: &'a Browser,
    session: String,
}

impl Page<'_> {
    fn call(&self, method: &str, params: Value) -> Value {
        self.browser.call(Some(&self.session), method, params)
    }

    /// Opens a URL and waits until it has loaded.
    pub fn goto(&self, url: &str) {
        self.eval("window.leaving = true");
        self.call("Page.navigate", json!({"url": url}));
        self.wait_until(
            "the page to load",
            "!window.leaving && document.readyState === 'complete'",
        );
    }

    /// The value of an expression, once the page can be asked.
    pub fn eval(&self, expression: &str) -> Value {
        let start = Instant::now();
        loop {
            let params =
                json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
            match self.browser.try_call(Some(&self.session), "Runtime.evaluate", params) {
                Ok(answer) if answer.get("exceptionDetails").is_none() => {
                    return answer["result"]["value"].clone();
                }
                Ok(answer) => panic!("{expression}: {}", answer["exceptionDetails"]),
                // The page is on its way to the next one.
                Err(_) if start.elapsed() < PATIENCE => std::thread::yield_now(),
                Err(error) => panic!("{expression}: {error}"),
            }
        }
    }

    /// Waits until an expression is true; panics with the page's text when it stays false.
    pub fn wait_until(&self, what: &str, expression: &str) {
        let start = Instant::now();
        while self.eval(&format!("Boolean({expression})")) != json!(true) {
            assert!(
                start.elapsed() < PATIENCE,
                "waited in vain for {what} at {}; complaints: {:?}; the page says:\n{}",
                self.eval("location.href"),
                self.browser.take_complaints(),
                self.eval("document.body ? document.body.innerText.slice(0, 3000) : ''")
            );
            // Chromium needs the core to get there; asking again at once would take it away.
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    /// Waits for an element.
    pub fn wait_for(&self, selector: &str) {
        self.wait_until(selector, &format!("document.querySelector({})", json!(selector)));
    }

    /// Waits until another page has come up, scripts and all.
    pub fn wait_for_path(&self, path: &str) {
        let here = format!(
            "document.readyState === 'complete' && location.pathname.startsWith({})",
            json!(path)
        );
        self.wait_until(path, &here);
    }

    /// Waits until the page shows a text.
    pub fn wait_for_text(&self, text: &str) {
        self.wait_until(
            text,
            &format!("document.body && document.body.innerText.includes({})", json!(text)),
        );
    }

    /// How many requests to addresses that hold `address` the page has answered from now until it shows a
    /// text: what a page that polls needs, however slow the machine is.
    pub fn looks_until(&self, address: &str, text: &str) -> u64 {
        self.eval(&format!(
            "(() => {{ const count = () => performance.getEntriesByType('resource').filter(e => e.name.includes({0})).length; \
             const before = count(); window.looks = null; const look = () => {{ if (window.looks === null && \
             document.body.innerText.includes({1})) window.looks = count() - before; }}; \
             new MutationObserver(look).observe(document.body, {{childList: true, subtree: true}}); look(); }})()",
            json!(address),
            json!(text)
        ));
        self.wait_until(text, "window.looks !== null");
        self.eval("window.looks").as_u64().expect("a count")
    }

    /// Loads the page again and again until an expression is true, as people do without scripts.
    pub fn reload_until(&self, what: &str, shown: &str) {
        let loaded = "document.readyState === 'complete'";
        self.wait_until(what, &format!("{loaded} && ({shown} || (location.reload(), false))"));
    }

    /// The visible text of the first such element.
    pub fn text(&self, selector: &str) -> String {
        self.wait_for(selector);
        let text = self.eval(&format!("document.querySelector({}).innerText", json!(selector)));
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// Where the page is: path and query.
    pub fn path(&self) -> String {
        self.eval("location.pathname + location.search").as_str().unwrap_or_default().to_owned()
    }

    /// Clicks the middle of the first such element with the mouse, as a person does.
    pub fn click(&self, selector: &str) {
        self.call("Page.bringToFront", json!({}));
        self.wait_for(selector);
        let place = self.eval(&format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
             const r = e.getClientRects()[0]; return [r.x + r.width / 2, r.y + r.height / 2]; }})()",
            json!(selector)
        ));
        let hit = self.eval(&format!(
            "(() => {{ const e = document.elementFromPoint({}, {}); const wanted = document.querySelector({}); \
             return !e ? 'nothing' : e === wanted || wanted.contains(e) ? '' : e.outerHTML.slice(0, 200); }})()",
            place[0], place[1], json!(selector)
        ));
        assert_eq!(hit, "", "{selector} is covered at {place}");
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            self.call(
                "Input.dispatchMouseEvent",
                json!({"type": kind, "x": place[0], "y": place[1], "button": button, "clickCount": 1}),
            );
        }
    }

    /// Replaces what stands in a field by typing.
    pub fn fill(&self, selector: &str, text: &str) {
        self.wait_for(selector);
        self.eval(&format!(
            "(() => {{ const e = document.querySelector({}); e.focus(); e.select?.(); }})()",
            json!(selector)
        ));
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Chooses an option of a select by its value and tells the page so.
    pub fn choose(&self, selector: &str, value: &str) {
        self.wait_for(selector);
        self.eval(&format!(
            "(() => {{ const e = document.querySelector({}); e.value = {}; \
             e.dispatchEvent(new Event('input', {{bubbles: true}})); e.dispatchEvent(new Event('change', {{bubbles: true}})); }})()",
            json!(selector), json!(value)
        ));
    }

    /// Chooses a file in a file field, as the system's own dialog would.
    pub fn choose_file(&self, selector: &str, file: &std::path::Path) {
        self.wait_for(selector);
        let element = self.call(
            "Runtime.evaluate",
            json!({"expression": format!("document.querySelector({})", json!(selector))}),
        );
        let params = json!({"files": [file], "objectId": element["result"]["objectId"]});
        self.call("DOM.setFileInputFiles", params);
    }

    /// Presses and releases a key: a character, or `Enter`, `Tab`, `Escape`, `ArrowDown`, `Space`.
    pub fn press(&self, key: &str) {
        let (code, key, text) = match key {
            "Enter" => (13, "Enter", "\r"),
            "Tab" => (9, "Tab", ""),
            "Escape" => (27, "Escape", ""),
            "ArrowDown" => (40, "ArrowDown", ""),
            "ArrowUp" => (38, "ArrowUp", ""),
            "Space" => (32, " ", " "),
            other => (0, other, other),
        };
        let mut down =
            json!({"type": if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "key": key});
        if code != 0 {
            down["windowsVirtualKeyCode"] = json!(code);
            down["code"] = json!(if key == " " { "Space" } else { key });
        }
        if !text.is_empty() {
            down["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", down);
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}),
        );
    }

    /// From the next page on, no script of the page runs.
    pub fn disable_javascript(&self) {
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    }

    /// The size of the window in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 640}),
        );
    }

    /// What the system says the person prefers: media features with their values.
    pub fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// A picture of the whole page as PNG.
    pub fn screenshot(&self, path: &std::path::Path) {
        let answer = self.call(
            "Page.captureScreenshot",
            json!({"format": "png", "captureBeyondViewport": true}),
        );
        let data = answer["data"].as_str().expect("a picture");
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data)
            .expect("base64");
        std::fs::write(path, bytes).expect("the picture is written");
    }
}
