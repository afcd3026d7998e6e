//! Connections to the ledger's PostgreSQL: hosts, user, TLS and timeouts.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::ShipError;
use crate::domain::address::is_private;

/// Timeout of one statement, and of one attempt to connect.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// Timeout of a disconnect, and of cancelling a statement.
const GOODBYE: Duration = Duration::from_secs(2);

/// PostgreSQL's default port.
const PORT: u16 = 5432;

/// The content of `ledger.url`, which has no password.
#[derive(Clone)]
pub struct LedgerUrl(Config);

impl fmt::Debug for LedgerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.0.get_hosts()).finish()
    }
}

impl LedgerUrl {
    /// Parses a URL. Missing parts take PostgreSQL's defaults: port 5432, and the user's name as the
    /// database.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its key. They do not repeat it, because it may contain a
    /// password.
    pub fn parse(url: &str) -> Result<Self, String> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("must begin with postgres://".to_owned());
        }
        // TLS is always verified, so `require` here means what libpq calls verify-full.
        let url = url.replace("sslmode=verify-full", "sslmode=require");
        let url = url.replace("sslmode=verify-ca", "sslmode=require");
        let mut config = Config::from_str(&url).map_err(|error| {
            let why =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            format!("is not a PostgreSQL URL ({why}); write postgres://USER@HOST/DATABASE")
        })?;
        if config.get_password().is_some() {
            return Err("holds a password; give it as ledger.password, ledger.password_file or \
                        COUNTERSIGN_LEDGER_PASSWORD"
                .to_owned());
        }
        if config.get_user().is_none() {
            return Err("names no user; write postgres://USER@HOST/DATABASE".to_owned());
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("names no host; write postgres://USER@HOST/DATABASE".to_owned());
        }
        if !config.get_hostaddrs().is_empty() {
            return Err("names a hostaddr; write the address as the host".to_owned());
        }
        let (hosts, ports) = (config.get_hosts().len(), config.get_ports().len());
        if ports > 1 && ports != hosts {
            return Err(format!("names {hosts} hosts and {ports} ports; give each host its port"));
        }
        if config.get_application_name().is_none() {
            config.application_name("countersign");
        }
        Ok(Self(config))
    }

    /// Whether it asks for no encryption.
    fn is_plain(&self) -> bool {
        self.0.get_ssl_mode() == SslMode::Disable
    }
}

/// Whether a connection is encrypted; an error if it must be and may not be.
fn is_encrypted(asked: SslMode, has_ca: bool, address: IpAddr) -> Result<bool, String> {
    match asked {
        SslMode::Disable if is_private(address) => Ok(false),
        SslMode::Disable => Err(format!(
            "sslmode=disable in ledger.url, and {address} is beyond this machine and private networks; take it out"
        )),
        SslMode::Prefer if !has_ca => Ok(!is_private(address)),
        _ => Ok(true),
    }
}

/// Connects to one database.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    has_ca: bool,
    tls: MakeRustlsConnect,
}

