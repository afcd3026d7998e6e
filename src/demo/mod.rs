//! The demo: the real service on simulated shops, with real HTTP, a real SQLite file, and recorded notifications,
//! true and forged, of every format. It needs no account and no configuration, and checks its verdicts against the
//! contract.
//!
//! `scenes` lists the notifications with their expected verdicts · `recording`, `request` build the HTTP request of a
//! scene · `post` sends it · `sources` names the five formats · `shops` are the simulated shops · `targets` are the
//! owner's actions · `folder` keeps the configuration and the store · `report` compares.

mod folder;
mod post;
mod recording;
mod report;
mod request;
mod scenes;
mod shops;
mod sources;
mod targets;

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::Settings;
use crate::domain::{Reason, State};
use crate::service::{Service, ServiceOptions};
use crate::store::StateChange;

pub use report::{ActionReceipts, DemoReport};
pub use scenes::{SCENES, Scene, Verdict};
pub use sources::DemoSource;

use folder::Folder;
use shops::DemoShops;
use targets::Targets;

/// The time limit of the demo. A machine that needs longer is too slow to show anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A new verdict of a notification, to print.
#[derive(Debug)]
pub struct DemoEvent {
    pub scene: &'static Scene,
    /// The id in the store; `None` if it was refused.
    pub id: Option<i64>,
    /// The verdict now: settled, refused, or pending for a reason that the scene expects.
    pub verdict: Verdict,
    /// The explanation; may be empty.
    pub detail: String,
}

struct Sent {
    scene: &'static Scene,
    answer: post::SceneResponse,
    /// The id, if it was stored.
    id: Option<i64>,
    /// The reasons for which it was pending.
    waited_for: Vec<Reason>,
    is_done: bool,
}

pub struct Demo {
    folder: Folder,
    shops: DemoShops,
    targets: Targets,
    service: Service,
    moves: mpsc::UnboundedReceiver<StateChange>,
    sent: Vec<Sent>,
    unshown: VecDeque<DemoEvent>,
    began: Instant,
}

impl Demo {
    /// Starts the shops and the service on free loopback ports, in a new temporary folder.
    ///
    /// # Errors
    /// The folder cannot be written, no port is free, or the service does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let shops = DemoShops::open().context("cannot start the simulated shops")?;
        let mut targets = Targets::open().await.context("cannot start the targets of the actions")?;
        let folder = Folder::create(&shops, &mut targets)?;
        let settings = Settings::load(folder.config(), |_| None)
            .map_err(|mistakes| anyhow::anyhow!("the demo's own configuration is wrong: {mistakes}"))?;
        let (moves, moved) = mpsc::unbounded_channel();
        let options = ServiceOptions { moves: Some(moves), ..ServiceOptions::default() };
        let service = Service::start(&settings, options).await?;
        let (sent, unshown) = (Vec::new(), VecDeque::new());
        Ok(Self { folder, shops, targets, service, moves: moved, sent, unshown, began: Instant::now() })
    }

    /// The next event; `None` once every notification is settled or refused, or at the time limit.
    ///
    /// # Errors
    /// The service does not answer, the store cannot be read, or the shop that was down does not come back.
    pub async fn next(&mut self) -> anyhow::Result<Option<DemoEvent>> {
        loop {
            if let Some(event) = self.unshown.pop_front() {
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

    /// Sends one notification. They are sent one at a time, so that ids follow the sequence.
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
            self.unshown.push_back(DemoEvent { scene, id, verdict, detail });
        }
        self.sent.push(Sent { scene, answer, id, waited_for: Vec::new(), is_done: !is_stored });
        Ok(())
    }

    /// Records that a notification changed its state.
    async fn note(&mut self, moved: &StateChange) -> anyhow::Result<()> {
        let Some(sent) = self.sent.iter_mut().find(|sent| sent.id == Some(moved.id)) else { return Ok(()) };
        let (scene, id) = (sent.scene, sent.id);
        if moved.state != State::Pending {
            sent.is_done = true;
            let row = self.service.store().reader().show(moved.id).await?;
            let detail = row.map_or_else(String::new, |(row, _)| match row.line.detail {
                None if row.line.attempts > 1 => format!("asked {} times", row.line.attempts),
                detail => detail.unwrap_or_default(),
            });
            let verdict = Verdict::Stored(moved.state, moved.reason);
            self.unshown.push_back(DemoEvent { scene, id, verdict, detail });
            return Ok(());
        }
        let Some(reason) = moved.reason.filter(|reason| !sent.waited_for.contains(reason)) else {
            return Ok(());
        };
        sent.waited_for.push(reason);
        if scene.waits_for == Some(reason) {
            let (verdict, detail) =
                (Verdict::Stored(State::Pending, Some(reason)), "retry follows".to_owned());
            self.unshown.push_back(DemoEvent { scene, id, verdict, detail });
        }
        if scene.source == DemoSource::Branch && reason == Reason::ApiUnreachable {
            self.shops.bring_branch_back().context("cannot restart the branch's simulated shop")?;
        }
        Ok(())
    }

    /// Waits until the owner's actions have received their news, and compares everything with the expected
    /// result.
    ///
    /// # Errors
    /// The store, or the messages of the actions, cannot be read.
    pub async fn report(&self) -> anyhow::Result<DemoReport> {
        report::of(self).await
    }

    /// Stops the service and the shops, and keeps the folder.
    ///
    /// # Errors
    /// A simulated shop had ended unexpectedly.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.service.stop().await;
        self.shops.close().context("a simulated shop ended unexpectedly")
    }
}
