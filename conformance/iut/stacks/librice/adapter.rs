// SPDX-License-Identifier: GPL-2.0-or-later
//! The adapter of librice: an agent with one stream for each session. Its sockets, connections and framing are librice's own.
//!
//! librice gathers on every interface but loopback, and UDP as well as TCP; its caller decides which gathered candidates
//! it keeps, and so obeys the tester's wish for TCP alone. Credentials, role and the SDP around the candidates are also
//! its caller's (role: adapter, sdp: candidates). It has no restart. Some checks make it loop for ever, or end the process:
//! each session has a process of its own, so that no other pays for that.
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use librice::agent::{Agent, AgentMessage};
use librice::candidate::{Candidate, CandidateApi, TransportType};
use librice::component::{Component, ComponentConnectionState};
use librice::random_string;
use librice::stream::{Credentials, Stream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, watch};

extern crate rice_proto as _; // librice calls it by its C API, which is linked from here

const NO_METHOD: i64 = -32601;
const NO_PARAMS: i64 = -32602;
const REJECTED: i64 = -32010;
const INTERNAL: i64 = -32603;
const METHODS: [&str; 6] = ["open", "describe", "accept", "trickle", "send", "close"];

type Refusal = (i64, String);
type Answer = Result<Value, Refusal>;

/// What was stdout when we began. What libraries print there goes to stderr: rice-proto logs its errors so.
static OUT: LazyLock<Mutex<File>> = LazyLock::new(|| {
    let ours = std::io::stdout().as_fd().try_clone_to_owned().unwrap();
    // SAFETY: both are open, and nothing has been written yet.
    assert!(unsafe { libc::dup2(2, 1) } == 1, "stdout cannot be redirected");
    Mutex::new(File::from(ours))
});

fn write(mut line: Value) {
    line["jsonrpc"] = json!("2.0");
    let mut out = OUT.lock().unwrap();
    if out.write_all(format!("{line}\n").as_bytes()).is_err() {
        std::process::exit(0); // nobody listens any more
    }
}

fn tell(method: &str, params: Value) {
    write(json!({"method": method, "params": params}));
}

fn hello() -> Value {
    json!({
        "name": "librice", "version": env!("STACK_VERSION"),
        "pics": {
            "agent": ["full"], "sides": ["offerer", "answerer"], "offers": ["active", "passive"],
            "connects": ["active", "passive"], "transports": ["tcp", "udp"], "families": [4, 6],
            "obeys": ["transports"], "role": "adapter", "components": 2, "restart": false, "trickle": true,
            "consent": false, "sdp": "candidates", "profile": "plain", "payload": "raw",
            "reports": ["state", "selected", "data"], "sessions": 1,
        },
    })
}

/// One session. Its calls are served in order by one task.
struct Session {
    name: String,
    offering: bool,
    wished: Vec<String>,
    agent: Agent,
    stream: Stream,
    components: Vec<Component>,
    local: (String, String),
    gathered: watch::Receiver<bool>,
    kept: Arc<Mutex<Vec<String>>>, // the candidates that were gathered and kept
    trickling: Arc<Mutex<bool>>,
    begun: bool,
}

fn candidates(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().filter(|line| line.starts_with("a=candidate:"))
}

fn value<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

impl Session {
    fn open(name: &str, params: &Value) -> Result<Self, Refusal> {
        let servers = params["ice_servers"].as_array().is_some_and(|servers| !servers.is_empty());
        if params["media"] == "bytes" || params["agent"] == "lite" || servers {
            return Err((NO_PARAMS, "packets, full ICE, host candidates: more is not driven".into()));
        }
        let count = params["components"].as_u64().unwrap_or(1);
        let offering = params["side"] == "offerer";
        let words = |key: &str| -> Vec<String> {
            let list = params[key].as_array().cloned().unwrap_or_default();
            list.iter().filter_map(|word| word.as_str().map(String::from)).collect()
        };
        let agent = Agent::builder().trickle_ice(true).controlling(offering).build();
        let stream = agent.add_stream();
        let local = (random_string(8), random_string(24));
        stream.set_local_credentials(&Credentials::new(&local.0, &local.1));
        let components: Result<Vec<_>, _> = (0..count).map(|_| stream.add_component()).collect();
        let components = components.map_err(|error| (INTERNAL, error.to_string()))?;
        for component in &components {
            tokio::spawn(receive(name.to_string(), component.clone()));
        }
        let (done, gathered) = watch::channel(false);
        let session = Session {
            name: name.to_string(), offering, wished: words("transports"), agent, stream, components, local, gathered,
            kept: Arc::default(), trickling: Arc::default(), begun: false,
        };
        tokio::spawn(session.follow(done));
        Ok(session)
    }

