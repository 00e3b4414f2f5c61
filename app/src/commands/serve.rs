//! `pando serve`.

use crate::banner::Banner;
use crate::config::{Config, LOG_FORMATS};
use crate::instance::{self, Instance};
use crate::output::say;
use anyhow::{Context, Result, bail};
use pando_net::{HttpMetrics, NetConfig, Network, TlsFiles};
use pando_telemetry::LogFormat;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Serves until it is asked to stop, then answers what it has accepted.
pub async fn serve(config: &Config) -> Result<()> {
    let format = match config.choice("log.format", LOG_FORMATS)? {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    };
    let _logs = pando_telemetry::init_logs(format, config.text("log.filter").unwrap_or("info"))?;
    let mut stop = stop_signals()?;

    let tls = tls(config)?;
    let listen = config
        .address("listen")?
        .context("listen must say where the API is served")?;
    let listener = pando_net::bind(listen)
        .await
        .context("listen for the API")?;
    let metrics_listener = match config.address("metrics_listen")? {
        Some(address) => Some(
            pando_net::bind(address)
                .await
                .context("listen for the metrics")?,
        ),
        None => None,
    };
    let listen = listener.local_addr().context("find out the port")?;
    let url = public_url(config, Some(listen))?;

    let mut instance = Instance::open_to_serve(config).await?;
    let migrated = instance.migrate_team(config).await?;
    let routes = instance.routes(config, &url)?;
    instance.schedule_backups(config)?;
    let http_metrics = HttpMetrics::register(&mut instance.registry);

    // From here on nothing registers; what is measured is only read.
    let registry = Arc::new(std::mem::take(&mut instance.registry));

    let metrics_address = metrics_listener
        .as_ref()
        .map(|listener| listener.local_addr())
        .transpose()?;
    let mail = config
        .text("smtp.url")
        .is_none()
        .then(|| instance::mail_folder(config));
    let shown = instance.keys.shown();
    let banner = Banner {
        public_url: &url,
        listen,
        scheme: if tls.is_some() { "https" } else { "http" },
        metrics: metrics_address,
        publishable: &shown.publishable,
        data: &instance::data_directory(config),
        mail: mail.as_deref(),
        migrated: &migrated,
        unprotected: &unprotected(config, &instance.db)?,
    };
    say(&banner.text())?;
    if let Some(listener) = metrics_listener {
        let mut stop = stop.clone();
        let registry = registry.clone();
        tokio::spawn(async move {
            let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
            pando_net::serve_metrics(listener, registry, stopped).await;
        });
    }

    let net = NetConfig {
        limits: instance.limits.clone(),
        tls,
        trusted_proxies: trusted_proxies(config)?,
        drain_notice: config.drain_notice()?,
    };
    let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
    pando_net::serve(
        listener,
        routes,
        instance.keys.clone(),
        net,
        http_metrics,
        stopped,
    )
    .await?;
    instance.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// The URL clients use, without a slash at its end: as configured, else where we listen.
pub fn public_url(config: &Config, listen: Option<SocketAddr>) -> Result<String> {
    if let Some(url) = config.text("public_url") {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            bail!("public_url must start with http:// or https://, not {url:?}");
        }
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let scheme = if config.text("tls.cert").is_some() {
        "https"
    } else {
        "http"
    };
    let listen = match listen {
        Some(listen) => listen,
        None => config
            .address("listen")?
            .context("listen must say where the API is served")?,
    };
    let host = if listen.ip().is_unspecified() {
        SocketAddr::from(([127, 0, 0, 1], listen.port()))
    } else {
        listen
    };
    Ok(format!("{scheme}://{host}"))
}

fn tls(config: &Config) -> Result<Option<TlsFiles>> {
    match (config.path("tls.cert"), config.path("tls.key")) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        _ => bail!("tls.cert and tls.key are set together or not at all"),
    }
}

fn trusted_proxies(config: &Config) -> Result<Vec<Network>> {
    let texts = config.list("trusted_proxies");
    texts
        .iter()
        .map(|text| text.parse().context("read trusted_proxies"))
        .collect()
}

/// Exposed tables that every key can read and write, where the team allows such.
fn unprotected(config: &Config, db: &pando_db::Db) -> Result<Vec<String>> {
    if !config.switch("data.allow_unprotected")? {
        return Ok(Vec::new());
    }
    let exposed = config.list("data.schemas");
    let catalog = db.catalog();
    let tables = catalog.tables.values().filter(|table| {
        !table.rls_enabled && table.view.is_none() && exposed.contains(&table.schema)
    });
    Ok(tables
        .map(|table| format!("{}.{}", table.schema, table.name))
        .collect())
}

/// Becomes true at SIGTERM or SIGINT. A second one ends the process at once.
fn stop_signals() -> Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        for count in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if count > 0 {
                std::process::exit(130);
            }
            sender.send_replace(true);
        }
    });
    Ok(receiver)
}
