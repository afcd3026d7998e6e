//! `countersign simulate`: serve simulated shops with sample data, and write a configuration for them.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::init::write_private;
use super::terminal::Terminal;
use super::{CommandError, Exit};
use crate::simulator::samples::{ECWID_STORE, ECWID_TOKEN, KINGUIN_KEY, MIDAS_MERCHANT, MIDAS_PROJECT};
use crate::simulator::{Simulator, SimulatorOptions};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign simulate --write sim.toml &\n  \
                        countersign --config sim.toml serve &\n  \
                        curl http://127.0.0.1:8080/hooks/oldshop -d 'owner_id=4400551&event_type=new_order&\
                        order_id=1207&payment_status=ACCEPTED&fulfillment_status=NEW'\n  \
                        countersign --config sim.toml list")]
pub(super) struct Args {
    /// Loopback address to listen on; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// File to write the configuration to, instead of printing it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, requires = "write")]
    force: bool,
}

pub(super) async fn run(args: Args) -> Result<Exit, CommandError> {
    let listen = args.listen;
    let options = SimulatorOptions { listen, ..SimulatorOptions::default() };
    let mut int = signal(SignalKind::interrupt()).context("cannot handle signals")?;
    let mut term = signal(SignalKind::terminate()).context("cannot handle signals")?;
    let simulator = Simulator::start(options)
        .with_context(|| format!("cannot listen on {listen}; name another --listen"))?;
    let samples = simulator.shops().open_samples().context("cannot generate keys for the simulated Midas")?;
    let key = samples.midas.private_key_pem().context("cannot encode the key of the simulated Midas")?;
    let configuration = configuration(&simulator, &key, &samples.midas.serial_no());
    let mut terminal = Terminal::new();
    terminal.line(&format!(
        "Simulated shops on {}; Ctrl-C or SIGTERM stops them. They keep their data in memory only.",
        simulator.url()
    ))?;
    terminal.line("")?;
    let named = match &args.write {
        Some(file) => {
            write_private(file, &configuration, args.force)?;
            terminal.line(&format!("Their configuration is in {}.", file.display()))?;
            format!("countersign --config {}", file.display())
        }
        None => {
            terminal.line("Put this into countersign.toml (or run with --write FILE):")?;
            terminal.line("")?;
            terminal.lines(&configuration)?;
            "countersign".to_owned()
        }
    };
    terminal.line("")?;
    terminal.lines(&to_try(&named))?;
    terminal.line("")?;
    terminal.lines(&control_pages(&simulator.url()))?;
    terminal.flush()?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    simulator.stop().context("the simulated shops ended unexpectedly")?;
    Ok(Exit::Fine)
}

/// A configuration with one source per provider, all at the sample shops.
fn configuration(simulator: &Simulator, midas_key: &str, midas_serial: &str) -> String {
    let (ecwid, kinguin, midas) = (simulator.ecwid_base(), simulator.kinguin_base(), simulator.midas_base());
    let mut text =
        "[verify]\ngrace = \"5s\"                 # the default of 60s is for real shops\n".to_owned();
    for (name, provider) in [("shop", "ecwid"), ("oldshop", "ecwid-ion")] {
        text += &format!(
            "\n[sources.{name}]\nprovider = \"{provider}\"\nstore_id = {ECWID_STORE}\ntoken = \"{ECWID_TOKEN}\"\n\
             api_base = \"{ecwid}\"\n"
        );
    }
    for (name, provider) in [("keys", "kinguin"), ("oldkeys", "kinguin-postback")] {
        text += &format!(
            "\n[sources.{name}]\nprovider = \"{provider}\"\napi_key = \"{KINGUIN_KEY}\"\napi_base = \"{kinguin}\"\n"
        );
    }
    text += &format!(
        "\n[sources.game]\nprovider = \"midas\"\nmerchant_id = \"{MIDAS_MERCHANT}\"\nproject_id = \"{MIDAS_PROJECT}\"\n\
         serial_no = \"{midas_serial}\"\napi_base = \"{midas}\"\nprivate_key = '''\n{}\n'''\n",
        midas_key.trim_end()
    );
    text
}

/// Notifications about the samples: the source, the header that it needs, and the body.
const NOTIFICATIONS: [(&str, &str, &str); 6] = [
    (
        "shop",
        "",
        r#"{"eventId":"e-1","eventCreated":1764000000,"storeId":4400551,"entityId":731200456,"eventType":"order.updated","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID"}}"#,
    ),
    (
        "oldshop",
        "",
        "owner_id=4400551&event_type=new_order&order_id=1207&payment_status=ACCEPTED&fulfillment_status=NEW",
    ),
    (
        "keys",
        "X-Event-Name: order.status",
        r#"{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}"#,
    ),
    (
        "oldkeys",
        "",
        r#"{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","updatedAt":"2025-03-04T10:15:09+00:00"}"#,
    ),
    (
        "game",
        "",
        r#"{"notification_type":"OrderPaid","settings":{"merchant_id":"m-1001","project_id":"pr-77"},"transaction":{"id":"TX-555","external_id":"shop-order-9"}}"#,
    ),
    (
        "oldshop",
        "",
        "owner_id=4400551&event_type=new_order&order_id=666&payment_status=ACCEPTED&fulfillment_status=NEW",
    ),
];

/// The commands to try; `named` is how the program is called.
fn to_try(named: &str) -> String {
    let mut text = format!(
        "Then, in another window: {named} serve\nand send it some notifications; all are true except the \
            last one, whose order does not exist:\n"
    );
    for (source, header, body) in NOTIFICATIONS {
        let header = if header.is_empty() { String::new() } else { format!(" -H '{header}'") };
        text += &format!("  curl http://127.0.0.1:8080/hooks/{source}{header} -d '{body}'\n");
    }
    text += &format!("Then see their verdicts: {named} list");
    text
}

fn control_pages(url: &str) -> String {
    format!(
        "You can inspect and change the shops while they run, for example:\n  \
         curl {url}/_control/calls\n  \
         curl {url}/_control/ecwid/{ECWID_STORE}/orders -d '{{\"id\":\"SALE-1\",\"internalId\":7,\"paymentStatus\":\"PAID\"}}'\n  \
         curl {url}/_control/faults -d '{{\"trouble\":\"status\",\"status\":503,\"provider\":\"ecwid\",\"times\":3}}'\n  \
         curl -X DELETE {url}/_control/faults"
    )
}