    /// Tell what the agent says, and keep what it gathers, until it is closed.
    fn follow(&self, done: watch::Sender<bool>) -> impl Future<Output = ()> + Send + use<> {
        let (name, wished) = (self.name.clone(), self.wished.clone());
        let (kept, trickling) = (self.kept.clone(), self.trickling.clone());
        let mut left = self.components.len();
        let mut messages = self.agent.messages();
        async move {
            while let Some(message) = messages.next().await {
                match message {
                    AgentMessage::GatheredCandidate(stream, gathered) => {
                        let candidate = gathered.candidate();
                        let transport = if candidate.transport() == TransportType::Tcp { "tcp" } else { "udp" };
                        let text = candidate.to_sdp_string();
                        if !wished.is_empty() && !wished.iter().any(|one| one == transport) {
                            continue;
                        }
                        if stream.add_local_gathered_candidate(gathered) {
                            if *trickling.lock().unwrap() {
                                let value = text.trim_start_matches("a=");
                                tell("candidate", json!({"session": name, "candidate": value, "mid": "0"}));
                            } else {
                                kept.lock().unwrap().push(text);
                            }
                        }
                    }
                    AgentMessage::GatheringComplete(_) => {
                        left -= 1;
                        if left == 0 {
                            if *trickling.lock().unwrap() {
                                tell("candidate", json!({"session": name, "candidate": "", "mid": "0"}));
                            }
                            let _ = done.send(true);
                        }
                    }
                    AgentMessage::ComponentStateChange(component, state) => told_state(&name, &component, state),
                }
            }
        }
    }

    async fn gather(&mut self, trickling: bool) -> Result<(), Refusal> {
        if !self.begun {
            self.begun = true;
            *self.trickling.lock().unwrap() = trickling;
            self.stream.gather_candidates().await.map_err(|error| (INTERNAL, error.to_string()))?;
        }
        if !trickling {
            let _ = self.gathered.wait_for(|done| *done).await;
        }
        Ok(())
    }

    /// Write the SDP. The stack chooses no default candidate: the first passive one stands in the m-line.
    async fn describe(&mut self, params: &Value) -> Answer {
        self.gather(params["trickle"] == true).await?;
        let kept = self.kept.lock().unwrap();
        let passive = kept.iter().find(|line| line.contains("tcptype passive"));
        let words: Vec<&str> = passive.map(|line| line.split(' ').collect()).unwrap_or_default();
        let (address, port) = if words.len() > 5 { (words[4], words[5]) } else { ("0.0.0.0", "9") };
        let place = format!("IN IP{} {address}", if address.contains(':') { 6 } else { 4 });
        let mut sdp = format!("v=0\r\no=- 1 1 {place}\r\ns=-\r\nt=0 0\r\n");
        if params["trickle"] == true {
            sdp += "a=ice-options:trickle\r\n";
        }
        sdp += &format!("m=audio {port} TCP/RTP/AVP 0\r\nc={place}\r\na=mid:0\r\n");
        sdp += &format!("a=setup:{}\r\na=connection:new\r\n", if self.offering { "actpass" } else { "active" });
        if self.components.len() == 1 {
            sdp += "b=RS:0\r\nb=RR:0\r\n";
        }
        sdp += &format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", self.local.0, self.local.1);
        for line in kept.iter() {
            sdp += &format!("{line}\r\n");
        }
        Ok(json!({"type": if self.offering { "offer" } else { "answer" }, "sdp": sdp}))
    }

    fn accept(&mut self, params: &Value) -> Answer {
        let sdp = params["sdp"].as_str().unwrap_or_default();
        let (Some(ufrag), Some(pwd)) = (value(sdp, "ice-ufrag"), value(sdp, "ice-pwd")) else {
            return Err((REJECTED, "no ICE credentials".into()));
        };
        if self.stream.remote_credentials().is_some() {
            return Err((NO_PARAMS, "librice has neither restarts nor later descriptions".into()));
        }
        self.stream.set_remote_credentials(&Credentials::new(ufrag, pwd));
        for line in candidates(sdp) {
            self.add(line)?;
        }
        if value(sdp, "ice-options").is_none_or(|options| !options.split(' ').any(|one| one == "trickle")) {
            self.stream.end_of_remote_candidates();
        }
        Ok(json!({}))
    }

