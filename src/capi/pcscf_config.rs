//! The configuration of a P-CSCF: options 3001 to 3999, with those of its subscriptions and its limits.

use alloc::boxed::Box;
use core::ffi::c_void;

use super::{
    guard::{Handle, Poison, change, free, make, read},
    limits::imsp_limit,
    memory::{Variable, bytes},
    options::Place,
    status::{Fault, Report, imsp_fault, imsp_status},
    subscription::imsp_subscription_option,
    values::{Number, imsp_network},
};
use crate::{
    pcscf::Config,
    regevent::trunk_group::{SignallingProfile, TrunkGroup, TrunkGroups},
    wire::Element,
};

/// The configuration of a P-CSCF. It is copied when a node is made of it or given it.
pub struct imsp_pcscf_config {
    pub(super) config: Config,
    poison: Poison,
}

impl Handle for imsp_pcscf_config {
    fn poison(&self) -> &Poison {
        &self.poison
    }
}

/// What an operator decides for a P-CSCF. imsp_limit and imsp_subscription_option are options of it too.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_pcscf_option {
    /// A text: the value of P-Visited-Network-ID (RFC 7315 4.3), as it shall stand: a token or a quoted string.
    VisitedNetworkId = 3001,
    /// 1 if Authorization carries `integrity-protected="auth-done"`. Default 1.
    IntegrityProtected = 3002,
    /// Where the REGISTER goes: an imsp_next_hop. Default IMSP_NEXT_HOP_HOME_ENTRY_POINT.
    NextHop = 3003,
    /// Texts: SIP URIs of the home network's entry points, in order, 8 at most, of 1,024 bytes at most. None (default):
    /// what the Request-URI resolves to.
    EntryPoints = 3004,
    /// How often the REGISTER is sent at most, transport retransmissions apart: 1 to 16. Default 3.
    Attempts = 3005,
    /// Milliseconds before the second attempt, at least 1; doubled before each further one. Default 4,000.
    RetryInterval = 3006,
    /// The longest Retry-After, in seconds, that is waited for. A longer one ends the attempts. Default 120.
    RetryAfterLimit = 3007,
    /// Milliseconds, at least 1, after which a REGISTER counts as unanswered although the caller said nothing. Default
    /// 40,000 for each next hop.
    AnswerBound = 3008,
    /// Milliseconds to wait for the NOTIFY after a 2xx, at least 1. Default 32,000.
    NotifyBound = 3009,
    /// Milliseconds to wait for each step of the cleanup to be reported done, at least 1. Default 5,000.
    CleanupBound = 3010,
    /// Milliseconds of remaining registration lifetime below which the registration counts as lost. Default 0: at its
    /// end.
    RegistrationThreshold = 3011,
    /// The size in bytes past which a REGISTER needs a congestion-controlled transport. Default 1,300.
    UdpLimit = 3012,
    /// Milliseconds of remaining lifetime of security associations and TLS sessions (imsp_pcscf_command_protected) below
    /// which the registration counts as lost. Default 0: at their end.
    AssociationThreshold = 3020,
    /// Milliseconds, at least 1, for which a REGISTER of a UE is held at most, while ours for the same contact is out.
    /// Default 4,000.
    HoldBound = 3021,
    /// T1 between elements of the core, in milliseconds, at least 1: after 64 times that nothing is to be expected any more
    /// of a REGISTER of a UE that was passed on. Default 500.
    T1Core = 3022,
    /// T1 towards the UE, in milliseconds, at least 1: 64 times that is how long the delivery to a UE that is still there is
    /// waited for, and what remains of security associations that are shortened. Default 2,000.
    T1Ue = 3023,
    /// 1 if anything that is heard from a UE makes the reports of loss before it void. Default 1.
    HeardClears = 3024,
    /// 1 if each deregistration is followed by its record (IMSP_PCSCF_EVENT_AUDITED). Default 0.
    Audit = 3025,
    /// Milliseconds after the end of a registration's lifetime until which it waits for its turn, at least 1. Default
    /// 1,800,000.
    TurnBound = 3101,
    /// REGISTERs per second to all home domains together: 1 to 1,000,000. Default 1,000.
    PacingRate = 3102,
    /// REGISTERs that may go at once after a pause: 1 to 10,000. Default 10.
    PacingBurst = 3103,
    /// REGISTERs out at once: 1 to 1,048,576. Default 2,048.
    PacingInFlight = 3104,
    /// REGISTERs out at once to one home domain: 1 to IMSP_PCSCF_OPTION_PACING_IN_FLIGHT. Default 256.
    PacingHopInFlight = 3105,
    /// The rate at which a home domain begins, between the two that follow. Default 100.
    PacingHopStartRate = 3106,
    /// The rate below which a home domain is not slowed: 1 to the one that follows. Default 1.
    PacingHopMinRate = 3107,
    /// The rate above which a home domain is not driven: 1 to 1,000,000. Default 1,000.
    PacingHopMaxRate = 3108,
    /// What is added to the rate of a home domain after an interval in which all went well: 0 to 1,000,000. Default 20.
    PacingIncrease = 3109,
    /// Milliseconds of such an interval: 10 to 3,600,000. Default 1,000.
    PacingIncreaseInterval = 3110,
    /// What the rate of a home domain shrinks to, in hundredths of what it was: 1 to 99. Default 70.
    PacingDecreaseTo = 3111,
    /// Milliseconds after a decrease in which there is no other: 0 to 3,600,000. Default 1,000.
    PacingDecreaseInterval = 3112,
    /// 1 if a 503, or a 500 with Retry-After, slows a home domain down. Default 1.
    PacingSlowedByOverload = 3113,
    /// 1 if silence, 408 or 504 slows a home domain down. Default 1.
    PacingSlowedByTimeout = 3114,
    /// 1 if a home domain that cannot be reached is slowed down. Default 1.
    PacingSlowedByUnreachable = 3115,
    /// The longest Retry-After that holds a home domain off, in seconds: 0 (none does) to 86,400. Default 120.
    PacingRetryAfterLimit = 3116,
    /// REGISTERs that go to a home domain first, before all others: 0 (no such caution) to 64. Default 3.
    PacingCanaries = 3117,
    /// How many of those must be answered well before the others go: 1 to all. Default 1.
    PacingGoodCanaries = 3118,
    /// What follows if fewer are: an imsp_bad_canaries. Default IMSP_BAD_CANARIES_SLOWLY.
    PacingBadCanaries = 3119,
    /// Milliseconds until others go first: 1 to 3,600,000. Default 10,000.
    PacingCanaryPause = 3120,
    /// So many refusals or silences one after the other make a home domain begin anew: 0 (never) to 65,535. Default 16.
    PacingBadStreak = 3121,
    /// Milliseconds without anything after which what was learnt of a home domain no longer holds: 0 to 86,400,000.
    /// Default 60,000.
    PacingForgetAfter = 3122,
    /// So many rounds of REGISTERs that go first and come back bad, one after the other, and nothing more goes to that
    /// home domain for a while: 0 (never) to 65,535. Default 60.
    PacingBadRounds = 3123,
}

