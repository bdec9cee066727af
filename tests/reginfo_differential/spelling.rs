//! Documents by what they say, and the many ways to spell each.

#[allow(dead_code)] // what the generators of other inputs decide
#[path = "../common/oracles/choices.rs"]
mod choices;

use choices::Choices;
use ims_procedures::reginfo::{
    Contact, ContactEvent, ContactState, Document, DocumentState, IndicationHandling, PolicyAction,
    Registration, RegistrationState, TempGruu,
};

const REGINFO: &str = "urn:ietf:params:xml:ns:reginfo";
const GRUUINFO: &str = "urn:ietf:params:xml:ns:gruuinfo";
const EXT_REG_EXP: &str = "urn:3gpp:ns:extRegExp:1.0";
const EXT_REG_INFO: &str = "urn:3gpp:ns:extRegInfo:1.0";
const COMMON_POLICY: &str = "urn:ietf:params:xml:ns:common-policy";
/// Namespaces that are nearly known, and the prefix that the root declares for the first.
const STRANGE: [&str; 4] = [
    "urn:y",
    "urn:ietf:params:xml:ns:Reginfo",
    "urn:3gpp:ns:extRegExp:1.0 ",
    "",
];
const STRANGE_PREFIX: &str = "y";
const PREFIXES: [&str; 8] = ["", "r", "gr", "ere", "x-1.a", "é", "xmlns1", "_"];
const CHARACTERS: [char; 24] = [
    'a', 's', 'p', ':', '@', '.', '1', ' ', '&', '<', '>', '"', '\'', ';', '=', ']', '-', '?', '%',
    '#', '\u{7f}', 'é', '€', '😀',
];

/// The document that these bytes decide on, and one spelling of it.
pub fn any(bytes: &[u8]) -> (Document, String) {
    let mut choices = Choices::new(bytes);
    let registrations = some(&mut choices, 3, registration);
    let document = Document {
        version: choices.pick(&[0, 1, 7, u32::MAX]),
        state: choices.pick(&[DocumentState::Full, DocumentState::Partial]),
        registrations,
    };
    let mut speller = Speller {
        choices,
        out: String::new(),
        scope: Vec::new(),
        content: 0,
    };
    speller.document(&document);
    (document, speller.out)
}

fn some<T>(choices: &mut Choices<'_>, most: usize, one: fn(&mut Choices<'_>) -> T) -> Vec<T> {
    let count = choices.below(most + 1);
    (0..count).map(|_| one(choices)).collect()
}

fn maybe<T>(choices: &mut Choices<'_>, one: fn(&mut Choices<'_>) -> T) -> Option<T> {
    (!choices.once_in(2)).then(|| one(choices))
}

fn registration(choices: &mut Choices<'_>) -> Registration {
    let states = [
        RegistrationState::Active,
        RegistrationState::Terminated,
        RegistrationState::Init,
    ];
    let state = choices.pick(&states);
    let mut contacts = some(choices, 3, contact);
    for contact in &mut contacts {
        // What is left out follows from what is there.
        if choices.once_in(6) {
            contact.state = match (contact.event, state) {
                (Some(event), _) => event.state(),
                (None, RegistrationState::Terminated) => ContactState::Terminated,
                (None, _) => ContactState::Active,
            };
        }
    }
    Registration {
        aor: trimmed(choices),
        id: text(choices),
        state,
        contacts,
        wildcarded_identity: maybe(choices, trimmed),
        policy: maybe(choices, |choices| some(choices, 4, action)),
    }
}

