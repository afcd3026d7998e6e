//! Reading a request's body within bounds.

use std::time::Duration;

use actix_web::web::Payload;
use futures_util::StreamExt as _;

use super::refusal::Refusal;

/// Reads the whole body.
///
/// # Errors
/// It is longer than `max` bytes, takes longer than `time`, or breaks off.
pub(super) async fn read(payload: &mut Payload, max: usize, time: Duration) -> Result<Vec<u8>, Refusal> {
    let all = async {
        // Whatever length it claims, room is made for what has arrived: most bodies arrive at once.
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Refusal::BrokenOff)?;
            if chunk.len() > max - body.len() {
                return Err(Refusal::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    actix_web::rt::time::timeout(time, all).await.unwrap_or(Err(Refusal::TooSlow))
}
