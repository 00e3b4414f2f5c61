//! Letters over SMTP (RFC 5321), TLS by rustls, connections pooled.

use super::{MailError, Transport};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use pando_kernel::Secret;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A relay.
#[derive(Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Smtp {
    /// Reads `smtps://user:password@host:port`, or `smtp://..?tls=required`. Connects at the first letter.
    ///
    /// # Errors
    /// When the URL can't be read.
    pub fn open(url: &Secret<String>) -> Result<Smtp, MailError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose())?;
        Ok(Smtp {
            transport: builder.timeout(Some(Duration::from_secs(15))).build(),
        })
    }
}

impl Transport for Smtp {
    fn send(
        &self,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(async move {
            self.transport.send(message).await?;
            Ok(())
        })
    }
}