impl Number for imsp_pcscf_option {
    const ALL: &'static [Self] = &[
        Self::VisitedNetworkId,
        Self::IntegrityProtected,
        Self::NextHop,
        Self::EntryPoints,
        Self::Attempts,
        Self::RetryInterval,
        Self::RetryAfterLimit,
        Self::AnswerBound,
        Self::NotifyBound,
        Self::CleanupBound,
        Self::RegistrationThreshold,
        Self::UdpLimit,
        Self::AssociationThreshold,
        Self::HoldBound,
        Self::T1Core,
        Self::T1Ue,
        Self::HeardClears,
        Self::Audit,
        Self::TurnBound,
        Self::PacingRate,
        Self::PacingBurst,
        Self::PacingInFlight,
        Self::PacingHopInFlight,
        Self::PacingHopStartRate,
        Self::PacingHopMinRate,
        Self::PacingHopMaxRate,
        Self::PacingIncrease,
        Self::PacingIncreaseInterval,
        Self::PacingDecreaseTo,
        Self::PacingDecreaseInterval,
        Self::PacingSlowedByOverload,
        Self::PacingSlowedByTimeout,
        Self::PacingSlowedByUnreachable,
        Self::PacingRetryAfterLimit,
        Self::PacingCanaries,
        Self::PacingGoodCanaries,
        Self::PacingBadCanaries,
        Self::PacingCanaryPause,
        Self::PacingBadStreak,
        Self::PacingForgetAfter,
        Self::PacingBadRounds,
    ];

    fn number(self) -> u32 {
        self as u32
    }
}