impl Connector {
    /// Connects to `target`; the server's certificate is verified against `ca_file`, otherwise against the
    /// system's certificates.
    ///
    /// # Errors
    /// `ca_file` cannot be read or contains no certificate; without it, the system's certificates cannot be
    /// read.
    pub(super) fn new(
        target: &LedgerUrl,
        password: Option<&SecretString>,
        ca_file: Option<&Path>,
    ) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("cannot set up TLS: {error}"))?;
        let tls = match ca_file {
            Some(file) => builder.with_root_certificates(roots(file)?).with_no_client_auth(),
            None => builder
                .with_platform_verifier()
                .map_err(|error| format!("cannot read the system's certificates: {error}"))?
                .with_no_client_auth(),
        };
        let mut config = target.0.clone();
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        config.connect_timeout(LIMIT);
        // Of several hosts, the writable one is wanted; a standby would refuse every batch.
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let has_ca = ca_file.is_some() && !target.is_plain();
        Ok(Self { config, has_ca, tls: MakeRustlsConnect::new(tls) })
    }

    /// Connects to the first host that answers; resolves each name again.
    ///
    /// # Errors
    /// The failure of the last host tried.
    pub(super) async fn connect(&self) -> Result<Session, ShipError> {
        let mut last = ShipError::Lost("ledger.url names no host".to_owned());
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            let ports = self.config.get_ports();
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(PORT);
            match self.connect_to(host, port).await {
                Ok(session) => return Ok(session),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    async fn connect_to(&self, host: &Host, port: u16) -> Result<Session, ShipError> {
        let name = match host {
            Host::Tcp(name) => name,
            Host::Unix(folder) => {
                let mut config = self.for_one(port, SslMode::Disable);
                config.host_path(folder);
                let shown = folder.join(format!(".s.PGSQL.{port}"));
                return self.attempt(&config, &shown.display().to_string()).await;
            }
        };
        let found = tokio::time::timeout(LIMIT, tokio::net::lookup_host((name.as_str(), port))).await;
        let found = found.map_err(|_| ShipError::Lost(format!("resolving {name} took over 30 s")))?;
        let found = found.map_err(|error| ShipError::Lost(format!("{name} cannot be resolved: {error}")))?;
        let mut last = ShipError::Lost(format!("{name} has no address"));
        for address in found.map(|address| address.ip()) {
            let ssl_mode = match is_encrypted(self.config.get_ssl_mode(), self.has_ca, address) {
                Ok(true) => SslMode::Require,
                Ok(false) => SslMode::Disable,
                Err(why) => {
                    last = ShipError::Refused(why);
                    continue;
                }
            };
            let mut config = self.for_one(port, ssl_mode);
            config.host(name).hostaddr(address);
            match self.attempt(&config, &format!("{name}:{port}")).await {
                Ok(session) => return Ok(session),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    /// The configuration without its hosts.
    fn for_one(&self, port: u16, ssl_mode: SslMode) -> Config {
        let mut config = Config::new();
        let known = &self.config;
        config.port(port).ssl_mode(ssl_mode).connect_timeout(LIMIT);
        config.ssl_negotiation(known.get_ssl_negotiation());
        config.channel_binding(known.get_channel_binding());
        config.target_session_attrs(known.get_target_session_attrs());
        if let Some(user) = known.get_user() {
            config.user(user);
        }
        if let Some(password) = known.get_password() {
            config.password(password);
        }
        if let Some(database) = known.get_dbname() {
            config.dbname(database);
        }
        if let Some(options) = known.get_options() {
            config.options(options);
        }
        if let Some(name) = known.get_application_name() {
            config.application_name(name);
        }
        config
    }

    async fn attempt(&self, config: &Config, shown: &str) -> Result<Session, ShipError> {
        let connecting = tokio::time::timeout(LIMIT, config.connect(self.tls.clone()));
        let (client, connection) = connecting
            .await
            .map_err(|_| ShipError::Lost(format!("{shown} did not let us in within 30 s")))?
            .map_err(|error| match ShipError::from(error) {
                ShipError::Lost(why) => ShipError::Lost(format!("{shown}: {why}")),
                other => other,
            })?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!("the ledger's connection ended: {}", ShipError::from(error));
            }
        });
        Ok(Session { client: Some(client), tls: self.tls.clone(), driver })
    }
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let shown = file.display();
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(|error| format!("ledger.ca_file {shown} cannot be read: {error}"))?;
    for certificate in certificates {
        let certificate =
            certificate.map_err(|error| format!("ledger.ca_file {shown} is not a PEM file: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("ledger.ca_file {shown} holds a wrong certificate: {error}"))?;
    }
    if roots.is_empty() {
        return Err(format!("ledger.ca_file {shown} holds no certificate"));
    }
    Ok(roots)
}

/// A parameter and its type. Without the type, the library would prepare a named statement.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One connection. No statement on it has a name, and nothing outlives its transaction, so a pooler may run
/// each transaction in another session.
pub(super) struct Session {
    /// `None` once it is closed.
    client: Option<Client>,
    tls: MakeRustlsConnect,
    driver: JoinHandle<()>,
}

impl Session {
    /// Sends one unnamed statement; returns the number of rows changed.
    ///
    /// # Errors
    /// PostgreSQL's error, or a timeout after [`LIMIT`]; then the statement is cancelled, and the session
    /// must be dropped.
    pub(super) async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, ShipError> {
        self.within_limit(self.client()?.execute_typed(sql, parameters)).await
    }

    /// Sends one unnamed statement; returns its rows.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub(super) async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, ShipError> {
        self.within_limit(self.client()?.query_typed(sql, parameters)).await
    }

    /// Sends several statements without parameters as one message.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub(super) async fn run(&self, sql: &str) -> Result<(), ShipError> {
        self.within_limit(self.client()?.batch_execute(sql)).await
    }

    /// Runs `work` in a transaction, which is committed if it succeeds.
    ///
    /// # Errors
    /// Those of `work` and of [`Session::execute`]. If the connection is lost at the end, the transaction may
    /// have been committed.
    pub(super) async fn transaction<T>(
        &self,
        work: impl Future<Output = Result<T, ShipError>>,
    ) -> Result<T, ShipError> {
        self.run("BEGIN").await?;
        let done = work.await;
        match &done {
            Ok(_) => self.run("COMMIT").await?,
            // PostgreSQL rolls it back by itself.
            Err(ShipError::Lost(_) | ShipError::Timeout) => {}
            Err(_) => self.run("ROLLBACK").await?,
        }
        done
    }

    async fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, ShipError> {
        match tokio::time::timeout(LIMIT, work).await {
            Ok(done) => Ok(done?),
            Err(_) => {
                let cancelling = self.client()?.cancel_token();
                // If that fails, PostgreSQL notices by itself that the connection is gone.
                drop(tokio::time::timeout(GOODBYE, cancelling.cancel_query(self.tls.clone())).await);
                Err(ShipError::Timeout)
            }
        }
    }

    fn client(&self) -> Result<&Client, ShipError> {
        self.client.as_ref().ok_or_else(|| ShipError::Lost("the connection is closed".to_owned()))
    }

    /// Closes the connection properly, if the server still responds.
    pub(super) async fn close(mut self) {
        self.client = None;
        drop(tokio::time::timeout(GOODBYE, &mut self.driver).await);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_what_is_needed_is_refused_and_never_repeated() {
        for (url, wanted) in [
            ("mysql://a@b/c", "must begin with postgres://"),
            ("postgres://a:hunter2@b/c", "holds a password"),
            ("postgres://a@b/c?password=hunter2", "holds a password"),
            ("postgres://b/c", "names no user"),
            ("postgres://a@/c", "names no host"),
            ("postgres://a@b/c?hostaddr=10.0.0.1", "names a hostaddr"),
            ("postgres://a@b/c?hunter2=on", "is not a PostgreSQL URL"),
            ("postgres://a@b:port/c", "is not a PostgreSQL URL"),
        ] {
            let why = LedgerUrl::parse(url).map(|_| ()).unwrap_err();
            assert!(why.contains(wanted), "{url}: {why}");
            assert!(!why.contains("hunter2") || url.contains("hunter2=on"), "{url}: {why}");
        }
    }

    #[test]
    fn several_hosts_sockets_and_what_libpq_writes_are_understood() {
        for url in [
            "postgres://a@b/c",
            "postgresql://a@b:6432,c:5433,[::1]/d?sslmode=verify-full",
            "postgres://a@/c?host=/run/postgresql",
            "postgres://a@%2Frun%2Fpostgresql/c",
            "postgres://a@b/c?sslmode=require&channel_binding=require&application_name=shop",
        ] {
            LedgerUrl::parse(url).unwrap_or_else(|why| panic!("{url}: {why}"));
        }
    }

    #[test]
    fn nothing_leaves_private_networks_unencrypted() {
        for (asked, has_ca, address, wanted) in [
            (SslMode::Prefer, false, "127.0.0.1", Some(false)),
            (SslMode::Prefer, false, "10.1.2.3", Some(false)),
            (SslMode::Prefer, false, "fd00::1", Some(false)),
            (SslMode::Prefer, false, "192.0.2.7", Some(true)),
            (SslMode::Prefer, true, "127.0.0.1", Some(true)),
            (SslMode::Require, false, "127.0.0.1", Some(true)),
            (SslMode::Disable, false, "127.0.0.1", Some(false)),
            (SslMode::Disable, false, "192.0.2.7", None),
        ] {
            let found = is_encrypted(asked, has_ca, address.parse().unwrap());
            assert_eq!(found.ok(), wanted, "{asked:?} {has_ca} {address}");
        }
    }
}
