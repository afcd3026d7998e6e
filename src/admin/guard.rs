//! Decides who may see data about orders and people, and under which host names the admin listener may be
//! called. Health, readiness and metrics are open to all.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::uri::Authority;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// Headers that a proxy adds. A request through a proxy may come from anywhere.
const OF_A_PROXY: [&str; 3] = ["x-forwarded-for", "forwarded", "via"];

/// The number of wrong passwords from an address before it gets one try a second.
const FREE_TRIES: u32 = 5;

/// The minimum time between two tries after that.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// After this long without a try, an address starts anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// Maximum number of remembered addresses; beyond it, the one that was quiet longest is forgotten.
const MOST_ADDRESSES: usize = 10_000;

/// Who can reach the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Programs and people on this machine alone.
    Loopback,
    /// Other machines too, over the network.
    Beyond,
}

/// The check; clones share the remembered wrong passwords.
#[derive(Clone, Debug)]
pub struct Guard {
    password: Option<SecretString>,
    hosts: Vec<String>,
    reach: Reach,
    tries: Tries,
}

impl Guard {
    /// Admits requests with `password`. Without one, admits requests from this machine, if the listener can
    /// be reached only from there. `hosts` are further host names, in lower case.
    #[must_use]
    pub fn new(password: Option<SecretString>, hosts: Vec<String>, reach: Reach) -> Self {
        Self { password, hosts, reach, tries: Tries::default() }
    }

    /// The same check under new settings.
    #[must_use]
    pub fn renewed(&self, password: Option<SecretString>, hosts: Vec<String>) -> Self {
        Self { password, hosts, reach: self.reach, tries: self.tries.clone() }
    }

    /// Whether anything but health is served.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.password.is_some() || self.reach == Reach::Loopback
    }

    /// The refusal of a request; `None` if it is admitted.
    pub fn refuse(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let peer = request.peer_addr().map(|peer| peer.ip());
        match self.judge(request.headers(), host(request), peer, Instant::now()) {
            Ok(()) => None,
            Err(refusal) => Some(refusal.answer()),
        }
    }

    fn judge(
        &self,
        headers: &HeaderMap,
        host: Option<&str>,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<(), Refusal> {
        if !self.is_open() {
            return Err(Refusal::Closed);
        }
        if !host.is_some_and(|host| self.is_ours(host)) {
            return Err(Refusal::Host);
        }
        let Some(password) = &self.password else {
            let is_proxied = OF_A_PROXY.iter().any(|name| headers.contains_key(*name));
            return if is_proxied { Err(Refusal::Proxied) } else { Ok(()) };
        };
        let given = given_password(headers);
        self.tries.judge(peer, now, given.map(|given| is_equal(&given, password.expose_secret())))
    }

    /// Whether a Host header names this machine: as localhost, by an IP address, or by one of its host names.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        let name = name.to_ascii_lowercase();
        name == "localhost" || name.parse::<IpAddr>().is_ok() || self.hosts.contains(&name)
    }
}

/// The host of a request, from its header or its target.
fn host(request: &HttpRequest) -> Option<&str> {
    let mut given = request.headers().get_all(header::HOST);
    match (given.next(), given.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, _) => request.uri().authority().map(Authority::as_str),
        (Some(_), Some(_)) => None,
    }
}

/// The password of HTTP Basic, with any user name.
fn given_password(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    decoded.get(colon + 1..).map(<[u8]>::to_vec)
}

/// Compares in constant time, whatever the lengths.
fn is_equal(given: &[u8], password: &str) -> bool {
    let (given, password) = (digest(&SHA256, given), digest(&SHA256, password.as_bytes()));
    given.as_ref().ct_eq(password.as_ref()).into()
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The listener can be reached from other machines, and there is no password.
    Closed,
    /// The host name is not allowed.
    Host,
    /// It came through a proxy, and there is no password.
    Proxied,
    /// No password, or a wrong one.
    Password,
    /// Too many wrong passwords; the value is the wait in seconds.
    Wait(u64),
}