impl imsp_pcscf_option {
    /// Where it stands. Subscriptions and limits have options of their own.
    const fn place(self, config: &mut Config) -> Place<'_> {
        let Config {
            element,
            visited_network_id,
            integrity_protected,
            next_hop,
            entry_points,
            attempts,
            retry_interval,
            retry_after_limit,
            answer_bound,
            notify_bound,
            cleanup_bound,
            registration_threshold,
            pacing,
            turn_bound,
            association_threshold,
            loss,
            hold_bound,
            t1_core,
            t1_ue,
            audit,
            subscription: _,
            limits: _,
        } = config;
        match self {
            Self::VisitedNetworkId => Place::Text(visited_network_id),
            Self::IntegrityProtected => Place::Flag(integrity_protected),
            Self::NextHop => Place::NextHop(next_hop),
            Self::EntryPoints => Place::List(entry_points),
            Self::Attempts => Place::Small(attempts),
            Self::RetryInterval => Place::Milliseconds(retry_interval),
            Self::RetryAfterLimit => Place::Seconds(retry_after_limit),
            Self::AnswerBound => Place::Milliseconds(answer_bound),
            Self::NotifyBound => Place::Milliseconds(notify_bound),
            Self::CleanupBound => Place::Milliseconds(cleanup_bound),
            Self::RegistrationThreshold => Place::Milliseconds(registration_threshold),
            Self::UdpLimit => Place::UdpLimit(element),
            Self::AssociationThreshold => Place::Milliseconds(association_threshold),
            Self::HoldBound => Place::Milliseconds(hold_bound),
            Self::T1Core => Place::Milliseconds(t1_core),
            Self::T1Ue => Place::Milliseconds(t1_ue),
            Self::HeardClears => Place::Flag(&mut loss.heard_clears),
            Self::Audit => Place::Flag(audit),
            Self::TurnBound => Place::Milliseconds(turn_bound),
            Self::PacingRate => Place::Seconds(&mut pacing.rate),
            Self::PacingBurst => Place::Seconds(&mut pacing.burst),
            Self::PacingInFlight => Place::Seconds(&mut pacing.in_flight),
            Self::PacingHopInFlight => Place::Seconds(&mut pacing.hop_in_flight),
            Self::PacingHopStartRate => Place::Seconds(&mut pacing.hop_start_rate),
            Self::PacingHopMinRate => Place::Seconds(&mut pacing.hop_min_rate),
            Self::PacingHopMaxRate => Place::Seconds(&mut pacing.hop_max_rate),
            Self::PacingIncrease => Place::Seconds(&mut pacing.increase),
            Self::PacingIncreaseInterval => Place::Milliseconds(&mut pacing.increase_interval),
            Self::PacingDecreaseTo => Place::Seconds(&mut pacing.decrease_to),
            Self::PacingDecreaseInterval => Place::Milliseconds(&mut pacing.decrease_interval),
            Self::PacingSlowedByOverload => Place::Flag(&mut pacing.slowed_by.overloaded),
            Self::PacingSlowedByTimeout => Place::Flag(&mut pacing.slowed_by.timeout),
            Self::PacingSlowedByUnreachable => Place::Flag(&mut pacing.slowed_by.unreachable),
            Self::PacingRetryAfterLimit => Place::Seconds(&mut pacing.retry_after_limit),
            Self::PacingCanaries => Place::Short(&mut pacing.canaries),
            Self::PacingGoodCanaries => Place::Short(&mut pacing.good_canaries),
            Self::PacingBadCanaries => Place::BadCanaries(&mut pacing.bad_canaries),
            Self::PacingCanaryPause => Place::Milliseconds(&mut pacing.canary_pause),
            Self::PacingBadStreak => Place::Short(&mut pacing.bad_streak),
            Self::PacingForgetAfter => Place::Milliseconds(&mut pacing.forget_after),
            Self::PacingBadRounds => Place::Short(&mut pacing.bad_rounds),
        }
    }
}

/// Where the option of this number stands.
fn place(config: &mut Config, option: u32) -> Result<Place<'_>, Fault> {
    if let Ok(option) = imsp_pcscf_option::read(option) {
        return Ok(option.place(config));
    }
    if let Ok(option) = imsp_subscription_option::read(option) {
        return Ok(option.place(&mut config.subscription));
    }
    Ok(imsp_limit::read(option)?.place(&mut config.limits))
}

