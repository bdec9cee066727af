//! What a P-CSCF is told of the access of its UEs, and what counts as its loss.

use core::ffi::c_void;

use super::{
    guard::{change, read},
    memory::{Variable, bytes},
    pcscf::{about_ue, imsp_pcscf},
    pcscf_config::imsp_pcscf_config,
    status::{Report, imsp_fault, imsp_status},
    verdict::imsp_verdict,
};
use crate::pcscf::{Command, LossRule};

/// As many as there are texts of an option.
const MOST_RULES: usize = 4_096;

/// Something was heard from a UE, which therefore is not lost: what imsp_pcscf_receive was not shown, or without a
/// Contact could not tell whom it was from. It is named as in imsp_pcscf_command_access_lost.
///
/// IMSP_STATUS_OUTBOX_FULL. The verdict is IMSP_VERDICT_KIND_NOT_MINE if nobody such is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_command_heard(
    node: *mut imsp_pcscf,
    now: u64,
    private_identity: *const c_void,
    private_identity_length: usize,
    contact: *const c_void,
    contact_length: usize,
    reg_id: u32,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    let private_identity = (private_identity, private_identity_length);
    let (ue, results) = (
        (private_identity, (contact, contact_length), reg_id),
        (verdict, fault),
    );
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    unsafe { about_ue(node, now, ue, results, |ue| Ok(Command::Heard { ue })) }
}

/// A UE, named as in imsp_pcscf_command_access_lost, has security associations or TLS sessions: newly set up, or renewed.
/// `lifetime`: seconds that they last from now; 0: until 30 s after the registration, or longer if they did before (TS
/// 24.229 7.8). A 2xx that is learnt makes them last as long; where that does not hold, this is to be called again after
/// it.
///
/// IMSP_STATUS_OUTBOX_FULL. The verdict is IMSP_VERDICT_KIND_NOT_MINE if nobody such is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_command_protected(
    node: *mut imsp_pcscf,
    now: u64,
    private_identity: *const c_void,
    private_identity_length: usize,
    contact: *const c_void,
    contact_length: usize,
    reg_id: u32,
    lifetime: u32,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    let private_identity = (private_identity, private_identity_length);
    let (ue, results) = (
        (private_identity, (contact, contact_length), reg_id),
        (verdict, fault),
    );
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    unsafe {
        about_ue(node, now, ue, results, |ue| {
            Ok(Command::Protected {
                ue,
                lifetime: (lifetime > 0).then_some(lifetime),
            })
        })
    }
}

/// Whether this contact is registered, and its UE reported lost and not heard since: 1 or 0 is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_is_access_lost(
    node: *const imsp_pcscf,
    contact: *const c_void,
    contact_length: usize,
    is_access_lost: *mut u32,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, contact, is_access_lost, report) = unsafe {
        (
            node.as_ref(),
            bytes(contact, contact_length),
            Variable::at(is_access_lost),
            Report::at(fault),
        )
    };
    read(node, report, |handle| {
        let is_access_lost = is_access_lost.required()?;
        is_access_lost.put(handle.node().is_access_lost(contact?).into());
        Ok(())
    })
}

/// Adds a way in which a UE counts as lost: there are so many reports of each imsp_evidence (0 to 8, not all 0), none of
/// them older than `window`, in milliseconds, a day at most. At most 8 together.
///
/// IMSP_STATUS_OUT_OF_RANGE: there are 4,096 already. Whether they can be met is checked when a node is made of the
/// configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_add_loss_rule(
    config: *mut imsp_pcscf_config,
    bearer_lost: u8,
    flow_closed: u8,
    probes_missed: u8,
    association_idle: u8,
    window: u64,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, report) = unsafe { (config.as_mut(), Report::at(fault)) };
    change(config, report, |handle| {
        let rules = &mut handle.config.loss.rules;
        if rules.len() >= MOST_RULES {
            return Err(imsp_status::OutOfRange.into());
        }
        rules.push(LossRule {
            bearer_lost,
            flow_closed,
            probes_missed,
            association_idle,
            window,
        });
        Ok(())
    })
}

/// Takes all ways out in which a UE counts as lost: the default one, that a single report of IMSP_EVIDENCE_BEARER_LOST is
/// enough, too. With none, no report counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_clear_loss_rules(
    config: *mut imsp_pcscf_config,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, report) = unsafe { (config.as_mut(), Report::at(fault)) };
    change(config, report, |handle| {
        handle.config.loss.rules.clear();
        Ok(())
    })
}
