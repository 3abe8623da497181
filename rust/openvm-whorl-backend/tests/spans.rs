//! The spans of a proof have their published names, one inside the other, one after the other.

mod common;

use std::sync::{Arc, Mutex};

use common::{circuit, context, small_engine};
use openvm_stark_backend::{
    StarkEngine,
    test_utils::{InteractionsFixture11, default_test_params_small},
};
use tracing::{Subscriber, span};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

/// What happened, in order: "+name" a span was entered, "-name" it was left.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<String>>>);

impl Steps {
    fn add<S: Subscriber + for<'a> LookupSpan<'a>>(&self, sign: char, id: &span::Id, context: &Context<'_, S>) {
        let span = context.span(id).expect("the registry knows the span");
        if span.metadata().target().starts_with("openvm_whorl_backend") {
            self.0.lock().unwrap().push(format!("{sign}{}", span.name()));
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Steps {
    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        self.add('+', id, &context);
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        self.add('-', id, &context);
    }
}

#[test]
fn stages_have_their_published_names() {
    let params = default_test_params_small();
    let circuit = circuit(&InteractionsFixture11, params.clone());
    for device in ["cpu", "sim"] {
        let steps = Steps::default();
        let subscriber = tracing_subscriber::registry().with(steps.clone());
        tracing::subscriber::with_default(subscriber, || {
            let proof = small_engine(device).prove(&circuit.pk, context(&InteractionsFixture11, params.clone()));
            proof.expect("the fixture satisfies its constraints");
        });
        let expected = [
            "+stark_prove_excluding_trace",
            "+prover.main_trace_commit",
            "-prover.main_trace_commit",
            "+prover.rap_constraints",
            "-prover.rap_constraints",
            "+prover.openings",
            "-prover.openings",
            "-stark_prove_excluding_trace",
        ];
        assert_eq!(*steps.0.lock().unwrap(), expected, "on {device}");
    }
}