/// A configuration with every option at its default, for the P-CSCF and visited network given. To be freed with
/// imsp_pcscf_config_free.
///
/// `uri`: the P-CSCF's SIP URI, without parameters. `ioi`: its inter operator identifier (RFC 7315 4.6.2).
/// `visited_network_id`: IMSP_PCSCF_OPTION_VISITED_NETWORK_ID. `config`: where the handle is written.
///
/// IMSP_STATUS_CONFIG: the fault names `uri` or `ioi`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_new(
    uri: *const c_void,
    uri_length: usize,
    ioi: *const c_void,
    ioi_length: usize,
    visited_network_id: *const c_void,
    visited_network_id_length: usize,
    config: *mut *mut imsp_pcscf_config,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (uri, ioi, visited_network_id, config, report) = unsafe {
        (
            bytes(uri, uri_length),
            bytes(ioi, ioi_length),
            bytes(visited_network_id, visited_network_id_length),
            Variable::at(config),
            Report::at(fault),
        )
    };
    make(report, || {
        let config = config.required()?;
        let element = Element::new(uri?, ioi?)?;
        let made = imsp_pcscf_config {
            config: Config::new(element, visited_network_id?),
            poison: Poison::default(),
        };
        config.put(Box::into_raw(Box::new(made)));
        Ok(())
    })
}

/// Frees a configuration; NULL is allowed. Nodes made of it stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_free(config: *mut imsp_pcscf_config) {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    unsafe { free(config) }
}

/// Sets an option that is a number. `option`: an imsp_pcscf_option, imsp_subscription_option or imsp_limit.
///
/// IMSP_STATUS_UNKNOWN_VALUE: no such option, or no such value of it. IMSP_STATUS_OUT_OF_RANGE: the number does not
/// fit it. IMSP_STATUS_WRONG_TYPE: it is made of texts. Whether the values can work together is checked when a node is
/// made of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_set_number(
    config: *mut imsp_pcscf_config,
    option: u32,
    number: u64,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, report) = unsafe { (config.as_mut(), Report::at(fault)) };
    change(config, report, |handle| {
        place(&mut handle.config, option)?.set(number)
    })
}

/// Reads an option that is a number: its default unless it was set. `option`: as for imsp_pcscf_config_set_number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_number(
    config: *const imsp_pcscf_config,
    option: u32,
    number: *mut u64,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, number, report) =
        unsafe { (config.as_ref(), Variable::at(number), Report::at(fault)) };
    read(config, report, |handle| {
        let number = number.required()?;
        number.put(place(&mut handle.config.clone(), option)?.get()?);
        Ok(())
    })
}

/// Sets an option that is one text. `option`: as for imsp_pcscf_config_set_number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_set_text(
    config: *mut imsp_pcscf_config,
    option: u32,
    text: *const c_void,
    text_length: usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, text, report) =
        unsafe { (config.as_mut(), bytes(text, text_length), Report::at(fault)) };
    change(config, report, |handle| {
        place(&mut handle.config, option)?.set_text(text?)
    })
}

/// Adds a text to an option that is made of several. `option`: as for imsp_pcscf_config_set_number.
///
/// IMSP_STATUS_OUT_OF_RANGE: it has 4,096 texts already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_add_text(
    config: *mut imsp_pcscf_config,
    option: u32,
    text: *const c_void,
    text_length: usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, text, report) =
        unsafe { (config.as_mut(), bytes(text, text_length), Report::at(fault)) };
    change(config, report, |handle| {
        place(&mut handle.config, option)?.add_text(text?)
    })
}

/// Sets the element that subscribes, if it is not the P-CSCF itself: its host and port are those of every Contact. Its
/// UDP limit is then the default again.
///
/// IMSP_STATUS_CONFIG: the fault names `uri` or `ioi`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_set_subscriber(
    config: *mut imsp_pcscf_config,
    uri: *const c_void,
    uri_length: usize,
    ioi: *const c_void,
    ioi_length: usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, uri, ioi, report) = unsafe {
        (
            config.as_mut(),
            bytes(uri, uri_length),
            bytes(ioi, ioi_length),
            Report::at(fault),
        )
    };
    change(config, report, |handle| {
        handle.config.subscription.element = Element::new(uri?, ioi?)?;
        Ok(())
    })
}

/// Adds an IP signalling profile. `support_reg_event`: 1 if the registration event package is subscribed to for the
/// trunk groups that use it, 0 if not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_add_signalling_profile(
    config: *mut imsp_pcscf_config,
    name: *const c_void,
    name_length: usize,
    support_reg_event: u32,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, name, report) =
        unsafe { (config.as_mut(), bytes(name, name_length), Report::at(fault)) };
    change(config, report, |handle| {
        let mut profile = SignallingProfile::new(name?);
        Place::Flag(&mut profile.support_reg_event).set(support_reg_event.into())?;
        let TrunkGroups { profiles, .. } = &mut handle.config.subscription.trunk_groups;
        profiles.push(profile);
        Ok(())
    })
}

