/* What the C programs of the tests share. They stop at the first thing that is not as it should be. */
#ifndef HARNESS_H
#define HARNESS_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ims_procedures.h"

#define CONTACT "sip:[2001:db8::aaa:bbb]:1357;comp=sigcomp"
#define INSTANCE "<urn:gsma:imei:90420156-025763-0>"
#define PRIVATE "user1_private@home1.example.net"
#define PUBLIC "sip:user1_public1@home1.example.net"
#define URI "sip:pcscf1.visited1.example.net:5070"
#define IOI "visited1.example.net"
#define VISITED "\"Visited Network Number 1\""

#define TEXT(literal) (literal), (sizeof(literal) - 1)

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

#define EXPECT(call, expected)                                                \
    do {                                                                      \
        imsp_status status_ = (call);                                         \
        if (status_ != (expected)) {                                          \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,     \
                    imsp_strerror(status_));                                  \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

#define OK(call) EXPECT(call, IMSP_STATUS_OK)

/* A message or document, ended by NUL for the C library's sake. */
struct message {
    char bytes[8192];
    size_t length;
};

static inline struct message written(const char *format, ...)
{
    struct message message;
    va_list values;
    va_start(values, format);
    int length = vsnprintf(message.bytes, sizeof message.bytes, format, values);
    va_end(values);
    CHECK(length >= 0 && (size_t)length < sizeof message.bytes);
    message.length = (size_t)length;
    return message;
}

/* The bytes behind a mark, up to the first of the ends. */
static inline struct message after(const struct message *message, const char *mark, const char *ends)
{
    const char *from = strstr(message->bytes, mark);
    CHECK(from != NULL);
    from += strlen(mark);
    return written("%.*s", (int)strcspn(from, ends), from);
}

/* A REGISTER of the user, as the P-CSCF sent it to the core. */
static inline struct message registering(void)
{
    return written("REGISTER sip:home1.example.net SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp1\r\n"
                   "Via: SIP/2.0/UDP [2001:db8::aaa:bbb]:1357;branch=z9hG4bKu1\r\n"
                   "Max-Forwards: 69\r\n"
                   "From: <" PUBLIC ">;tag=4fa3\r\n"
                   "To: <" PUBLIC ">\r\n"
                   "Call-ID: apb03a0s09dkjdfglkj49111\r\n"
                   "CSeq: 1 REGISTER\r\n"
                   "Contact: <" CONTACT ">;+sip.instance=\"" INSTANCE "\";reg-id=1;expires=600000\r\n"
                   "Authorization: Digest username=\"" PRIVATE "\",realm=\"home1.example.net\",nonce=\"x\","
                   "uri=\"sip:home1.example.net\",response=\"6629fae49393a05397450978507c4ef1\","
                   "integrity-protected=\"yes\"\r\n"
                   "Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n"
                   "Require: path\r\n"
                   "Supported: path\r\n"
                   "Content-Length: 0\r\n\r\n");
}

/* Its 200. */
static inline struct message registered(void)
{
    return written("SIP/2.0 200 OK\r\n"
                   "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp1\r\n"
                   "Via: SIP/2.0/UDP [2001:db8::aaa:bbb]:1357;branch=z9hG4bKu1\r\n"
                   "From: <" PUBLIC ">;tag=4fa3\r\n"
                   "To: <" PUBLIC ">;tag=409sp3\r\n"
                   "Call-ID: apb03a0s09dkjdfglkj49111\r\n"
                   "CSeq: 1 REGISTER\r\n"
                   "Contact: <" CONTACT ">;+sip.instance=\"" INSTANCE "\";reg-id=1;expires=3600\r\n"
                   "P-Associated-URI: <" PUBLIC ">, <tel:+12125551111>\r\n"
                   "Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n"
                   "Service-Route: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n"
                   "Content-Length: 0\r\n\r\n");
}

/* A response to a request of the node, with more header fields. */
static inline struct message response_to(const struct message *request, const char *status, const char *more)
{
    struct message via = after(request, "Via:", "\r");
    struct message from = after(request, "From:", "\r");
    struct message to = after(request, "To:", "\r;");
    struct message call_id = after(request, "Call-ID:", "\r");
    struct message cseq = after(request, "CSeq:", "\r");
    return written("SIP/2.0 %s Whatever\r\nVia:%s\r\nFrom:%s\r\nTo:%s;tag=scscf1\r\nCall-ID:%s\r\nCSeq:%s\r\n"
                   "%sContent-Length: 0\r\n\r\n",
                   status, via.bytes, from.bytes, to.bytes, call_id.bytes, cseq.bytes, more);
}

/* A document with one registration and the user's contact. */
static inline struct message document(const char *registration, const char *contact, const char *event)
{
    return written("<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"1\" "
                   "state=\"full\"><registration aor=\"" PUBLIC "\" id=\"r0\" state=\"%s\">"
                   "<contact id=\"c0\" state=\"%s\" event=\"%s\" expires=\"0\"><uri>" CONTACT "</uri></contact>"
                   "</registration></reginfo>",
                   registration, contact, event);
}

/* A NOTIFY of the subscription that a SUBSCRIBE has made. */
static inline struct message notify(const struct message *subscribe, unsigned cseq, const char *state,
                                    const struct message *body)
{
    struct message target = after(subscribe, "Contact: <", "\r>");
    struct message call_id = after(subscribe, "Call-ID: ", "\r>");
    struct message tag = after(subscribe, ";tag=", "\r>");
    return written("NOTIFY %s SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKn%u\r\n"
                   "Max-Forwards: 70\r\n"
                   "From: <" PUBLIC ">;tag=scscf1\r\n"
                   "To: <" URI ">;tag=%s\r\n"
                   "Call-ID: %s\r\n"
                   "CSeq: %u NOTIFY\r\n"
                   "Contact: <sip:n@scscf1.home1.example.net:5080>\r\n"
                   "Event: reg\r\n"
                   "Subscription-State: %s\r\n"
                   "Content-Type: application/reginfo+xml\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   target.bytes, cseq, tag.bytes, call_id.bytes, cseq, state, body->length, body->bytes);
}

static inline imsp_pcscf_config *configured(void)
{
    imsp_pcscf_config *config = NULL;
    OK(imsp_pcscf_config_new(TEXT(URI), TEXT(IOI), TEXT(VISITED), &config, NULL));
    OK(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_SUPPORT_REG_EVENT, 1, NULL));
    return config;
}

static inline imsp_pcscf *node_of(const imsp_pcscf_config *config)
{
    unsigned char seed[32];
    imsp_pcscf *node = NULL;
    memset(seed, 7, sizeof seed);
    OK(imsp_pcscf_new(config, seed, sizeof seed, 1, 3, 1, &node, NULL));
    return node;
}

#endif
