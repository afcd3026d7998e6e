//! A mail server of an owner's on loopback: remembers the mails that it took, and answers as it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// The addresses that were taken.
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

/// What comes back for a line.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// This line.
    Line(&'static str),
    /// Nothing, for ever.
    Hang,
    /// The end of the connection.
    Drop,
}

/// Gets each line (`greeting` for the connection, `.` for the end of a mail); `None`: the usual answer.
type Script = Box<dyn FnMut(&str) -> Option<Say> + Send>;

struct Inner {
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
    /// One that takes everything.
    pub(crate) fn new() -> Self {
        Self::answering(|_| None)
    }

    pub(crate) fn answering(script: impl FnMut(&str) -> Option<Say> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let addr = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner {
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
                // A client that is gone is no fault.
                std::thread::spawn(move || drop(inner.serve(stream)));
            }
        });
        Self { addr, inner }
    }

    /// From now on it answers otherwise.
    pub(crate) fn answer(&self, script: impl FnMut(&str) -> Option<Say> + Send + 'static) {
        *self.inner.script.lock().expect("a script") = Box::new(script);
    }

    /// The lines of `[mail]`.
    pub(crate) fn lines_of_mail(&self) -> String {
        format!("smtp = \"smtp://{}\"\nfrom = \"countersign@example.test\"\n", self.addr)
    }

    /// The mails that it took so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.inner.mails.lock().expect("mails").clone()
    }

    /// Every line that it was sent outside of mails.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.inner.lines.lock().expect("lines").clone()
    }

    /// Waits until it took so many mails.
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
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut to = Vec::new();
        if !self.say("greeting", "220 mail.example.test", &mut stream)? {
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
                "EHLO" => "250-mail.example.test\r\n250 AUTH PLAIN LOGIN",
                "AUTH" => "235 let in",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            let is_taken = self.say(&command, usual, &mut stream)?;
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
                    if !self.say(".", "250 queued as 42", &mut stream)? {
                        self.mails.lock().expect("mails").pop();
                    }
                    self.came.notify_all();
                }
                _ => {}
            }
        }
    }

    /// Answers a line; whether by success.
    fn say(&self, line: &str, usual: &'static str, stream: &mut TcpStream) -> std::io::Result<bool> {
        let said = (self.script.lock().expect("a script"))(line).unwrap_or(Say::Line(usual));
        match said {
            Say::Line(answer) => {
                stream.write_all(format!("{answer}\r\n").as_bytes())?;
                Ok(answer.starts_with(['2', '3']))
            }
            Say::Hang => {
                self.open.lock().expect("connections").push(stream.try_clone()?);
                Ok(false)
            }
            Say::Drop => {
                stream.shutdown(std::net::Shutdown::Both)?;
                Ok(false)
            }
        }
    }
}
