//! The whole thing on simulated shops: the real service, real HTTP, a real SQLite file, and recorded notifications, true
//! and forged, of every format. It needs no account and no configuration, and it checks itself against the contract.
//!
//! `scenes` is what is sent and what has to become of it · `recording`, `request` make an HTTP request of a scene ·
//! `post` sends it · `sources` names the five formats · `shops` are the simulated shops · `folder` is where the
//! configuration and the store stay afterwards · `report` compares.

mod folder;
mod post;
mod recording;
mod report;
mod request;
mod scenes;
mod shops;
mod sources;

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::Settings;
use crate::domain::{Reason, State};
use crate::service::{Options, Service};
use crate::store::Moved;

pub use report::Report;
pub use scenes::{SCENES, Scene, Verdict};
pub use sources::Source;

use folder::Folder;
use shops::DemoShops;

/// When to stop waiting: a machine that needs longer than this shows nothing but its own slowness.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of a notification, so that it can be told.
#[derive(Debug)]
pub struct Event {
    /// Which notification.
    pub scene: &'static Scene,
    /// Its id in the store; `None` where it was refused.
    pub id: Option<i64>,
    /// Where it stands now: settled, refused, or waiting for a reason that the scene is about.
    pub verdict: Verdict,
    /// Why, in plain words; empty where there is nothing to add.
    pub detail: String,
}

/// A notification that was sent.
struct Sent {
    scene: &'static Scene,
    answer: post::Answer,
    /// Its id, where it was stored.
    id: Option<i64>,
    /// The reasons for which it has waited.
    waited_for: Vec<Reason>,
    is_done: bool,
}

/// A running demo.
pub struct Demo {
    folder: Folder,
    shops: DemoShops,
    service: Service,
    moves: mpsc::UnboundedReceiver<Moved>,
    sent: Vec<Sent>,
    untold: VecDeque<Event>,
    began: Instant,
}

impl Demo {
    /// Starts the shops and the service on free loopback ports, in a new folder for temporary files.
    ///
    /// # Errors
    /// The folder cannot be written, no port is free, or the service does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let shops = DemoShops::open().context("cannot start the simulated shops")?;
        let folder = Folder::create(&shops)?;
        let settings = Settings::load(folder.config(), |_| None)
            .map_err(|mistakes| anyhow::anyhow!("the demo's own configuration is wrong: {mistakes}"))?;
        let (moves, moved) = mpsc::unbounded_channel();
        let options = Options { moves: Some(moves), ..Options::default() };
        let service = Service::start(&settings, options).await?;
        let (sent, untold) = (Vec::new(), VecDeque::new());
        Ok(Self { folder, shops, service, moves: moved, sent, untold, began: Instant::now() })
    }

    /// What happens next; `None` once every notification is settled or refused, or when it took too long.
    ///
    /// # Errors
    /// The service does not answer, the store cannot be read, or the shop that was down does not come back.
    pub async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            if let Some(event) = self.untold.pop_front() {
                return Ok(Some(event));
            }
            if let Some(scene) = SCENES.get(self.sent.len()) {
                self.send(scene).await?;
                while let Ok(moved) = self.moves.try_recv() {
                    self.note(&moved).await?;
                }
            } else if self.sent.iter().all(|sent| sent.is_done) {
                return Ok(None);
            } else {
                match tokio::time::timeout_at(self.began + PATIENCE, self.moves.recv()).await {
                    Ok(Some(moved)) => self.note(&moved).await?,
                    Ok(None) | Err(_) => return Ok(None),
                }
            }
        }
    }

    /// Sends one notification. One after the other: so the ids are those of the sequence.
    async fn send(&mut self, scene: &'static Scene) -> anyhow::Result<()> {
        let request = request::of(scene, &self.shops)?;
        let answer = post::send(self.service.intake_addr, &request)
            .await
            .with_context(|| format!("cannot send {}", scene.recording.file))?;
        let is_stored = (200..300).contains(&answer.status);
        let before = self.sent.iter().filter_map(|sent| sent.id).max().unwrap_or(0);
        let id = is_stored.then_some(before + 1);
        if !is_stored {
            let (verdict, detail) = (Verdict::Refused(answer.status), answer.message());
            self.untold.push_back(Event { scene, id, verdict, detail });
        }
        self.sent.push(Sent { scene, answer, id, waited_for: Vec::new(), is_done: !is_stored });
        Ok(())
    }

    /// Takes in that a notification moved.
    async fn note(&mut self, moved: &Moved) -> anyhow::Result<()> {
        let Some(sent) = self.sent.iter_mut().find(|sent| sent.id == Some(moved.id)) else { return Ok(()) };
        let (scene, id) = (sent.scene, sent.id);
        if moved.state != State::Pending {
            sent.is_done = true;
            let row = self.service.store().reader().show(moved.id).await?;
            let detail = row.map_or_else(String::new, |(row, _)| match row.detail {
                None if row.attempts > 1 => format!("asked {} times", row.attempts),
                detail => detail.unwrap_or_default(),
            });
            let verdict = Verdict::Stored(moved.state, moved.reason);
            self.untold.push_back(Event { scene, id, verdict, detail });
            return Ok(());
        }
        let Some(reason) = moved.reason.filter(|reason| !sent.waited_for.contains(reason)) else {
            return Ok(());
        };
        sent.waited_for.push(reason);
        if scene.waits_for == Some(reason) {
            let (verdict, detail) =
                (Verdict::Stored(State::Pending, Some(reason)), "is asked again".to_owned());
            self.untold.push_back(Event { scene, id, verdict, detail });
        }
        if scene.source == Source::Branch && reason == Reason::ApiUnreachable {
            self.shops.bring_branch_back().context("the branch's simulated shop cannot come back")?;
        }
        Ok(())
    }

    /// Compares what became of every notification with what had to.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn report(&self) -> anyhow::Result<Report> {
        report::of(self).await
    }

    /// Stops the service and the shops; the folder stays.
    ///
    /// # Errors
    /// A simulated shop ended by itself before.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.service.stop().await;
        self.shops.close().context("a simulated shop ended by itself")
    }
}
