//! What `--help` says.

pub const HELP: &str = r#"An element of an IMS network on real sockets, over UDP and TCP, made of the library.

usage: udp_node ROLE --listen IP:PORT --domain DOMAIN [OPTIONS]

Commands are JSON lines on stdin, events JSON lines on stdout. The first event is {"event":"ready",…}; a command is
answered by {"event":"accepted",…} or {"event":"refused","why":…}, or by what it asks for; one with a field that it does
not take, or of another type, is refused. Every role takes
  {"command":"list"}         who is registered, or which sessions there are
  {"command":"statistics"}   what was counted
  {"command":"quit"}         writes the ladder and ends

Options of every role
  --listen IP:PORT       where to listen, IPv4; port 0 for one that is free
  --domain DOMAIN        whose element it is
  --uri URI              the SIP URI under which others know it          [default: sip:IP:PORT of --listen]
  --resolve NAME=IP:PORT where a name leads, instead of the DNS; may be given several times. Names that are not
                         given are unreachable, or the next hop's
  --trust IP             an element of the trusted core is at this address; may be given several times
  --udp-limit BYTES      requests that are larger go over TCP (RFC 3261 18.1.1)            [default: 1300]
  --idle-timeout S       seconds of silence after which a connection is closed; a keep-alive (RFC 5626 4.4.1)
                         ends the silence                                                  [default: 900]
  --pcap FILE            write what goes over the sockets as a capture
  --ladder FILE.html     write the ladder diagram as a web page, at the end
  --audit FILE           add a record to it of each deregistration, and of each session that is closed: who began it
                         and why, whom it concerns, how it ended and when; below. A new FILE its owner alone may read.
                         What cannot be added is told: {"event":"audit_failed","why":…,"record":…}
  --persist FOLDER       keep every registration there, and go on from there at the next start
  --quiet                print no events but audit_failed, and answers to commands

scscf: a registrar and the S-CSCF's procedures. A REGISTER may come from a P-CSCF, with Path, or from a UE itself.
  --identities FILE      who may register: a JSON array of objects such as
                         {"private_identity": "user1_private@ims.test",
                          "public_identities": ["sip:user1@ims.test", "tel:+12125550101"],
                          "barred": ["sip:hidden@ims.test"], "password": "secret"}
                         [default: everybody of the domain, each with the one identity that it registers]
  --authentication off|digest   whether users are challenged; with digest each needs a password  [default: off]
  --authenticates HOST:PORT   an element that authenticates users itself, such as an MSC server, and says so: nobody
                         whom it registers is challenged, and a REGISTER of it that ends a registration is not asked
                         about; may be given several times
  --min-expires S        seconds: less is refused with 423                                 [default: 60]
  --max-expires S        seconds: more is cut                                              [default: 600000]
  --default-expires S    seconds for who asks for none                                     [default: 3600]
 commands
  {"command":"network_deregister","public_identity":URI,"private_identity":NAME,"reason":REASON}
      the private identity may be left out: everybody of the set. "everybody": true in the place of both is
      everybody of the S-CSCF, within "within_ms": N. REASON of the operator: maintenance, refused, wait_and_retry ("retry_after": S),
      authentication_failed, authentication_timeout, too_much_data; of the HSS: permanent_termination,
      server_change, new_server_assigned, remove_scscf
  {"command":"reauthenticate","public_identity":URI,"private_identity":NAME,"expires":S}
 events
  registered, deregistered, suspicious_deregistration, subscribed, subscription_ended, rejected, drained, …

