//! What an operator sees of the subscriptions, under the exact names.

use ims_procedures::regevent::{node::SubscriberNode, statistics::GeneratedSubscriptionStatus};

use crate::aligned::aligned;

/// The address context of registrations that came over no named trunk group.
const NO_CONTEXT: &[u8] = b"";

/// `sipGeneratedSubscriptionStatus`: a row for each subscription that there is.
pub fn status(node: &SubscriberNode) -> String {
    let mut rows = vec![GeneratedSubscriptionStatus::NAMES.map(str::to_owned)];
    for row in node.sip_generated_subscription_status(NO_CONTEXT) {
        rows.push([
            row.id.to_string(),
            row.package_name.to_owned(),
            lossy(row.registrar_ip_address),
            row.ext_expiration_time.to_string(),
            row.state_name().to_owned(),
            lossy(row.domain_name),
        ]);
    }
    let none = if rows.len() == 1 { "(none)\n" } else { "" };
    let table = aligned(&rows, |_| false);
    format!("sipGeneratedSubscriptionStatus\n{table}{none}")
}

/// `sipSubscriptionCountStatistics`: what was counted since the node was made.
pub fn counts(node: &SubscriberNode) -> String {
    let counts = node.sip_subscription_count_statistics(NO_CONTEXT);
    let rows = counts
        .named()
        .map(|(name, count)| [name.to_owned(), count.to_string()]);
    let table = aligned(&rows, |column| column == 1);
    format!("sipSubscriptionCountStatistics\n{table}")
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
