//! The URL of the ledger's PostgreSQL.

use std::fmt;
use std::str::FromStr as _;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// The content of `ledger.url`, which has no password.
#[derive(Clone)]
pub struct LedgerUrl(pub(super) Config);

impl fmt::Debug for LedgerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LedgerUrl").field(&self.0.get_hosts()).finish()
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
    pub(super) fn is_plain(&self) -> bool {
        self.0.get_ssl_mode() == SslMode::Disable
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
}
