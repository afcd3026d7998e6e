//! Reads a request's body within bounds.

use std::time::Duration;

use actix_web::web::Payload;
use futures_util::StreamExt as _;

use super::body_memory::{BodyMemory, BodyPermit};
use super::refusal::Refusal;

/// A body that arrives in many parts is collected in blocks of this size. Growing buffers of many concurrent
/// bodies would fragment the memory.
const BLOCK: usize = 16 * 1024;

/// Reads the whole body, and counts its bytes against `memory`.
///
/// # Errors
/// The body is longer than `max` bytes, takes longer than `time`, breaks off, or finds no memory beside other
/// bodies.
pub(super) async fn read(
    payload: &mut Payload,
    max: usize,
    time: Duration,
    memory: &BodyMemory,
) -> Result<(Vec<u8>, BodyPermit), Refusal> {
    let all = async {
        // Allocate for what has arrived, not for the claimed length. Most bodies arrive in one piece.
        let (mut blocks, mut length, mut permit) = (Vec::new(), 0, BodyPermit::default());
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Refusal::BrokenOff)?;
            if chunk.len() > max - length {
                return Err(Refusal::TooLarge);
            }
            memory.take(&mut permit, chunk.len()).await?;
            length += chunk.len();
            gather(&mut blocks, &chunk);
        }
        Ok((joined(blocks), permit))
    };
    actix_web::rt::time::timeout(time, all).await.unwrap_or(Err(Refusal::TooSlow))
}

/// Fills the last block, and starts another for the rest. The first block is as long as the first part.
fn gather(blocks: &mut Vec<Vec<u8>>, chunk: &[u8]) {
    let spare = blocks.last().map_or(0, |last| last.capacity() - last.len());
    let (now, rest) = chunk.split_at(spare.min(chunk.len()));
    if let Some(last) = blocks.last_mut() {
        last.extend_from_slice(now);
    }
    if !rest.is_empty() {
        let least = if blocks.is_empty() { 0 } else { BLOCK };
        let mut block = Vec::with_capacity(rest.len().max(least));
        block.extend_from_slice(rest);
        blocks.push(block);
    }
}

fn joined(mut blocks: Vec<Vec<u8>>) -> Vec<u8> {
    if blocks.len() > 1 { blocks.concat() } else { blocks.pop().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_its_parts_were_and_takes_hardly_more_memory() {
        for parts in [&[0][..], &[300], &[1; 5000], &[5, BLOCK, 3 * BLOCK, 1, 70], &[BLOCK - 1; 9]] {
            let bytes: Vec<u8> =
                (0..parts.iter().sum::<usize>()).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let (mut blocks, mut rest) = (Vec::new(), bytes.as_slice());
            for part in parts {
                let (chunk, later) = rest.split_at(*part);
                gather(&mut blocks, chunk);
                rest = later;
            }
            let taken: usize = blocks.iter().map(Vec::capacity).sum();
            assert!(taken < bytes.len() + BLOCK + 1, "{taken} for {}", bytes.len());
            assert_eq!(joined(blocks), bytes);
        }
    }
}