    fn add(&self, line: &str) -> Result<(), Refusal> {
        let candidate = Candidate::from_sdp_string(line).map_err(|error| (REJECTED, format!("{error:?}")))?;
        self.stream.add_remote_candidate(&candidate);
        Ok(())
    }

    fn trickle(&self, params: &Value) -> Answer {
        match params["candidate"].as_str().unwrap_or_default() {
            "" => self.stream.end_of_remote_candidates(),
            candidate => self.add(&format!("a={candidate}"))?,
        }
        Ok(json!({}))
    }

    async fn send(&self, params: &Value) -> Answer {
        let octets = STANDARD.decode(params["data"].as_str().unwrap_or_default());
        let octets = octets.map_err(|error| (NO_PARAMS, error.to_string()))?;
        let number = params["component"].as_u64().unwrap_or(1) as usize;
        let component = self.components.get(number - 1).ok_or((NO_PARAMS, "no such component".into()))?;
        component.send(&octets).await.map_err(|error| (INTERNAL, error.to_string()))?;
        Ok(json!({}))
    }
}

fn told_state(name: &str, component: &Component, state: ComponentConnectionState) {
    let word = match state {
        ComponentConnectionState::New => "new",
        ComponentConnectionState::Connecting => "checking",
        ComponentConnectionState::Connected => "connected",
        ComponentConnectionState::Failed => "failed",
    };
    let number = component.id();
    if let Some(pair) = component.selected_pair() {
        let (local, remote) = (pair.local.to_sdp_string(), pair.remote.to_sdp_string());
        let (local, remote) = (local.trim_start_matches("a="), remote.trim_start_matches("a="));
        tell("selected", json!({"session": name, "component": number, "local": local, "remote": remote}));
    }
    tell("state", json!({"session": name, "component": number, "state": word}));
}

async fn receive(name: String, component: Component) {
    let mut data = std::pin::pin!(component.recv());
    while let Some(octets) = data.next().await {
        let text = STANDARD.encode(&*octets);
        tell("data", json!({"session": name, "component": component.id(), "data": text}));
    }
}

fn answer(id: &Value, outcome: Answer) {
    write(match outcome {
        Ok(result) => json!({"id": id, "result": result}),
        Err((code, message)) => json!({"id": id, "error": {"code": code, "message": message}}),
    });
}

async fn serve(name: String, mut calls: mpsc::UnboundedReceiver<Value>) {
    let mut session: Option<Session> = None;
    while let Some(call) = calls.recv().await {
        let (id, method, params) = (&call["id"], call["method"].as_str().unwrap_or_default(), &call["params"]);
        let outcome = match (method, session.as_mut()) {
            ("open", None) => match Session::open(&name, params) {
                Ok(opened) => {
                    session = Some(opened);
                    Ok(json!({}))
                }
                Err(refusal) => Err(refusal),
            },
            ("describe", Some(session)) => session.describe(params).await,
            ("accept", Some(session)) => session.accept(params),
            ("trickle", Some(session)) => session.trickle(params),
            ("send", Some(session)) => session.send(params).await,
            ("close", Some(session)) => {
                session.agent.close();
                Ok(json!({}))
            }
            _ => Err((NO_PARAMS, "no such session".into())),
        };
        answer(id, outcome);
        if method == "close" {
            return;
        }
    }
}

fn main() {
    LazyLock::force(&OUT);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut sessions: HashMap<String, mpsc::UnboundedSender<Value>> = HashMap::new();
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(call) = serde_json::from_str::<Value>(&line) else {
                eprintln!("no JSON-RPC: {line}");
                continue;
            };
            let method = call["method"].as_str().unwrap_or_default().to_string();
            let name = call["params"]["session"].as_str().unwrap_or_default().to_string();
            if method == "hello" {
                answer(&call["id"], Ok(hello()));
            } else if !METHODS.contains(&method.as_str()) {
                answer(&call["id"], Err((NO_METHOD, "no such method".into())));
            } else {
                if method == "open" {
                    let (sender, receiver) = mpsc::unbounded_channel();
                    tokio::spawn(serve(name.clone(), receiver));
                    sessions.insert(name.clone(), sender);
                }
                let (id, known) = (call["id"].clone(), sessions.get(&name).cloned());
                if method == "close" {
                    sessions.remove(&name);
                }
                if known.is_none_or(|calls| calls.send(call).is_err()) {
                    answer(&id, Err((NO_PARAMS, "no such session".into())));
                }
            }
        }
    });
    std::process::exit(0); // not waiting for connections that are still open
}