impl Refusal {
    fn answer(self) -> HttpResponse {
        let (mut answer, said) = match self {
            Self::Closed => {
                (HttpResponse::NotFound(), "not found; beyond loopback this needs [admin] password\n")
            }
            Self::Host => (
                HttpResponse::MisdirectedRequest(),
                "this host name is not allowed; add it to [admin] hosts\n",
            ),
            Self::Proxied => (
                HttpResponse::Forbidden(),
                "this request came through a proxy, which needs [admin] password\n",
            ),
            Self::Password => (HttpResponse::Unauthorized(), "the password is missing or wrong\n"),
            Self::Wait(_) => (HttpResponse::TooManyRequests(), "too many wrong passwords; try again later\n"),
        };
        match self {
            Self::Password => {
                answer.insert_header((
                    header::WWW_AUTHENTICATE,
                    "Basic realm=\"countersign\", charset=\"UTF-8\"",
                ));
            }
            Self::Wait(seconds) => {
                answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Self::Closed | Self::Host | Self::Proxied => {}
        }
        answer.content_type("text/plain; charset=utf-8").body(said)
    }
}

/// The wrong passwords of each address.
#[derive(Clone, Debug, Default)]
struct Tries(Arc<Mutex<BTreeMap<Option<IpAddr>, Wrong>>>);

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

impl Tries {
    /// Judges a try; `None`: it had no password, which is how a browser begins.
    fn judge(&self, peer: Option<IpAddr>, now: Instant, is_right: Option<bool>) -> Result<(), Refusal> {
        let Some(is_right) = is_right else { return Err(Refusal::Password) };
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tries.get(&peer).copied();
        let known = known.filter(|wrong| now.saturating_duration_since(wrong.last) < FORGOTTEN_AFTER);
        if let Some(wrong) = known
            && wrong.count >= FREE_TRIES
            && now.saturating_duration_since(wrong.last) < TRY_EVERY
        {
            return Err(Refusal::Wait(TRY_EVERY.as_secs()));
        }
        if is_right {
            tries.remove(&peer);
            return Ok(());
        }
        if tries.len() >= MOST_ADDRESSES
            && let Some(quietest) = tries.iter().min_by_key(|(_, wrong)| wrong.last).map(|(peer, _)| *peer)
        {
            tries.remove(&quietest);
        }
        let count = known.map_or(0, |wrong| wrong.count).saturating_add(1);
        tries.insert(peer, Wrong { count, last: now });
        Err(Refusal::Password)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn guard(password: Option<&str>, reach: Reach) -> Guard {
        Guard::new(password.map(SecretString::from), vec!["vps.example.com".to_owned()], reach)
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn only_names_of_this_machine_reach_it() {
        let guard = guard(None, Reach::Loopback);
        for (host, is_ours) in [
            ("localhost", true),
            ("LocalHost:8081", true),
            ("127.0.0.1:8081", true),
            ("[::1]:8081", true),
            ("[::1]", true),
            ("192.168.1.7", true),
            ("VPS.example.com:443", true),
            ("evil.example.com", false),
            ("vps.example.com.evil.example", false),
            ("localhost.evil.example", false),
            ("", false),
        ] {
            assert_eq!(guard.is_ours(host), is_ours, "{host}");
        }
    }

    #[test]
    fn without_a_password_loopback_may_and_a_proxy_and_the_world_may_not() {
        let now = Instant::now();
        let judge = |guard: &Guard, pairs: &[(&str, &str)]| {
            guard.judge(&headers(pairs), Some("localhost:8081"), None, now)
        };
        let here = guard(None, Reach::Loopback);
        assert_eq!(judge(&here, &[]), Ok(()));
        for name in ["X-Forwarded-For", "Forwarded", "Via"] {
            assert_eq!(judge(&here, &[(name, "192.0.2.1")]), Err(Refusal::Proxied), "{name}");
        }
        assert_eq!(judge(&guard(None, Reach::Beyond), &[]), Err(Refusal::Closed));
        assert_eq!(here.judge(&headers(&[]), None, None, now), Err(Refusal::Host));
    }

    #[test]
    fn with_a_password_any_user_name_and_also_a_proxy_will_do() {
        let guard = guard(Some("a:b word"), Reach::Beyond);
        let judge = |value: &str| {
            let headers = headers(&[("Authorization", value), ("Via", "1.1 proxy")]);
            guard.judge(&headers, Some("vps.example.com"), None, Instant::now())
        };
        assert_eq!(judge(&basic("", "a:b word")), Ok(()));
        assert_eq!(judge(&basic("someone", "a:b word").replace("Basic", "bAsIc")), Ok(()));
        for wrong in [basic("", "a:b"), basic("", ""), "Basic ?".to_owned(), "Bearer x".to_owned()] {
            assert_eq!(judge(&wrong), Err(Refusal::Password), "{wrong}");
        }
    }

    #[test]
    fn after_five_wrong_passwords_an_address_gets_one_try_a_second() {
        let guard = guard(Some("right"), Reach::Beyond);
        let start = Instant::now();
        let judge = |password: &str, peer: u8, ms: u64| {
            let headers = headers(&[("Authorization", &basic("", password))]);
            let peer = Some(IpAddr::from([192, 0, 2, peer]));
            guard.judge(&headers, Some("localhost"), peer, start + Duration::from_millis(ms))
        };
        for ms in 0..5 {
            assert_eq!(judge("wrong", 1, ms), Err(Refusal::Password));
        }
        assert_eq!(judge("right", 1, 500), Err(Refusal::Wait(1)));
        assert_eq!(judge("right", 2, 500), Ok(()), "another address");
        assert_eq!(judge("wrong", 1, 1_100), Err(Refusal::Password));
        assert_eq!(judge("wrong", 1, 1_200), Err(Refusal::Wait(1)));
        assert_eq!(judge("right", 1, 2_200), Ok(()));
        assert_eq!(judge("wrong", 1, 2_201), Err(Refusal::Password), "a right one begins anew");
        for ms in 2_202..2_206 {
            assert_eq!(judge("wrong", 1, ms), Err(Refusal::Password));
        }
        assert_eq!(judge("wrong", 1, 3_000), Err(Refusal::Wait(1)));
        assert_eq!(judge("wrong", 1, 2_205 + 900_000), Err(Refusal::Password), "forgotten");
        assert_eq!(judge("right", 1, 2_206 + 900_000), Ok(()));
    }
}
