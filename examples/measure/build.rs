//! `measure build`: a REGISTER of a UE's shape is written, every value of it given at run time.

use std::hint::black_box;

use ims_procedures::{
    drive::{Buffer, Identifier, Identifiers},
    wire::{HeaderName, Writer},
};

use crate::{options::Options, timing::measure};

/// What differs from one REGISTER to the next.
struct Values<'a> {
    domain: &'a [u8],
    identity: &'a [u8],
    contact: &'a [u8],
    contact_params: &'a [u8],
    sent_by: &'a [u8],
    access_network: &'a [u8],
    security: &'a [u8],
    branch: Identifier,
    tag: &'a [u8],
    call_id: &'a [u8],
    cseq: u32,
    expires: u32,
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut identifiers = Identifiers::new([7; 32], 1, 0);
    let values = Values {
        domain: b"sip:ims.mnc001.mcc001.3gppnetwork.org",
        identity: b"sip:001010123456789@ims.mnc001.mcc001.3gppnetwork.org",
        contact: b"sip:001010123456789@[2001:db8::aaa:bbb]:1357",
        contact_params: b"+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\";\
            +g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel\"",
        sent_by: b"[2001:db8::aaa:bbb]:1357",
        access_network: b"3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=00101D0FCE11",
        security: b"ipsec-3gpp; alg=hmac-sha-1-96; spi-c=23456789; spi-s=12345678; port-c=2468; port-s=1357",
        branch: identifiers.next(),
        tag: b"4fa3",
        call_id: b"apb03a0s09dkjdfglkj49111",
        cseq: 2,
        expires: 600_000,
    };
    let mut buffer = Buffer::new(2_048);
    write(&values, &mut buffer);
    if let Some(fault) = buffer.fault() {
        return Err(fault.to_string());
    }
    if options.dump {
        print!("{}", String::from_utf8_lossy(buffer.as_slice()));
        return Ok(());
    }
    let bytes = buffer.len();
    let figures = measure(options.n, options.repetitions, || {
        buffer.clear();
        write(black_box(&values), &mut buffer);
        black_box(&buffer).len() as u64
    });
    figures.print("build-register", bytes, options.n);
    Ok(())
}

fn write(values: &Values<'_>, buffer: &mut Buffer) {
    let mut message = Writer::request(buffer, b"REGISTER", values.domain);
    message
        .via(values.sent_by, values.branch)
        .number(HeaderName::MaxForwards, 70)
        .parts(
            HeaderName::From,
            &[b"<", values.identity, b">;tag=", values.tag],
        )
        .parts(HeaderName::To, &[b"<", values.identity, b">"])
        .header(HeaderName::CallId, values.call_id)
        .cseq(values.cseq, b"REGISTER")
        .value(HeaderName::Contact, |buffer| {
            buffer.put(b"<");
            buffer.put(values.contact);
            buffer.put(b">;expires=");
            buffer.put_number(values.expires.into());
            buffer.put(b";");
            buffer.put(values.contact_params);
        })
        .header(HeaderName::PAccessNetworkInfo, values.access_network)
        .header(HeaderName::Supported, b"path,gruu,outbound")
        .header(HeaderName::Require, b"sec-agree")
        .header(HeaderName::ProxyRequire, b"sec-agree")
        .header(HeaderName::SecurityClient, values.security)
        .number(HeaderName::Expires, values.expires.into());
    message.finish();
}