pcscf: relays what comes from UEs and for them, and ends registrations of UEs whose access is lost. Whoever is not
at an address of the core (--next-hop, --trust) is a UE. What a UE begins takes the Service-Route of its registration,
whatever Route it has; within a dialog its Route counts if it begins with ours. Requests go where their Route leads, if
that is in the core, and else to the next hop. Each that is passed on is remembered for 64·T1 after its answer: 250,000 at
once, and of them 256 MiB. Others are refused with 503 then, as they are from some 7,800 requests a second on with the
default T1 of 500 ms.
  --next-hop IP:PORT     the home network's entry point; trusted
  --visited-network ID   the value of P-Visited-Network-ID                           [default: the domain, quoted]
  --reg-event on|off     whether it subscribes to registration state                       [default: on]
  --profile sbc|rfc6665  which rules the subscription follows                              [default: sbc]
  --attempts N           how often the deregistering REGISTER is sent                      [default: 3]
  --retry-ms N           until the second attempt, doubled after each                      [default: 4000]
  --notify-ms N          how long the NOTIFY is waited for after the 2xx                   [default: 32000]
  --hold-ms N            how long a UE's REGISTER is held while ours is out                [default: 4000]
  --lost-after-probes N  so many missed probes mean that a UE is lost                      [default: they do not]
  --lost-after-flow-and-probes N   a closed flow and so many missed probes do              [default: they do not]
  --probe-window-ms N    within that time                                                  [default: 60000]
  --t1-ms N, --timer-c-ms N   T1 towards the core, and Timer C, of what is passed on        [default: 500, 181000]
 commands
  {"command":"access_lost","contact":URI,"private_identity":IMPI,"evidence":EVIDENCE}
      EVIDENCE: bearer_lost (the default), flow_closed, probe_missed, security_association_idle
  {"command":"heard","contact":URI,"private_identity":IMPI}
      of those with the contact the one with the identity; without it all of them
  {"command":"shutdown","rate":N,"in_flight":N,"deadline_ms":N,"emergency":BOOL,"dry_run":BOOL}, {"command":"resume"}
 events
  registered, service_route_too_long, access_lost, access_doubted, deregistered, cancelled, subscribed, subscription_ended,
  held_register_released, shutdown_planned, shutdown_progressed, shutdown_ended, rejected, …

cpm: a CPM Participating Function. It sets sessions up from the INVITEs that come, and closes them by OMA CPM 8.2.2.3
and 8.3.2.3. All who are called must accept. The streams of an offer are dealt out to the IWFs, the rest to the last.
  --role originating|terminating   whom it serves: who calls, or who is called           [default: originating]
  --mode b2bua|proxy     as what it stands between the ends                              [default: b2bua]
  --client IP:PORT       the CPM client that is served
  --peer IP:PORT         the other CPM entity
  --iwf IP:PORT          an IWF in the place of whoever would be called; may be given several times. Of client and
                         peer, the one who is called must be given; if the other is, nobody else may call
  --iwf-policy session|streams   what goes when one of several IWFs leaves               [default: session]
  --offline-storage off|on       what <allow-offline-storage> says                       [default: off]
  --store uid=N|fail|slow=MS     the message store: the first UID that it gives, that it fails, or how long it takes
                                                                                         [default: uid=1]
  --far-side-ms N        how long the far side may take to answer a BYE                  [default: 16000]
  --store-ms N           how long the store may take                                     [default: 8000]
  --answer-ms N          how long a leg may take to answer a BYE until it counts as silent  [default: 40000]
 commands
  {"command":"close","session":N,"reason":REASON}   the host ends it; REASON as in the header, or left out
 events
  session_established, session_refused, media_release, session_storage, session_shrunk, stream_deletion_failed,
  session_closed, stored_late, not_learnt, rejected, …

msc: an MSC server enhanced for ICS. It registers subscribers on their behalf, renews that, and ends it when they are not
active there any more.
  --registrar IP:PORT    the home network's S-CSCF, or whoever leads to it; trusted
  --mnc-digits 2|3       digits of the mobile network code in an IMSI                    [default: 2]
  --expires S            seconds that are asked for                                      [default: 600000]
  --reg-event on|off     whether it subscribes to registration state                     [default: on]
  --attempts N, --retry-ms N   how often the deregistering REGISTER is sent, and until the second  [default: 3, 4000]
  --release-ms N         how long the release of all dialogs may take                    [default: 40000]
 commands
  {"command":"register","imsi":DIGITS,"imei":DIGITS}
  {"command":"no_longer_active","imsi":DIGITS,"trigger":TRIGGER}
      TRIGGER: cancel_location, implicit_detach, purge, explicit_detach, administrative
  {"command":"return","imsi":DIGITS,"imei":DIGITS}   the subscriber is active there again
  {"command":"dialog_added","imsi":DIGITS,"dialog":N,"public_identity":URI}
  {"command":"dialog_ended","imsi":DIGITS,"dialog":N}
  {"command":"shutdown","rate":N,"in_flight":N,"deadline_ms":N}, {"command":"resume"}
 events
  registered, registration_failed, dialog_release, deregistered, cancelled, subscribed, subscription_lost,
  subscription_ended, shutdown_progressed, shutdown_ended, rejected, …

