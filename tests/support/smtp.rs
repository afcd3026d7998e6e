//! A mail server on loopback that keeps the mails it accepts; a test may script its answers.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivatePkcs8KeyDer;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// An accepted mail.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// The accepted addresses.
    pub(crate) to: Vec<String>,
    /// Everything between `DATA` and the dot.
    pub(crate) text: String,
}

impl Mail {
    /// A header, its folds undone.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.split("\r\n").find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// What follows the headers, soft line ends of quoted-printable undone.
    pub(crate) fn body(&self) -> String {
        self.text.split_once("\r\n\r\n").map(|(_, body)| body.replace("=\r\n", "")).unwrap_or_default()
    }
}

/// The answer to a line.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// This line.
    Line(&'static str),
    /// Nothing; the connection stays open.
    Hang,
    /// A line that does not end.
    Endless,
    /// The connection is closed.
    Drop,
}

/// Chooses the answer to each line (`greeting` is the connection, `.` the end of a mail); `None`: the usual one.
type Script = Box<dyn FnMut(&str) -> Option<Say> + Send>;

/// How the connection is encrypted.
#[derive(Clone)]
pub(crate) enum Encryption {
    Nothing,
    Wrapped(Arc<ServerConfig>),
    StartTls(Arc<ServerConfig>),
}

/// Keys of a server of this name, certified by an authority whose certificate is written to a file.
pub(crate) fn certified(name: &str, authority_file: &Path) -> Arc<ServerConfig> {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).expect("a certificate").pem();
    std::fs::write(authority_file, pem).expect("a file");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &Issuer::new(authority, authority_key)).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into());
    Arc::new(config.expect("a configuration"))
}

trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

struct Inner {
    encryption: Encryption,
    mails: Mutex<Vec<Mail>>,
    lines: Mutex<Vec<String>>,
    came: Condvar,
    script: Mutex<Script>,
    open: Mutex<Vec<TcpStream>>,
}

/// A listening mail server.
#[derive(Clone)]
pub(crate) struct MailServer {
    pub(crate) addr: SocketAddr,
    inner: Arc<Inner>,
}

impl MailServer {
    /// A server that accepts everything.
    pub(crate) fn new() -> Self {
        Self::answering(|_| None)
    }

    pub(crate) fn answering(script: impl FnMut(&str) -> Option<Say> + Send + 'static) -> Self {
        Self::encrypting(Encryption::Nothing, script)
    }

    pub(crate) fn encrypting(
        encryption: Encryption,
        script: impl FnMut(&str) -> Option<Say> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let addr = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner {
            encryption,
            mails: Mutex::default(),
            lines: Mutex::default(),
            came: Condvar::new(),
            script: Mutex::new(Box::new(script)),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let inner = Arc::clone(&serving);
                // An error means that the client is gone.
                std::thread::spawn(move || drop(inner.serve(&stream)));
            }
        });
        Self { addr, inner }
    }

    /// Replaces the script.
    pub(crate) fn answer(&self, script: impl FnMut(&str) -> Option<Say> + Send + 'static) {
        *self.inner.script.lock().expect("a script") = Box::new(script);
    }

    /// The lines of `[mail]`.
    pub(crate) fn lines_of_mail(&self) -> String {
        format!("smtp = \"smtp://{}\"\nfrom = \"countersign@example.test\"\n", self.addr)
    }

    /// The mails accepted so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.inner.mails.lock().expect("mails").clone()
    }

    /// Every line received, except those of mails.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.inner.lines.lock().expect("lines").clone()
    }

    /// Waits until it has accepted `count` mails.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Mail> {
        let deadline = Instant::now() + PATIENCE;
        let mut mails = self.inner.mails.lock().expect("mails");
        while mails.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "only {} of {count} mails came: {mails:#?}", mails.len());
            mails = self.inner.came.wait_timeout(mails, left).expect("mails").0;
        }
        mails.clone()
    }
}

impl Inner {
    fn serve(&self, tcp: &TcpStream) -> std::io::Result<()> {
        let encrypted = |config: &Arc<ServerConfig>| -> std::io::Result<BufReader<Box<dyn Stream>>> {
            let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
            Ok(BufReader::new(Box::new(StreamOwned::new(connection, tcp.try_clone()?))))
        };
        let mut reader = match &self.encryption {
            Encryption::Wrapped(config) => encrypted(config)?,
            _ => BufReader::new(Box::new(tcp.try_clone()?) as Box<dyn Stream>),
        };
        let mut is_encrypted = matches!(self.encryption, Encryption::Wrapped(_));
        let mut to = Vec::new();
        if !self.say("greeting", "220 mail.example.test", &mut reader, tcp)? {
            return Ok(());
        }
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let command = line.trim_end().to_owned();
            self.lines.lock().expect("lines").push(command.clone());
            let word = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let usual = match word.as_str() {
                "EHLO" if matches!(self.encryption, Encryption::StartTls(_)) && !is_encrypted => {
                    "250-mail.example.test\r\n250 STARTTLS"
                }
                "EHLO" => "250-mail.example.test\r\n250 AUTH PLAIN LOGIN",
                "AUTH" => "235 let in",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            let is_taken = self.say(&command, usual, &mut reader, tcp)?;
            if let ("STARTTLS", Encryption::StartTls(config)) = (word.as_str(), &self.encryption) {
                is_encrypted = true;
                reader = encrypted(config)?;
            }
            match word.as_str() {
                "QUIT" => return Ok(()),
                "RCPT" if is_taken => {
                    to.push(command[9..].trim_end_matches('>').to_owned());
                }
                "DATA" if is_taken => {
                    let mut text = String::new();
                    while !text.ends_with("\r\n.\r\n") {
                        if reader.read_line(&mut text)? == 0 {
                            return Ok(());
                        }
                    }
                    text.truncate(text.len() - 5);
                    // Kept before the answer: a client may ask at once.
                    let mail = Mail { to: std::mem::take(&mut to), text };
                    self.mails.lock().expect("mails").push(mail);
                    if !self.say(".", "250 queued as 42", &mut reader, tcp)? {
                        self.mails.lock().expect("mails").pop();
                    }
                    self.came.notify_all();
                }
                _ => {}
            }
        }
    }

    /// Answers a line; returns whether that was a success.
    fn say(
        &self,
        line: &str,
        usual: &'static str,
        reader: &mut BufReader<Box<dyn Stream>>,
        tcp: &TcpStream,
    ) -> std::io::Result<bool> {
        let stream = reader.get_mut();
        let said = (self.script.lock().expect("a script"))(line).unwrap_or(Say::Line(usual));
        match said {
            Say::Line(answer) => {
                stream.write_all(format!("{answer}\r\n").as_bytes())?;
                stream.flush()?;
                Ok(answer.starts_with(['2', '3']))
            }
            Say::Hang => {
                self.open.lock().expect("connections").push(tcp.try_clone()?);
                Ok(false)
            }
            Say::Endless => loop {
                stream.write_all(&[b'2'; 4096])?;
            },
            Say::Drop => {
                tcp.shutdown(std::net::Shutdown::Both)?;
                Ok(false)
            }
        }
    }
}
