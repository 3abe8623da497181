//! Keys that engines have proved with, and what their proofs share: provers, and parts that are committed once. OpenVM makes an engine
//! for each proof, so this belongs to the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openvm_stark_backend::{
    SystemParams,
    prover::{CommittedTraceData, DeviceMultiStarkProvingKey},
};
use openvm_stark_sdk::config::baby_bear_poseidon2::Digest;

use crate::{
    Error,
    backend::PublishedBackend,
    context::{Kind, whorl_key},
    error::Code,
    key::Key,
    prover::{Control, Prover, ProverOptions},
    traces::Committed,
};

/// Sessions that are kept; the one used longest ago goes first. An OpenVM program uses some five keys.
const MAX_SESSIONS: usize = 8;
/// Provers of a session that are kept while no proof uses them.
const MAX_IDLE_PROVERS: usize = 4;
/// Cached parts of a session that are kept: each is a program, or the proofs that an aggregation takes in.
const MAX_CACHED_PARTS: usize = 16;

/// Used longest ago first.
type Parts = Mutex<Vec<(Digest, Arc<Committed>)>>;

/// A key with options: what provers are alike in.
pub(crate) struct Session {
    pre_hash: Digest,
    params: SystemParams,
    options: ProverOptions,
    pub(crate) key: Key,
    idle: Mutex<Vec<Prover>>,
    preprocessed: Parts,
    cached: Parts,
}

static SESSIONS: Mutex<Vec<Arc<Session>>> = Mutex::new(Vec::new());

/// What is behind `mutex`. No holder leaves it half changed, so that a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets all keys, provers and committed parts, and frees their memory once the proofs under way have ended.
pub fn clear_cache() {
    let sessions = std::mem::take(&mut *lock(&SESSIONS));
    drop(sessions);
}

impl Session {
    fn serves<PB: PublishedBackend>(&self, key: &DeviceMultiStarkProvingKey<PB>, options: &ProverOptions) -> bool {
        self.pre_hash == key.vk_pre_hash && self.params == key.params && self.options == *options
    }

    /// The session of the key, made if there is none. Fails where the key's hash is not that of its contents.
    pub(crate) fn of<PB: PublishedBackend>(
        key: &DeviceMultiStarkProvingKey<PB>,
        options: &ProverOptions,
    ) -> Result<Arc<Self>, Error> {
        let find = |sessions: &mut Vec<Arc<Self>>| {
            let at = sessions.iter().position(|session| session.serves(key, options))?;
            let session = sessions.remove(at);
            sessions.push(Arc::clone(&session));
            Some(session)
        };
        if let Some(session) = find(&mut lock(&SESSIONS)) {
            return Ok(session);
        }
        // Reading a key takes a while, and others need not wait for it.
        let made = Arc::new(Self {
            pre_hash: key.vk_pre_hash,
            params: key.params.clone(),
            options: options.clone(),
            key: whorl_key(key)?,
            idle: Mutex::default(),
            preprocessed: Mutex::default(),
            cached: Mutex::default(),
        });
        let mut sessions = lock(&SESSIONS);
        if let Some(session) = find(&mut sessions) {
            return Ok(session);
        }
        sessions.push(Arc::clone(&made));
        let surplus = sessions.len().saturating_sub(MAX_SESSIONS);
        let old: Vec<_> = sessions.drain(..surplus).collect();
        drop(sessions);
        drop(old);
        Ok(made)
    }

    /// Runs `work` with a prover that no other call uses.
    pub(crate) fn with_prover<T>(&self, work: impl FnOnce(&mut Prover) -> Result<T, Error>) -> Result<T, Error> {
        let idle = lock(&self.idle).pop();
        let mut prover = idle.map_or_else(|| Prover::new(&self.key, &self.options), Ok)?;
        let result = work(&mut prover);
        // A device that failed may fail again; the next proof makes a prover of its own.
        let is_usable = !matches!(&result, Err(Error { code: Code::Machine | Code::Internal, .. }));
        if is_usable {
            let mut idle = lock(&self.idle);
            if idle.len() < MAX_IDLE_PROVERS {
                idle.push(prover);
            }
        }
        result
    }

    /// The part with this commitment, made of its trace if it is new. Fails where the trace is not what was committed to; `what` names it then.
    pub(crate) fn committed<PB: PublishedBackend>(
        &self,
        kind: Kind,
        prover: &mut Prover,
        part: &CommittedTraceData<PB>,
        place: PB::Place<'_>,
        what: &str,
        control: &mut Control<'_>,
    ) -> Result<Arc<Committed>, Error> {
        let (parts, limit) = match kind {
            Kind::Preprocessed => (&self.preprocessed, self.key.num_airs()),
            Kind::Cached => (&self.cached, MAX_CACHED_PARTS),
        };
        let committed = match find_part(parts, &part.commitment) {
            Some(committed) => committed,
            None => {
                let made = Arc::new(prover.commit(&PB::columns(&part.trace, place)?, control)?);
                if made.digest()? != part.commitment {
                    return Err(Error::invalid("prove", format!("{what}: its commitment is not that of its columns")));
                }
                let mut parts = lock(parts);
                parts.push((part.commitment, Arc::clone(&made)));
                let surplus = parts.len().saturating_sub(limit);
                let old: Vec<_> = parts.drain(..surplus).collect();
                drop(parts);
                drop(old);
                made
            }
        };
        let shape = PB::shape(&part.trace);
        if committed.shape() != shape {
            let ((width, height), (found_width, found_height)) = (committed.shape(), shape);
            return Err(Error::invalid(
                "prove",
                format!(
                    "{what}: expected the {width} x {height} columns of its commitment, found {found_width} x {found_height}"
                ),
            ));
        }
        Ok(committed)
    }
}

/// The part with this commitment, from now on the one used last.
fn find_part(parts: &Parts, commitment: &Digest) -> Option<Arc<Committed>> {
    let mut parts = lock(parts);
    let at = parts.iter().position(|(known, _)| known == commitment)?;
    let found = parts.remove(at);
    parts.push(found.clone());
    Some(found.1)
}