relay: an IBCF between two networks. SUBSCRIBE and NOTIFY of registration state pass through the library, everything
else as it is. A request goes where its Route leads; within a dialog to its Request-URI; else to the other side. From the
outside it goes so far only to the inside and to whom --trust names; what wants to go elsewhere goes to the inside.
As many are remembered at once as by the pcscf.
  --inside IP:PORT, --outside IP:PORT   the next element on either side. Requests come from the inside if they come from
                         its address or from one that --trust names, else from the outside; where --outside is at the
                         same address, from the IP:PORT of --inside alone
  --translate-contact INSIDE,OUTSIDE    a contact's URI, and how the outside knows it; may be given several times
  --translate-aor INSIDE,OUTSIDE        an address of record in documents; may be given several times
  --documents untouched|translated      what becomes of documents in NOTIFYs             [default: untouched]
  --unread passed|refused      what becomes of a document that cannot be read            [default: passed]
  --expires-at-most S          of contacts in documents
  --request-uris in-dialog|all which Request-URIs are mapped back                        [default: in-dialog]
  --t1-ms N, --timer-c-ms N    T1, and Timer C, of what is passed on                     [default: 500, 181000]
 events
  rejected, unread

Records of --audit: each a JSON line with
  "event"                audited
  "id"                   the same if the record comes again after a crash
  "initiator"            user, access_network, pcscf, home_network, operator, element, other_entity, iwf
  "cause"                why; below
  "began_ms", "ended_ms" milliseconds since 1970; null if it is not known when it began
  "resumed"              whether it has gone on after a restart in between
and besides, with a status, a number or a reason after a colon where one is written in capitals,
 pcscf: "public_identity", "private_identity", "contact"; "registers", so many REGISTERs were sent
  "cause"    access_lost, registration_timer, security_association_timer, network, user, shutdown
  "outcome"  notified, unconfirmed, nothing_there:STATUS, unsupported:STATUS, refused, failed:STATUS, no_response,
             by_user, expired, unsendable, not_asked:WHY; given_up, with "reached", what it had come to, or null
      WHY: deadline, domain, turn_bound
 scscf: "public_identity", "private_identity", "contacts"
  "cause"    pcscf, user, expired, not_reauthenticated, operator:REASON, hss:REASON, as in network_deregister;
             operator:wait_and_retry:SECONDS
  "outcome"  deregistered, with "dialogs", "assignment", "servers_told" and "servers_failed"; refused, with "status",
             "assignment" and "reasons", texts
      "dialogs": released, failed, no_answer, not_needed; "assignment": assigned, failed, no_answer, not_needed,
      name_not_stored; the others count application servers
 msc: "private_identity", "public_identity"; "registers", as above
  "cause"    cancel_location, implicit_detach, purge, explicit_detach, administrative, shutdown, expiry, network, host
  "outcome"  confirmed, nothing_there:STATUS, challenged:STATUS, refused:STATUS, failed:STATUS, no_response, notified,
             by_host, unsendable, not_asked:WHY; given_up, as above
 cpm: "session", "served", "other", "call_id"
  "cause"    client, other, iwf:NUMBER, host, dialog_gone
  "ends"     of "client", "other" and "iwfs": by_itself, crossed, answered:STATUS, no_response, unreachable,
             unsendable; null without such a leg
  "recording"  not_allowed, stored, stored_without_uid, stored_late, failed, no_answer

Exit status: 0 after quit; 1 if the command line is not understood, or a socket or file failed.
"#;