fn contact(choices: &mut Choices<'_>) -> Contact {
    let display_name = maybe(choices, trimmed);
    Contact {
        id: text(choices),
        state: choices.pick(&[ContactState::Active, ContactState::Terminated]),
        event: maybe(choices, |choices| choices.pick(&ContactEvent::ALL)),
        uri: trimmed(choices),
        display_name_lang: display_name.as_ref().and_then(|_| maybe(choices, trimmed)),
        display_name,
        expires: maybe(choices, number),
        retry_after: maybe(choices, number),
        duration_registered: maybe(choices, number),
        q: maybe(choices, text),
        callid: maybe(choices, text),
        cseq: maybe(choices, number),
        params: some(choices, 3, |choices| (trimmed(choices), trimmed(choices))),
        pub_gruu: maybe(choices, trimmed),
        temp_gruu: maybe(choices, |choices| TempGruu {
            uri: trimmed(choices),
            first_cseq: maybe(choices, number),
        }),
    }
}

fn action(choices: &mut Choices<'_>) -> PolicyAction<String> {
    match choices.below(4) {
        0 => PolicyAction::PrivilegedSender,
        1 => PolicyAction::ResourcePriority {
            namespace: text(choices),
            value: text(choices),
        },
        2 => PolicyAction::PrivilegedSenderForPrivateTraffic,
        _ => PolicyAction::PrivateNetworkIndication {
            handling: maybe(choices, |choices| {
                choices.pick(&[IndicationHandling::Forward, IndicationHandling::Insert])
            }),
            domain: maybe(choices, trimmed),
        },
    }
}

fn text(choices: &mut Choices<'_>) -> String {
    let length = choices.below(9);
    (0..length).map(|_| choices.pick(&CHARACTERS)).collect()
}

fn trimmed(choices: &mut Choices<'_>) -> String {
    text(choices).trim_matches(' ').to_owned()
}

fn number(choices: &mut Choices<'_>) -> u64 {
    choices.pick(&[
        0,
        1,
        60,
        600_000,
        u64::from(u32::MAX),
        u64::MAX - 1,
        u64::MAX,
    ])
}

/// What may stand for white space in a text, or at its ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A tab or line end, and a reference to one, are spaces.
    Text,
    /// No reference to one; as it stands only where XML makes a space of it.
    Uri,
}

struct Speller<'a> {
    choices: Choices<'a>,
    out: String,
    /// Prefixes and their namespaces; the last one counts.
    scope: Vec<(&'static str, &'static str)>,
    /// Where the content of the element opened last begins: if nothing was added, it may be an empty element.
    content: usize,
}

