//! Connects to the ledger's PostgreSQL: hosts, user and TLS.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::ShipError;
use super::session::{LIMIT, Session};
use super::url::LedgerUrl;
use crate::domain::address::is_private;

/// The port of a host without one in the URL: PostgreSQL's default.
const PORT: u16 = 5432;

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

#[cfg(test)]
mod tests {
    use super::*;

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
