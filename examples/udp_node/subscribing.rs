//! What is told of subscriptions to registration state.

use ims_procedures::{
    drive::{Outbox, Role, Text},
    regevent::subscriber,
};
use serde_json::{Value, json};

use crate::console::{text, word};

/// The event as it is reported, whosever subscription it is.
pub fn report<R: Role>(event: &subscriber::Event, texts: &Outbox<R>) -> Value {
    let about = |name: &str, resource: &Text| json!({"event": name, "public_identity": text(texts.text(*resource))});
    match event {
        subscriber::Event::Subscribed { resource, expires } => {
            let mut report = about("subscribed", resource);
            report["expires"] = (*expires).into();
            report
        }
        subscriber::Event::GrantedTooLittle { resource, .. } => {
            about("granted_too_little", resource)
        }
        subscriber::Event::SubscriptionLost { resource, why, .. } => {
            let mut report = about("subscription_lost", resource);
            report["why"] = word(why).into();
            report
        }
        subscriber::Event::SubscriptionEnded { resource, why } => {
            let mut report = about("subscription_ended", resource);
            report["why"] = word(why).into();
            report
        }
        other => json!({"event": word(other)}),
    }
}