impl Speller<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn document(&mut self, document: &Document) {
        let heads = [
            "",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "\u{feff}",
            "\u{feff}<?xml version='1.0'?>\r\n",
            "<?xml version = \"1.1\" encoding='utf-8' standalone=\"yes\" ?>",
        ];
        let head = self.choices.pick(&heads);
        self.put(head);
        self.outside();
        let name = self.open(REGINFO, "reginfo");
        self.put(" xmlns:y='urn:y'");
        self.scope.push((STRANGE_PREFIX, STRANGE[0]));
        self.strange_attributes();
        let version = document.version.to_string();
        let version = match document.version {
            u32::MAX => self
                .choices
                .pick(&["4294967295", "4294967296", "99999999999999999999999"]),
            _ => version.as_str(),
        };
        self.padded("version", version);
        self.padded("state", document.state.as_str());
        self.begin_content();
        for registration in &document.registrations {
            self.registration(registration);
            self.strange_children();
        }
        self.close(&name, 0);
        self.outside();
    }

    /// What may stand before and after the root element.
    fn outside(&mut self) {
        while self.choices.once_in(4) {
            let piece = self.choices.pick(&[
                "\n",
                " ",
                "<!-- c -->",
                "<?pi?>",
                "<?pi <x> ?>",
                "<!--<&-->",
            ]);
            self.put(piece);
        }
    }

    fn registration(&mut self, registration: &Registration) {
        let depth = self.scope.len();
        let name = self.open(REGINFO, "registration");
        self.strange_attributes();
        if !registration.aor.is_empty() || self.choices.once_in(2) {
            self.attribute("aor", &registration.aor, Kind::Uri, true);
        }
        if !registration.id.is_empty() || self.choices.once_in(2) {
            self.attribute("id", &registration.id, Kind::Text, false);
        }
        self.padded("state", registration.state.as_str());
        self.begin_content();
        let mut contacts = registration.contacts.iter();
        let mut parts: Vec<u8> = registration.contacts.iter().map(|_| 0).collect();
        parts.extend(registration.wildcarded_identity.as_ref().map(|_| 1));
        parts.extend(registration.policy.as_ref().map(|_| 2));
        self.choices.shuffle(&mut parts);
        for part in parts {
            match part {
                0 => self.contact(contacts.next().unwrap(), registration.state),
                1 => {
                    let identity = registration.wildcarded_identity.as_deref();
                    self.leaf(
                        EXT_REG_EXP,
                        "wildcardedIdentity",
                        &[],
                        identity.unwrap(),
                        Kind::Uri,
                    );
                    if self.choices.once_in(4) {
                        self.leaf(
                            EXT_REG_EXP,
                            "wildcardedIdentity",
                            &[],
                            "an other one",
                            Kind::Text,
                        );
                    }
                }
                _ => self.policy(registration.policy.as_deref().unwrap()),
            }
            self.strange_children();
        }
        self.close(&name, depth);
    }

    /// One element, or two that share the entries.
    fn policy(&mut self, actions: &[PolicyAction<String>]) {
        let at = if self.choices.once_in(3) {
            self.choices.below(actions.len() + 1)
        } else {
            0
        };
        let (first, second) = actions.split_at(at);
        if at > 0 {
            self.actions(first);
        }
        self.actions(second);
    }

    fn actions(&mut self, actions: &[PolicyAction<String>]) {
        let depth = self.scope.len();
        let namespace = self.choices.pick(&[COMMON_POLICY, EXT_REG_INFO]);
        let name = self.open(namespace, "actions");
        self.begin_content();
        for action in actions {
            let depth = self.scope.len();
            let name = match action {
                PolicyAction::ResourcePriority { namespace, value } => {
                    let name = self.open(EXT_REG_INFO, "rph");
                    self.attribute("ns", namespace, Kind::Text, false);
                    self.attribute("val", value, Kind::Text, false);
                    name
                }
                PolicyAction::PrivilegedSender => self.open(EXT_REG_INFO, "privSender"),
                PolicyAction::PrivateNetworkIndication { handling, domain } => {
                    let name = self.open(EXT_REG_INFO, "pni");
                    let handling = handling.map(IndicationHandling::as_str);
                    self.enumerated("insert", handling, "xxx");
                    if let Some(domain) = domain {
                        self.attribute("domain", domain, Kind::Uri, true);
                    }
                    name
                }
                PolicyAction::PrivilegedSenderForPrivateTraffic => {
                    self.open(EXT_REG_INFO, "privSenderPNI")
                }
            };
            self.begin_content();
            self.close(&name, depth);
            self.strange_children();
        }
        self.close(&name, depth);
    }

    fn contact(&mut self, contact: &Contact, registration: RegistrationState) {
        let depth = self.scope.len();
        let name = self.open(REGINFO, "contact");
        self.strange_attributes();
        if !contact.id.is_empty() || self.choices.once_in(2) {
            self.attribute("id", &contact.id, Kind::Text, false);
        }
        let implied = match (contact.event, registration) {
            (Some(event), _) => event.state(),
            (None, RegistrationState::Terminated) => ContactState::Terminated,
            (None, _) => ContactState::Active,
        };
        if implied == contact.state && self.choices.once_in(3) {
            self.enumerated("state", None, "Terminated");
        } else {
            self.padded("state", contact.state.as_str());
        }
        self.enumerated(
            "event",
            contact.event.map(ContactEvent::as_str),
            "un-registered",
        );
        self.number("expires", contact.expires);
        self.number("retry-after", contact.retry_after);
        self.number("duration-registered", contact.duration_registered);
        self.number("cseq", contact.cseq);
        for (name, value) in [("q", &contact.q), ("callid", &contact.callid)] {
            if let Some(value) = value {
                self.attribute(name, value, Kind::Text, false);
            }
        }
        self.begin_content();
        self.contact_parts(contact);
        self.close(&name, depth);
    }

    fn contact_parts(&mut self, contact: &Contact) {
        let mut parts = Vec::new();
        if !contact.uri.is_empty() || self.choices.once_in(2) {
            parts.push("uri");
        }
        parts.extend(contact.display_name.as_ref().map(|_| "display-name"));
        parts.extend(contact.params.iter().map(|_| "unknown-param"));
        parts.extend(contact.pub_gruu.as_ref().map(|_| "pub-gruu"));
        parts.extend(contact.temp_gruu.as_ref().map(|_| "temp-gruu"));
        self.choices.shuffle(&mut parts);
        let mut params = contact.params.iter();
        for part in parts {
            self.strange_children();
            // The first counts; what a later one holds is not looked at.
            let times = if part != "unknown-param" && self.choices.once_in(6) {
                2
            } else {
                1
            };
            for time in 0..times {
                match (part, time) {
                    ("unknown-param", _) => {
                        let (name, value) = params.next().unwrap();
                        self.leaf(REGINFO, part, &[("name", name)], value, Kind::Text);
                    }
                    ("uri", 0) => self.leaf(REGINFO, part, &[], &contact.uri, Kind::Uri),
                    ("display-name", 0) => {
                        let language = contact.display_name_lang.as_ref();
                        let language: Vec<_> = language
                            .map(|text| ("xml:lang", text.as_str()))
                            .into_iter()
                            .collect();
                        let name = contact.display_name.as_deref().unwrap();
                        self.leaf(REGINFO, part, &language, name, Kind::Text);
                    }
                    ("uri" | "display-name", _) => {
                        self.leaf(REGINFO, part, &[], "an other one", Kind::Text);
                    }
                    _ => self.gruu(part, contact, time),
                }
            }
        }
    }

    fn gruu(&mut self, part: &'static str, contact: &Contact, time: usize) {
        let depth = self.scope.len();
        let name = self.open(GRUUINFO, part);
        let temporary = contact.temp_gruu.as_ref();
        match (part, time) {
            (_, 1) => self.put(" uri='sip:evil@h&#13;'"),
            ("pub-gruu", _) => {
                self.attribute("uri", contact.pub_gruu.as_deref().unwrap(), Kind::Uri, true);
            }
            _ => {
                self.attribute("uri", &temporary.unwrap().uri, Kind::Uri, true);
                self.number("first-cseq", temporary.unwrap().first_cseq);
            }
        }
        self.begin_content();
        self.close(&name, depth);
    }

    /// A start tag up to its name, by a prefix in scope or with one declared; the name is returned.
    fn open(&mut self, namespace: &'static str, local: &str) -> String {
        let known = PREFIXES
            .iter()
            .filter(|prefix| self.resolve(prefix) == Some(namespace));
        let known: Vec<_> = known.copied().collect();
        let declares = known.is_empty() || self.choices.once_in(5);
        let prefixes: &[&'static str] = if declares { &PREFIXES } else { &known };
        let prefix = self.choices.pick(prefixes);
        let name = if prefix.is_empty() {
            local.to_owned()
        } else {
            format!("{prefix}:{local}")
        };
        self.put("<");
        self.put(&name);
        if declares {
            let declared = if prefix.is_empty() {
                "xmlns".to_owned()
            } else {
                format!("xmlns:{prefix}")
            };
            self.attribute(&declared, namespace, Kind::Uri, false);
            self.scope.push((prefix, namespace));
        }
        name
    }

    fn resolve(&self, prefix: &str) -> Option<&'static str> {
        let mut bound = self.scope.iter().rev();
        bound
            .find(|(own, _)| *own == prefix)
            .map(|(_, namespace)| *namespace)
    }

    fn begin_content(&mut self) {
        let space = self.choices.pick(&["", " ", "\r\n\t"]);
        self.put(space);
        self.put(">");
        self.content = self.out.len();
        self.strange_children();
    }

    /// An end tag, after which `depth` declarations are in scope.
    fn close(&mut self, name: &str, depth: usize) {
        let space = self.choices.pick(&["", "", " ", "\n"]);
        if self.content == self.out.len() && self.choices.once_in(2) {
            self.out.pop();
            self.put("/>");
        } else {
            self.put(&format!("</{name}{space}>"));
        }
        self.scope.truncate(depth);
    }

    fn leaf(
        &mut self,
        namespace: &'static str,
        local: &str,
        attributes: &[(&str, &str)],
        text: &str,
        kind: Kind,
    ) {
        let depth = self.scope.len();
        let name = self.open(namespace, local);
        self.strange_attributes();
        for (name, value) in attributes {
            self.attribute(name, value, Kind::Text, true);
        }
        self.put(">");
        self.padding();
        for character in text.chars() {
            self.interruption();
            self.character(character, kind);
        }
        self.interruption();
        self.padding();
        self.put(&format!("</{name}>"));
        self.scope.truncate(depth);
    }

    /// White space around the text of an element, which is no part of it.
    fn padding(&mut self) {
        if self.choices.once_in(3) {
            let space = self
                .choices
                .pick(&[" ", "\n\t ", "\r\n", "&#10;", "<![CDATA[ ]]>"]);
            self.put(space);
        }
    }

    /// What may stand inside a text without being part of it.
    fn interruption(&mut self) {
        if self.choices.once_in(9) {
            let piece = self.choices.pick(&[
                "<!---->",
                "<!-- <x> - & -->",
                "<?pi?>",
                "<![CDATA[]]>",
                "<y:x>inside</y:x>",
                "<y:x a='>'><y:uri>inside</y:uri>&amp;</y:x>",
            ]);
            self.put(piece);
        }
    }

    fn character(&mut self, character: char, kind: Kind) {
        let way = self.choices.below(12);
        match (character, way) {
            (' ', 9) if kind == Kind::Text => self.put("&#x0A;"),
            (' ', 10) if kind == Kind::Text => self.put("\t"),
            (' ', 11) if kind == Kind::Text => self.put("\r\n"),
            (_, 6 | 9) => self.put(&format!("&#{};", u32::from(character))),
            (_, 7) => self.put(&format!("&#x{:04X};", u32::from(character))),
            (_, 8) => self.put(&format!("&#x000{:x};", u32::from(character))),
            (_, 10 | 11) => self.put(&format!("<![CDATA[{character}]]>")),
            (character, _) => self.literal(character, None),
        }
    }

    /// As it stands, or escaped where it must be.
    fn literal(&mut self, character: char, quote: Option<char>) {
        match character {
            '&' => self.put("&amp;"),
            '<' => self.put("&lt;"),
            '>' if self.out.ends_with("]]") => self.put("&gt;"),
            '"' if quote == Some('"') => self.put("&quot;"),
            '\'' if quote == Some('\'') => self.put("&apos;"),
            character => self.out.push(character),
        }
    }

    /// ` name="value"`; where white space around the value is no part of it, perhaps with some.
    fn attribute(&mut self, name: &str, value: &str, kind: Kind, trimmed: bool) {
        let space = self.choices.pick(&[" ", " ", "\n  ", "\t", "\r\n"]);
        let equals = self.choices.pick(&["=", "=", "=", " =", "= ", "\r\n=\t"]);
        let quote = self.choices.pick(&['"', '\'']);
        self.put(&format!("{space}{name}{equals}{quote}"));
        let pads = if kind == Kind::Text {
            [" ", "\t", "\r\n", "&#10;"]
        } else {
            [" ", "\t", "\n", "\r\n"]
        };
        if trimmed && self.choices.once_in(4) {
            let pad = self.choices.pick(&pads);
            self.put(pad);
        }
        for character in value.chars() {
            match (character, self.choices.below(12)) {
                (' ', 9) => self.put("\n"),
                (' ', 10) => self.put("\r\n"),
                (' ', 11) if kind == Kind::Text => self.put("&#9;"),
                (_, 8) => self.put(&format!("&#{};", u32::from(character))),
                (_, 9) => self.put(&format!("&#x{:x};", u32::from(character))),
                (character, _) => self.literal(character, Some(quote)),
            }
        }
        if trimmed && self.choices.once_in(4) {
            let pad = self.choices.pick(&pads);
            self.put(pad);
        }
        self.out.push(quote);
    }

    /// A number or one of a few words.
    fn padded(&mut self, name: &str, value: &str) {
        self.attribute(name, value, Kind::Text, true);
    }

    /// One of a few words; if none, nothing or something else.
    fn enumerated(&mut self, name: &str, word: Option<&str>, other: &str) {
        match word {
            Some(word) => self.padded(name, word),
            None if self.choices.once_in(2) => self.padded(name, other),
            None => {}
        }
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        let spelt = match value {
            None if self.choices.once_in(2) => self
                .choices
                .pick(&["", "+", "-", "1.5", "0x10", "1 0", "\u{661}"])
                .to_owned(),
            None => return,
            Some(0) => self
                .choices
                .pick(&["0", "-0", "-7", "+00", "-99999999999999999999"])
                .to_owned(),
            Some(u64::MAX) => {
                let beyond = [
                    "18446744073709551615",
                    "18446744073709551616",
                    "+99999999999999999999999",
                ];
                self.choices.pick(&beyond).to_owned()
            }
            Some(value) => format!("{}{value}", self.choices.pick(&["", "+", "000"])),
        };
        self.padded(name, &spelt);
    }

    /// Attributes of another namespace, the known one spelt out among them, and unknown ones.
    fn strange_attributes(&mut self) {
        if self.choices.once_in(5) {
            let attribute = self.choices.pick(&[
                " y:state='terminated'",
                " y:id=\"e\" y:aor='sip:evil@h' y:uri=''",
                " other='&lt;&#13;'",
                " y:version='9' y:event='rejected'",
                " xml:space='preserve'",
                " xml:lang='xx' y:xmlns1='urn:y'",
            ]);
            // `display-name` has a language of its own.
            if !attribute.contains("xml:lang")
                || !self.out[self.out.rfind('<').unwrap()..].contains("display-name")
            {
                self.put(attribute);
            }
        }
    }

    /// What stands between elements without a meaning.
    fn strange_children(&mut self) {
        while self.choices.once_in(7) {
            match self.choices.below(8) {
                0 => self.put("\n "),
                1 => self.put("text &amp; <![CDATA[<uri>]]>"),
                2 => self.put("<!-- <contact/> -->"),
                3 => self.put("<?pi <uri>?>"),
                4 => self.put("<y:uri>sip:evil@h</y:uri><y:registration/>"),
                5 => self.strange_element(REGINFO),
                6 => self.strange_element(GRUUINFO),
                _ => {
                    let namespace = self.choices.pick(&STRANGE);
                    self.strange_element(namespace);
                }
            }
        }
    }

    /// An unknown element with known ones in it, all to be passed over.
    fn strange_element(&mut self, namespace: &'static str) {
        let depth = self.scope.len();
        // The empty namespace has no prefix.
        let name = if namespace.is_empty() {
            self.put("<other xmlns=''");
            self.scope.push(("", ""));
            "other".to_owned()
        } else {
            self.open(namespace, "other")
        };
        self.put(" uri='sip:evil@h&#10;' state='?'>");
        self.leaf(REGINFO, "uri", &[], "sip:evil@h", Kind::Text);
        self.leaf(
            EXT_REG_EXP,
            "wildcardedIdentity",
            &[],
            "sip:evil@h",
            Kind::Text,
        );
        self.put(&format!("</{name}>"));
        self.scope.truncate(depth);
    }
}
