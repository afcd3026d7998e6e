//! Finds proxies that are not in `server.trusted_proxies`, from the stored headers.

use rusqlite::Connection;

use crate::store::error::Result;
use crate::store::rows;

/// The number of newest notifications to read.
const LOOKED_AT: usize = 1000;

/// Peers whose X-Forwarded-For was ignored, with their number of notifications. If it is trusted, the sender's
/// address is one of those in the header.
pub(in crate::store) fn untrusted_proxies(conn: &Connection) -> Result<Vec<(String, u64)>> {
    let mut statement = conn.prepare_cached(FORWARDING_PEERS)?;
    let found = statement.query_map([rows::limit(LOOKED_AT)], |row| {
        Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
    })?;
    rows::all(found)
}

const FORWARDING_PEERS: &str = "SELECT remote_addr, count(*) FROM (
                            SELECT remote_addr, iif(json_valid(headers), headers ->> '$.\"x-forwarded-for\"', NULL) AS chain
                            FROM intake WHERE remote_addr IS NOT NULL ORDER BY id DESC LIMIT ?1)
                          WHERE chain IS NOT NULL AND instr(chain, remote_addr) = 0
                          GROUP BY remote_addr ORDER BY count(*) DESC, remote_addr";
