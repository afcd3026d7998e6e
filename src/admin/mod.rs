//! The admin listener: whether the service is alive, whether it is ready, and what it counted. It names sources and
//! troubles, so it belongs on a private address.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use actix_web::http::{Method, header};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwap;
use tokio::sync::watch as watch_channel;

use crate::config::Settings;
use crate::domain::Clock;
use crate::metrics::Metrics;
use crate::rules::health;
use crate::store::{Reported, Store};

mod feed;
mod guard;
mod look;
pub mod page;
mod ready;
#[cfg(test)]
mod tests;
mod watch;

pub use guard::{Guard, Reach};
pub use watch::watch;

/// What the admin listener looks at.
pub struct Admin {
    /// The store.
    pub store: Store,
    /// What was counted.
    pub metrics: Metrics,
    /// The time.
    pub clock: Clock,
    /// The configured sources.
    pub sources: Vec<Reported>,
    /// The names of the configured actions.
    pub actions: Vec<String>,
    /// Who may see what is said about orders.
    pub guard: Guard,
    /// Told when the service stops: what goes on without end then ends.
    pub stopping: watch_channel::Receiver<bool>,
    /// With less free disk, in bytes, intake refuses.
    pub min_free: u64,
    /// Whether rows go by themselves after a while (`store.keep`).
    pub forgets: bool,
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// How many views of the page may be open at once.
    pub turns: page::Turns,
    /// When the worker last took its turn, in milliseconds since 1970; `None`: no worker was asked for.
    pub heartbeat: Option<Arc<AtomicI64>>,
}

/// Everything that the admin listener serves, for `App::configure`. A request is answered by what is in force when it
/// begins.
pub fn routes(admin: Data<ArcSwap<Admin>>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |app| {
        app.app_data(admin).default_service(web::to(answer));
    }
}

async fn answer(req: HttpRequest, payload: web::Payload, in_force: Data<ArcSwap<Admin>>) -> HttpResponse {
    let admin = in_force.load_full();
    let is_read = matches!(*req.method(), Method::GET | Method::HEAD);
    match req.uri().path() {
        "/healthz" | "/readyz" | "/metrics" | "/news" if !is_read => HttpResponse::MethodNotAllowed()
            .insert_header((header::ALLOW, "GET, HEAD"))
            .content_type("text/plain; charset=utf-8")
            .body("only GET\n"),
        "/healthz" => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok"),
        "/readyz" => ready::answer(&admin).await,
        "/metrics" => metrics(&admin).await,
        "/news" => match admin.guard.refuse(&req) {
            Some(refusal) => refusal,
            None => feed::answer(&req, &admin).await,
        },
        _ if admin.settings.admin.page => match admin.guard.refuse(&req) {
            Some(refusal) => page::contained(refusal),
            None => page::answer(&admin, &req, payload).await,
        },
        _ => HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("not found; there are /healthz, /readyz, /metrics and /news\n"),
    }
}

/// The counters, with the gauges as the store and its disk are now. A store that cannot be read leaves the queues' last
/// lengths: the other series matter most then.
async fn metrics(admin: &Admin) -> HttpResponse {
    let found = look::look(admin, look::Attempt::None).await;
    let growth = health::growth_per_day(&found.store.contents);
    admin.metrics.looked_at(&found, growth, &health::warnings(&found));
    admin.metrics.committed(admin.store.commits());
    match admin.metrics.render() {
        Ok(text) => HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text),
        Err(error) => {
            log::error!("the metrics could not be written: {error:#}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
