//! The admin listener: liveness, readiness, metrics, the feed of news and the page for people. It belongs on a private
//! address.

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwap;
use tokio::sync::watch as watch_channel;

use crate::config::Settings;
use crate::domain::{Clock, LastTurn, ReportedSource};
use crate::metrics::Metrics;
use crate::rules::health;
use crate::store::Store;

mod feed;
mod guard;
mod monitor;
pub mod page;
mod readiness;
mod snapshot;
#[cfg(test)]
mod tests;

pub use guard::{Guard, Reach};
pub use monitor::{HealthFindings, monitor};

/// The state that the admin listener reads.
pub struct Admin {
    pub store: Store,
    pub metrics: Metrics,
    pub clock: Clock,
    pub sources: Vec<ReportedSource>,
    /// The names of the configured actions.
    pub actions: Vec<String>,
    /// Who may see data about orders and people.
    pub guard: Guard,
    /// `true` once the service stops: endless answers then end.
    pub stopping: watch_channel::Receiver<bool>,
    /// If fewer bytes than this are free on the disk, intake refuses.
    pub min_free: u64,
    /// Whether rows are removed by age (`store.keep`).
    pub forgets: bool,
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// The permits for concurrent views of the page.
    pub permits: page::ViewPermits,
    /// The worker's; `None` if it runs with `--no-worker`.
    pub last_turn: Option<LastTurn>,
}

/// The routes of the admin listener, for `App::configure`. A request uses the state that is current when it begins.
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
        "/readyz" => readiness::answer(&admin).await,
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

/// The metrics, with current gauges. If the store cannot be read, the queue lengths keep their last values, because
/// the other series matter most then.
async fn metrics(admin: &Admin) -> HttpResponse {
    let found = snapshot::take(admin, snapshot::WriteCheck::None).await;
    let growth = health::growth_per_day(&found.store.contents);
    admin.metrics.set_health(&found, growth, &health::warnings(&found));
    admin.metrics.committed(admin.store.commits());
    match admin.metrics.render() {
        Ok(text) => HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text),
        Err(error) => {
            log::error!("cannot render the metrics: {error:#}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
