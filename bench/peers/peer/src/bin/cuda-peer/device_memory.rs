//! The peak of the device memory that the backend allocates, from the gauge it sets after each stage.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use metrics::{
    Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, set_global_recorder,
};

const PEAK_GAUGE: &str = "gpu_mem.local_peak_bytes";

static PEAK_BYTES: AtomicU64 = AtomicU64::new(0);

/// Follows the backend from now on.
pub fn record() {
    set_global_recorder(PeakRecorder).expect("no other recorder is set");
}

/// The peak since the last call.
pub fn take_peak_bytes() -> u64 {
    PEAK_BYTES.swap(0, Ordering::Relaxed)
}

struct PeakGauge;

impl GaugeFn for PeakGauge {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}
    fn set(&self, value: f64) {
        PEAK_BYTES.fetch_max(value as u64, Ordering::Relaxed);
    }
}

struct PeakRecorder;

impl Recorder for PeakRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if key.name() == PEAK_GAUGE { Gauge::from_arc(Arc::new(PeakGauge)) } else { Gauge::noop() }
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
