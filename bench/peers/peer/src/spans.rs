//! Collects the spans of the published crates: name, parent, start and duration.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use serde_json::{Value, json};
use tracing::{Level, Metadata, Subscriber, span};
use tracing_subscriber::{
    Layer,
    layer::{Context, Filter},
    registry::LookupSpan,
};

struct Record {
    name: &'static str,
    parent: Option<usize>,
    start_ms: f64,
    time_ms: f64,
}

struct Index(usize);

#[derive(Clone)]
pub struct Spans {
    origin: Instant,
    records: Arc<Mutex<Vec<Record>>>,
}

impl Default for Spans {
    fn default() -> Self {
        Self { origin: Instant::now(), records: Arc::default() }
    }
}

impl Spans {
    fn now_ms(&self) -> f64 {
        self.origin.elapsed().as_secs_f64() * 1000.0
    }

    /// In the shape of `whorl … --metrics`; what was collected is forgotten, so no span may be open.
    pub fn take_json(&self) -> Value {
        let records = std::mem::take(&mut *self.records.lock().unwrap());
        let span =
            |r: &Record| json!({"name": r.name, "parent": r.parent, "start_ms": r.start_ms, "time_ms": r.time_ms});
        records.iter().map(span).collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let span = context.span(id).expect("the registry knows the span");
        let parent = span.parent().and_then(|parent| parent.extensions().get::<Index>().map(|index| index.0));
        let mut records = self.records.lock().unwrap();
        span.extensions_mut().insert(Index(records.len()));
        records.push(Record { name: span.name(), parent, start_ms: self.now_ms(), time_ms: 0.0 });
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("the registry knows the span");
        if let Some(Index(index)) = span.extensions().get::<Index>() {
            let mut records = self.records.lock().unwrap();
            let record = &mut records[*index];
            record.time_ms = self.now_ms() - record.start_ms;
        }
    }
}

/// The stages of the prover, without the many small spans of Plonky3.
pub struct Stages;

impl<S> Filter<S> for Stages {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.is_span() && *metadata.level() <= Level::INFO && !metadata.target().starts_with("p3_")
    }
}
