//! What `pando serve` prints when it is ready.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;

/// The facts worth telling.
pub struct Banner<'a> {
    /// Where clients reach the API.
    pub public_url: &'a str,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// Where metrics are.
    pub metrics: Option<SocketAddr>,
    /// The publishable key.
    pub publishable: &'a str,
    /// The data directory.
    pub data: &'a Path,
    /// The folder mail is written to, without a mail server.
    pub mail: Option<&'a Path>,
    /// Migrations that just ran.
    pub migrated: &'a [String],
    /// Tables anybody with a key can read and write.
    pub unprotected: &'a [String],
}

impl Banner<'_> {
    /// The text, a fact a line.
    pub fn text(&self) -> String {
        let mut lines = vec![("API", format!("{}://{}", self.scheme, self.listen))];
        if self.listen.ip().is_unspecified()
            && let Some(address) = lan_address()
        {
            let reachable = SocketAddr::new(address, self.listen.port());
            lines[0].1 = format!("{}://127.0.0.1:{}", self.scheme, self.listen.port());
            lines.push((
                "LAN",
                format!("{}://{reachable}   for phones and emulators", self.scheme),
            ));
        }
        if self.public_url != lines[0].1 {
            lines.push(("public", self.public_url.to_owned()));
        }
        lines.push(("publishable", format!("{}   for apps", self.publishable)));
        lines.push((
            "secret",
            "`pando keys` shows it   for your servers alone".to_owned(),
        ));
        if let Some(metrics) = self.metrics {
            lines.push(("metrics", format!("http://{metrics}/metrics")));
        }
        lines.push(("data", self.data.display().to_string()));
        if let Some(mail) = self.mail {
            lines.push((
                "mail",
                format!(
                    "is written to {}, because smtp.url is not set",
                    mail.display()
                ),
            ));
        }
        if !self.migrated.is_empty() {
            lines.push(("migrated", self.migrated.join(", ")));
        }
        let mut text = String::from("Pando is ready.\n");
        for (label, fact) in lines {
            // Writing to a String does not fail.
            let _written = writeln!(text, "  {label:<12} {fact}");
        }
        if !self.unprotected.is_empty() {
            let _written = writeln!(
                text,
                "  WARNING      without row-level security, and reachable by every key: {}",
                self.unprotected.join(", ")
            );
        }
        text
    }
}

/// This machine's address towards the network. Nothing is sent: connecting a datagram socket only chooses a route.
fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
        .filter(|address| !address.is_loopback() && !address.is_unspecified())
}