/// Adds an IP trunk group: with the name of its profile, of the address context that it belongs to, of the trunk group
/// towards the registrar (the last two may be empty), and whether its users are at home here (an imsp_network).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_add_trunk_group(
    config: *mut imsp_pcscf_config,
    name: *const c_void,
    name_length: usize,
    profile: *const c_void,
    profile_length: usize,
    address_context: *const c_void,
    address_context_length: usize,
    destination: *const c_void,
    destination_length: usize,
    network: u32,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, name, profile, address_context, destination, report) = unsafe {
        (
            config.as_mut(),
            bytes(name, name_length),
            bytes(profile, profile_length),
            bytes(address_context, address_context_length),
            bytes(destination, destination_length),
            Report::at(fault),
        )
    };
    change(config, report, |handle| {
        let group = TrunkGroup {
            name: name?.to_vec(),
            profile: profile?.to_vec(),
            address_context: address_context?.to_vec(),
            destination: destination?.to_vec(),
            network: imsp_network::read(network)?.into(),
        };
        let TrunkGroups { groups, .. } = &mut handle.config.subscription.trunk_groups;
        groups.push(group);
        Ok(())
    })
}

/// Checks that the values can work together, as is done when a node is made of them.
///
/// IMSP_STATUS_CONFIG: the fault names the field, and says what is wrong with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_config_check(
    config: *const imsp_pcscf_config,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, report) = unsafe { (config.as_ref(), Report::at(fault)) };
    read(config, report, |handle| Ok(handle.config.check()?))
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec::Vec};

    use super::*;

    const HEADER: &str = include_str!("ims_procedures.h");

    fn config() -> Config {
        let element = Element::new(b"sip:pcscf1.visited1.example.net", b"visited1").unwrap();
        Config::new(element, b"visited1")
    }

    fn options() -> Vec<u32> {
        let own = imsp_pcscf_option::ALL.iter().map(|o| o.number());
        let of_subscriptions = imsp_subscription_option::ALL.iter().map(|o| o.number());
        let limits = imsp_limit::ALL.iter().map(|o| o.number());
        own.chain(of_subscriptions).chain(limits).collect()
    }

    /// The number that an option has, or none if it is made of texts.
    fn number(config: &mut Config, option: u32) -> Option<u64> {
        place(config, option).and_then(Place::get).ok()
    }

    /// [CA-1] Each option has a place of its own: setting it changes it, and no other.
    #[test]
    fn options_have_places_of_their_own() {
        let (mut config, options) = (config(), options());
        let mut numbers = 0;
        for option in options.iter().copied() {
            let before: Vec<_> = options.iter().map(|o| number(&mut config, *o)).collect();
            let Some(old) = number(&mut config, option) else {
                continue;
            };
            // What has few values has the one before, or the one after.
            let new = [old.saturating_add(1), old.wrapping_sub(1)]
                .into_iter()
                .find(|new| place(&mut config, option).unwrap().set(*new).is_ok());
            let new = new.unwrap_or_else(|| panic!("{option}"));
            for (other, before) in options.iter().zip(before) {
                let expected = if *other == option { Some(new) } else { before };
                let found = number(&mut config, *other);
                assert_eq!(found, expected, "{option} {other}");
            }
            numbers += 1;
        }
        assert_eq!(numbers + 3, options.len(), "three are made of texts");
    }

    /// The number of a name in the header.
    fn named(name: &str) -> Option<u64> {
        let lines = HEADER
            .lines()
            .filter_map(|line| line.trim().split_once(" = "));
        let mut found = lines.filter(|(found, _)| *found == name);
        found.next()?.1.strip_suffix(',')?.parse().ok()
    }

    /// [CA-1] The default that the header tells of an option is the one that it has.
    #[test]
    fn defaults_are_those_of_the_header() {
        let mut config = config();
        for option in options() {
            let Some(default) = number(&mut config, option) else {
                continue;
            };
            let mark = alloc::format!(" = {option},\n");
            let (before, _) = HEADER.split_once(&mark).unwrap();
            let comment = before.rsplit("/**").next().unwrap().replace("\n   * ", " ");
            let (_, said) = comment
                .split_once("Default ")
                .unwrap_or_else(|| panic!("{option}"));
            let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',');
            let word: String = said.chars().take_while(|c| is_word(*c)).collect();
            let told = named(&word).or_else(|| word.replace(',', "").parse().ok());
            assert_eq!(told, Some(default), "{option}: {word}");
        }
    }
}
