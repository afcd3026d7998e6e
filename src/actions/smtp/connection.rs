//! A connection to the mail server, with bounds on time and bytes, encrypted unless it stays on this machine.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::SmtpError;
use super::address::{Security, SmtpUrl};
use crate::domain::error_chain::innermost;

/// Maximum number of bytes that the server may send on one connection: a few hundred replies and the
/// certificates. The library reads a line to its end, however long it is.
const MOST: usize = 128 * 1024;

/// TLS settings; built once, because that reads the system's root certificates.
#[derive(Clone)]
pub(super) enum Tls {
    None,
    Wrapped(Arc<ClientConfig>),
    Upgraded(Box<TlsParameters>),
}

impl Tls {
    /// # Errors
    /// Why TLS cannot be set up, in plain words.
    pub(super) fn for_server(url: &SmtpUrl) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("TLS cannot be set up: {error}");
        Ok(match url.security {
            Security::Loopback => Self::None,
            Security::Wrapped => {
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let config = ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .and_then(|builder| Ok(builder.with_platform_verifier()?.with_no_client_auth()))
                    .map_err(|error| wrong(&error))?;
                Self::Wrapped(Arc::new(config))
            }
            Security::StartTls => {
                let parameters = TlsParameters::new(url.host.clone()).map_err(|error| wrong(&error))?;
                Self::Upgraded(Box::new(parameters))
            }
        })
    }
}

/// Connects and reads the server's capabilities; negotiates TLS if it is required.
pub(super) async fn open(url: &SmtpUrl, tls: &Tls) -> Result<AsyncSmtpConnection, SmtpError> {
    let addresses = resolve(url).await.map_err(SmtpError::Unreachable)?;
    let unreachable = |error: io::Error| SmtpError::Unreachable(innermost(&error).to_string());
    let tcp = TcpStream::connect(&addresses[..]).await.map_err(unreachable)?;
    let peer = tcp.peer_addr().map_err(unreachable)?;
    let hello = ClientId::default();
    match tls {
        Tls::None => speak(Bounded::new(tcp, peer), &hello).await,
        Tls::Upgraded(parameters) => {
            let mut connection = speak(Bounded::new(tcp, peer), &hello).await?;
            connection.starttls((**parameters).clone(), &hello).await?;
            Ok(connection)
        }
        Tls::Wrapped(config) => {
            let name = ServerName::try_from(url.host.clone())
                .map_err(|error| SmtpError::Unreachable(error.to_string()))?;
            let wrapped = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await;
            speak(Bounded::new(wrapped.map_err(unreachable)?, peer), &hello).await
        }
    }
}

async fn speak(
    stream: impl AsyncTokioStream + 'static,
    hello: &ClientId,
) -> Result<AsyncSmtpConnection, SmtpError> {
    Ok(AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello).await?)
}

/// Resolves the host; an unencrypted connection is limited to loopback addresses.
async fn resolve(url: &SmtpUrl) -> Result<Vec<SocketAddr>, String> {
    let SmtpUrl { host, port, security, .. } = url;
    let found = tokio::net::lookup_host((host.as_str(), *port)).await;
    let found = found.map_err(|error| format!("{host} cannot be resolved: {error}"))?;
    let found: Vec<SocketAddr> =
        found.filter(|address| *security != Security::Loopback || address.ip().is_loopback()).collect();
    if found.is_empty() { Err(format!("{host} does not lead to this machine")) } else { Ok(found) }
}

/// A stream that reads no more than [`MOST`] bytes.
#[derive(Debug)]
struct Bounded<S> {
    stream: S,
    peer: SocketAddr,
    left: usize,
}

impl<S> Bounded<S> {
    fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, left: MOST }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other(format!("it sent more than {} KiB", MOST / 1024))));
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(self.left.min(buffer.remaining())));
        let read = Pin::new(&mut self.stream).poll_read(context, &mut part);
        let count = part.filled().len();
        buffer.advance(count);
        self.left -= count;
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> AsyncTokioStream for Bounded<S>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
